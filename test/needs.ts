/** What a test may want of the machine: where it is missing the test is skipped with the reason, and where `CI` is set it fails. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** For the options of a test: `test(name, needs("strace", hasCommand("strace")), …)`. */
export function needs(what: string, isThere: boolean): { readonly skip: string | false } {
  if (!isThere && process.env["CI"] !== undefined) throw new Error(`CI is set, and this test needs ${what}`);
  return { skip: isThere ? false : `needs ${what}` };
}

/** Whether a command is on the path. */
export function hasCommand(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, name)));
}
