/** `holdfast dev`: serves the app in a process of its own, and starts it anew whenever a source file changes. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import { addProjectFlags, type CommandFile, type ProjectFlags, wholeNumber } from "./command.ts";
import { exitCodes, type Terminal } from "./terminal.ts";
import type { Told } from "./start/told.ts";
import { watchSources } from "./dev/watch.ts";
import { compareTraits } from "./dev/traits.ts";

interface DevFlags extends ProjectFlags {
  readonly port?: number;
  readonly host?: string;
}

const portMax = 65_535;

export const command: CommandFile = {
  define: (command) =>
    void addProjectFlags(command)
      .option("--port <number>", "the port; 0 takes a free one (default: 3000, or HOLDFAST_PORT)", wholeNumber("--port", portMax))
      .option("--host <address>", "the address to listen at (default: 127.0.0.1)"),
  examples: ["holdfast dev", "holdfast dev --port 8080 --backend src/backend.ts"],
  run,
};

/** The server as the watching process sees it. */
interface Serving {
  readonly terminal: Terminal;
  readonly flags: DevFlags;
  child: ChildProcess | null;
  /** What the last server that came up said of itself. */
  traits: readonly string[] | null;
  /** Withdraws a question that nobody has answered yet. */
  question: AbortController | null;
  /** What was begun last; the next thing waits for it. */
  turn: Promise<void>;
  isStopping: boolean;
}

async function run(terminal: Terminal, flags: DevFlags): Promise<number> {
  const file = resolve(terminal.cwd, flags.backend ?? "backend.ts");
  const folder = dirname(file);
  const serving: Serving = {
    terminal,
    flags,
    child: null,
    traits: null,
    question: null,
    turn: Promise.resolve(),
    isStopping: false,
  };
  const onChange = (files: readonly string[]) => {
    const more = files.length > 3 ? ` and ${files.length - 3} more` : "";
    terminal.note(styleText("cyan", `\n${files.slice(0, 3).join(", ")}${more} changed`));
    restart(serving);
  };
  const watching = watchSources({ folder, onChange });
  terminal.note(`Watching ${relative(terminal.cwd, folder) || "."} for ${basename(file)}; Ctrl-C stops.`);
  startChild(serving);
  await untilStopped();
  serving.isStopping = true;
  serving.question?.abort();
  watching.stop();
  await serving.turn;
  await stopChild(serving);
  return exitCodes.done;
}

function restart(serving: Serving): void {
  serving.question?.abort();
  serving.turn = serving.turn.then(async () => {
    await stopChild(serving);
    if (!serving.isStopping) startChild(serving);
  });
}

function startChild(serving: Serving): void {
  const { terminal, flags } = serving;
  const { port, host, json } = flags;
  const args = ["start", "--mode", "development", "--workers", "1", ...projectArguments(flags)];
  if (port !== undefined) args.push("--port", String(port));
  if (host !== undefined) args.push("--host", host);
  if (json) args.push("--json");
  if (serving.traits !== null) args.push("--brief");
  const child = spawnSelf(terminal, args);
  serving.child = child;
  const told: { asking: readonly string[] | null } = { asking: null };
  child.on("message", (message: Told) => {
    if ("asking" in message) told.asking = message.asking;
    else hear(serving, message.traits);
  });
  child.on("exit", (code) => {
    if (serving.child !== child) return;
    serving.child = null;
    if (serving.isStopping || code === 0) return;
    if (told.asking !== null && terminal.isInteractive) void ask(serving, told.asking);
    else terminal.note(styleText("yellow", "Not serving; waiting for a change."));
  });
}

function hear(serving: Serving, traits: readonly string[]): void {
  for (const line of serving.traits === null ? [] : compareTraits(serving.traits, traits)) serving.terminal.note(`  ${line}`);
  serving.traits = traits;
}

function spawnSelf({ cwd }: Terminal, args: readonly string[]): ChildProcess {
  return fork(process.argv[1] ?? "", args, { cwd, stdio: "inherit" });
}

function projectArguments({ backend, database, debug }: DevFlags): string[] {
  const args: string[] = debug ? ["--debug"] : [];
  if (backend !== undefined) args.push("--backend", backend);
  if (database !== undefined) args.push("--database", database);
  return args;
}

/** Asks the person who watches, and does what they agree to. A change of a file withdraws the question. */
async function ask(serving: Serving, phrases: readonly string[]): Promise<void> {
  const { terminal, flags } = serving;
  const question = new AbortController();
  serving.question = question;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C at the question is Ctrl-C.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const answer = await lines.question("Do it, and lose that? [y/N] ", { signal: question.signal }).catch(() => null);
  lines.close();
  serving.question = null;
  if (answer === null) return;
  if (!/^y(es)?$/i.test(answer.trim())) return terminal.note(styleText("yellow", "Not serving; waiting for a change."));
  serving.turn = serving.turn.then(async () => {
    const confirmed = phrases.flatMap((phrase) => ["--confirm", phrase]);
    await once(spawnSelf(terminal, ["migrate", "apply", ...projectArguments(flags), ...confirmed]), "exit");
  });
  restart(serving);
}

async function stopChild(serving: Serving): Promise<void> {
  const { child } = serving;
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  serving.child = null;
  child.kill("SIGTERM");
  await ended;
}

/** The first signal to stop. A terminal's Ctrl-C reaches the server as well, which stops by itself. */
async function untilStopped(): Promise<void> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, stop);
  await promise;
  for (const name of names) process.off(name, stop);
}
