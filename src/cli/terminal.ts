/** Where a command writes: text for a person, one JSON document for a program, and its errors with what to do about them. */
import { AppError, reasonOf } from "../base/errors.ts";
import { mends } from "./say/mends.ts";

/** Where the command line is run: handed in, so that a test can run it without a process. */
export interface Surroundings {
  /** The folder that paths are relative to. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => number;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** A person can answer questions. */
  readonly isInteractive: boolean;
}

/** Flags that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly debug?: boolean;
}

export interface Terminal extends Surroundings {
  readonly json: boolean;
  readonly debug: boolean;
  /** A line for a person: on standard output, or beside it where a document stands there. */
  readonly say: (line: string) => void;
  /** A line for a person that is no part of the answer. */
  readonly note: (line: string) => void;
  /** The answer for a program; printed with --json. */
  readonly document: (value: unknown) => void;
}

export function createTerminal(surroundings: Surroundings, { json = false, debug = false }: CommonFlags): Terminal {
  const note = (line: string) => surroundings.writeErr(`${line}\n`);
  return Object.freeze({
    ...surroundings,
    json,
    debug,
    note,
    say: json ? note : (line: string) => surroundings.writeOut(`${line}\n`),
    document(value: unknown) {
      if (json) surroundings.writeOut(`${JSON.stringify(value, null, 2)}\n`);
    },
  });
}

/** 0: done. 1: it failed. 2: the command line is wrong, or somebody must agree first. */
export const exitCodes = Object.freeze({ done: 0, failed: 1, asked: 2 });

const asking: ReadonlySet<string> = new Set([
  "migration_unconfirmed",
  "migration_pending",
  "migration_drifted",
  "folder_not_empty",
  "backend_exists",
  "database_exists",
  "usage",
]);

/** Tells an error and gives the exit code. The stack is for --debug; a cause is told by its message. */
export function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof AppError) {
    const { code, message, errors } = error;
    const explanation = mends[code] ?? error.explanation;
    // What the database's server says is for whoever starts us: its words name neither users' data nor passwords.
    const because = code.startsWith("database_") && error.cause !== undefined ? reasonOf(error.cause) : null;
    terminal.note(`${message}${because === null ? "" : `\n  because: ${because}`}\n  → ${explanation}`);
    terminal.document({ error: { code, message, ...(because === null ? {} : { because }), explanation, errors } });
    noteStack(error, terminal);
    return asking.has(code) ? exitCodes.asked : exitCodes.failed;
  }
  const message = (error instanceof Error ? error.message : String(error)).replace(/^assertion failed: /, "");
  terminal.note(message);
  terminal.document({ error: { code: "failed", message } });
  noteStack(error, terminal);
  if (!terminal.debug) terminal.note("  → --debug shows where it came from.");
  return exitCodes.failed;
}

function noteStack(error: unknown, { debug, note }: Terminal): void {
  if (!debug || !(error instanceof Error)) return;
  note(error.stack ?? error.message);
  if (error.cause instanceof Error) note(`caused by ${error.cause.stack ?? error.cause.message}`);
}
