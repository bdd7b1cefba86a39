/** `holdfast explain`: says which clause of which rule decides what an actor may do. */
import type { Actor } from "../engine/actor.ts";
import type { Explanation, Question } from "../engine/explain/explain.ts";
import { addProjectFlags, type CommandFile, gather, type ProjectFlags, readPair } from "./command.ts";
import { failCli } from "./errors.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface ExplainFlags extends ProjectFlags {
  readonly model: string;
  readonly action: string;
  readonly id?: string;
  readonly data?: string;
  readonly sub?: string;
  readonly role?: readonly string[];
  readonly claim?: readonly string[];
}

const actions = ["read", "create", "update", "delete"] as const;

export const command: CommandFile = {
  define: (command) =>
    void addProjectFlags(command)
      .requiredOption("--model <name>", "the model")
      .option("--action <name>", actions.join(", "), "read")
      .option("--id <id>", "the row; without it only roles are judged")
      .option("--data <json>", "what a create or update would send")
      .option("--sub <id>", "who asks; left out, a stranger")
      .option("--role <name>", "a role of who asks; may be given more than once", gather)
      .option("--claim <name=value>", "a claim of who asks; may be given more than once", gather),
  examples: [
    "holdfast explain --model lists --action update --id 01a1fda8-75c2-7000-b08e-a875a49ec8d2 --sub bob",
    'holdfast explain --model films --action create --data \'{"price":"9.90"}\' --sub alice --role staff',
  ],
  run,
};

async function run(terminal: Terminal, flags: ExplainFlags): Promise<number> {
  const [{ loadBackend }, { openEngine }, { explain }, { anonymous, createActor }, { sayExplanation }, { didYouMean }] =
    await Promise.all([
      import("./project/load-backend.ts"),
      import("./project/open-engine.ts"),
      import("../engine/explain/explain.ts"),
      import("../engine/actor.ts"),
      import("./say/explanation.ts"),
      import("../base/suggest.ts"),
    ]);
  const backend = await loadBackend(flags.backend ?? "backend.ts", terminal.cwd);
  const question = readQuestion(flags);
  const models = Object.keys(backend.spec.models);
  if (!models.includes(question.model))
    throw failCli("usage", {
      fields: {
        fault: `There is no model ${JSON.stringify(question.model)}.${didYouMean(question.model, models)} There are ${models.join(", ")}.`,
      },
    });
  const claims = Object.fromEntries((flags.claim ?? []).map((text) => readPair("--claim", text)));
  const actor: Actor = flags.sub === undefined ? anonymous : createActor(flags.sub, flags.role ?? [], claims);
  if (flags.sub === undefined && flags.role !== undefined)
    throw failCli("usage", { fields: { fault: "A role needs somebody who has it: add --sub." } });
  // Roles can be judged without a database.
  const needsRows = question.id !== undefined || question.data !== undefined;
  const said = await openEngine(terminal, { flags, backend, needsRows }, ({ context, read }) =>
    explain({ context, read, now: new Date(terminal.clock()).toISOString() }, actor, question),
  );
  report(terminal, said, sayExplanation(said));
  return exitCodes.done;
}

function report(terminal: Terminal, said: Explanation, lines: readonly string[]): void {
  for (const line of lines) terminal.say(line);
  terminal.document(said);
}

function readQuestion({ model, action, id, data }: ExplainFlags): Question {
  const known = actions.find((each) => each === action);
  if (known === undefined)
    throw failCli("usage", { fields: { fault: `--action is ${actions.join(", ")}, not ${JSON.stringify(action)}.` } });
  if (known !== "create" && known !== "update" && data !== undefined)
    throw failCli("usage", { fields: { fault: `--data goes with create and update, not with ${known}.` } });
  return { model, action: known, id: known === "create" ? undefined : id, data: data === undefined ? undefined : readData(data) };
}

function readData(text: string): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw failCli("usage", { fields: { fault: `--data is no JSON: ${(error as Error).message}.` }, cause: error });
  }
  throw failCli("usage", { fields: { fault: "--data is a JSON object." } });
}
