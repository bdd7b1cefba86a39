/** `holdfast check`: finds trouble before it happens, without a database. */
import { styleText } from "node:util";
import { addBackendFlag, type CommandFile, type ProjectFlags } from "./command.ts";
import type { Finding } from "./check/finding.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export const command: CommandFile = {
  define: (command) => void addBackendFlag(command),
  examples: ["holdfast check", "holdfast check --json", "tsc && holdfast check"],
  run,
};

async function run(terminal: Terminal, flags: ProjectFlags): Promise<number> {
  const [{ loadBackend }, { compileSchema }, { compileOperations }, { findTrouble }] = await Promise.all([
    import("./project/load-backend.ts"),
    import("../schema/compile.ts"),
    import("../engine/operations.ts"),
    import("./check/findings.ts"),
  ]);
  const backend = await loadBackend(flags.backend ?? "backend.ts", terminal.cwd);
  const schema = compileSchema(backend.spec.models as Parameters<typeof compileSchema>[0]);
  const { operations, roles } = compileOperations(backend.spec, schema);
  const found = findTrouble({ schema: { ...schema, roles }, operations, hooks: backend.spec.hooks });
  const errors = found.filter(({ level }) => level === "error").length;
  for (const finding of found) for (const line of linesOf(finding)) terminal.say(line);
  const actions = backend.spec.actions.size;
  const checked = `${count(schema.models.size, "model")} and ${count(actions, "action")}`;
  terminal.say(
    found.length === 0
      ? `${checked}: nothing to mend.`
      : `${checked}: ${count(errors, "error")}, ${count(found.length - errors, "warning")}.`,
  );
  terminal.document({ models: schema.models.size, actions, errors, warnings: found.length - errors, findings: found });
  return errors > 0 ? exitCodes.failed : exitCodes.done;
}

function linesOf({ level, place, problem, why, mend }: Finding): readonly string[] {
  const mark = level === "error" ? styleText("red", "error") : styleText("yellow", "warning");
  return [`${mark} ${styleText("bold", place)}: ${problem}`, `  ${why}`, `  → ${mend}`, ""];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
