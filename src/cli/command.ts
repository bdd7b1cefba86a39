/** What a command file gives to the command line: its flags with examples, and what it does. */
import type { Command } from "commander";
import { failCli } from "./errors.ts";
import type { CommonFlags, Terminal } from "./terminal.ts";

export interface CommandFile {
  /** Adds arguments and flags to the command. */
  readonly define: (command: Command) => void;
  /** Lines that can be pasted, for --help. */
  readonly examples: readonly string[];
  /** Resolves with the exit code. */
  readonly run: (terminal: Terminal, flags: never, args: readonly string[]) => Promise<number>;
}

/** Flags of commands that work with an app. */
export interface ProjectFlags extends CommonFlags {
  readonly backend?: string;
  readonly database?: string;
}

/** The backend file and the database. */
export function addProjectFlags(command: Command): Command {
  return addDatabaseFlag(addBackendFlag(command));
}

export function addBackendFlag(command: Command): Command {
  return command.option("--backend <file>", "the backend file", "backend.ts");
}

export function addDatabaseFlag(command: Command): Command {
  return command.option(
    "--database <url>",
    "the database: sqlite: and a path, a path alone, postgres: or mysql://user:password@host/name (default: HOLDFAST_DATABASE_URL, DATABASE_URL, or sqlite:./data.db)",
  );
}

/** Gathers a flag that may be given more than once. */
export function gather(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Reads a number of a flag. @throws usage */
export function wholeNumber(name: string, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number > max)
      throw failCli("usage", { fields: { fault: `${name} takes a whole number up to ${max}, not ${JSON.stringify(value)}.` } });
    return number;
  };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `3600`, `30m`, `12h` or `7d` as seconds. @throws usage */
export function duration(value: string): number {
  const [, digits, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(value) ?? [];
  if (digits === undefined || Number(digits) === 0)
    throw failCli("usage", { fields: { fault: `${JSON.stringify(value)} is no duration: write 3600, 30m, 12h or 7d.` } });
  return Number(digits) * (unitSeconds[unit] ?? 1);
}

/** Reads `name=value` of a flag. @throws usage */
export function readPair(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw failCli("usage", { fields: { fault: `${flag} takes name=value, not ${JSON.stringify(text)}.` } });
  return [text.slice(0, at), text.slice(at + 1)];
}
