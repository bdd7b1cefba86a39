/** The command line: finds the command, loads its file and nothing else, and resolves with the exit code. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { CommandFile } from "./command.ts";
import { localMain } from "./local.ts";
import { type CommonFlags, createTerminal, exitCodes, reportError, type Surroundings } from "./terminal.ts";

interface Listed {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandFile }>;
}

/** Every command: what it is for, and its file, which is loaded when it is asked for. */
export const commands: Readonly<Record<string, Listed>> = {
  init: { summary: "write a new app into an empty folder", load: () => import("./init.ts") },
  adopt: { summary: "write a backend file for a database that is there already", load: () => import("./adopt.ts") },
  dev: { summary: "serve the app and restart it on every change", load: () => import("./dev.ts") },
  start: { summary: "serve the app", load: () => import("./start.ts") },
  check: { summary: "find trouble before it happens", load: () => import("./check.ts") },
  explain: { summary: "say which clause of which rule decides", load: () => import("./explain.ts") },
  migrate: { summary: "plan, apply or undo a change of the schema", load: () => import("./migrate-command.ts") },
  backup: { summary: "copy the database while it is in use", load: () => import("./backup.ts") },
  restore: { summary: "put a backup in the place of the database", load: () => import("./restore.ts") },
  openapi: { summary: "print the OpenAPI document", load: () => import("./openapi.ts") },
  token: { summary: "mint a token for the app", load: () => import("./token.ts") },
};

/** Runs one command line, without the name of the program. 0: done, 1: failed, 2: wrong usage or a confirmation is needed. */
export async function main(argv: readonly string[], surroundings: Surroundings = processSurroundings()): Promise<number> {
  const name = argv.find((arg) => !arg.startsWith("-"));
  // The app's own copy serves it, whichever copy was started: the backend file and the engine must be one version.
  const local = name === undefined || name === "init" ? null : await localMain(surroundings.cwd, import.meta.url);
  if (local !== null) return local(argv);
  const program = createProgram(surroundings);
  const outcome = { code: exitCodes.done as number };
  for (const [each, { summary, load }] of Object.entries(commands)) {
    const command = program.command(each).description(summary);
    if (each === name || (name === "help" && argv.includes(each)))
      defineCommand(command, (await load()).command, { surroundings, outcome });
  }
  try {
    await program.parseAsync(argv.length === 0 ? ["--help"] : argv, { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.asked;
    return reportError(error, createTerminal(surroundings, { json: argv.includes("--json"), debug: argv.includes("--debug") }));
  }
}

function createProgram({ writeOut, writeErr }: Surroundings): Command {
  const program = new Command("holdfast")
    .description("A whole backend from one TypeScript file.")
    .version(readVersion(), "-V, --version")
    .configureOutput({ writeOut, writeErr })
    .exitOverride()
    .showHelpAfterError("(--help shows every flag)");
  program.addHelpText("after", "\nStart here:\n  $ npx holdfast init my-app\n\n`holdfast <command> --help` has examples.");
  return program;
}

interface Defining {
  readonly surroundings: Surroundings;
  readonly outcome: { code: number };
}

function defineCommand(command: Command, file: CommandFile, { surroundings, outcome }: Defining): void {
  file.define(command);
  command
    .option("--json", "print one JSON document on standard output, and text beside it")
    .option("--debug", "show the stack of an error")
    .addHelpText("after", `\nExamples:\n${file.examples.map((line) => `  $ ${line}`).join("\n")}`)
    .action(async () => {
      const flags = command.opts<CommonFlags>();
      const terminal = createTerminal(surroundings, flags);
      outcome.code = await file
        .run(terminal, flags as never, command.args)
        .catch((error: unknown) => reportError(error, terminal));
    });
}

function readVersion(): string {
  // dist/cli.js and src/cli/main.ts: the package is one or two folders up.
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}

function processSurroundings(): Surroundings {
  // Whoever read our output has read enough, as `| head` does: there is nobody left to tell.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    clock: Date.now,
    writeOut: (text) => void process.stdout.write(text),
    writeErr: (text) => void process.stderr.write(text),
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  };
}
