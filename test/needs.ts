/** What a test may want of the machine: where it is missing the test is skipped with the reason, and where `CI` is set it fails. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type ServiceName, services } from "./servers/names.ts";

export interface Need {
  readonly skip: string | false;
}

/** For the options of a test: `test(name, needs("strace", hasCommand("strace")), …)`. */
export function needs(what: string, isThere: boolean, environment = process.env): Need {
  if (!isThere && environment["CI"] !== undefined) throw new Error(`CI is set, and this test needs ${what}`);
  return { skip: isThere ? false : `needs ${what}` };
}

/**
 * For the options of a test or a `describe` that uses a server: `describe(name, needsService("postgres"), …)`; inside,
 * `serviceUrl("postgres")` is its address. Write the call in the test file itself, with the name as it stands here: the runner
 * reads the files that it runs, and starts what they name so.
 */
export function needsService(name: ServiceName, environment = process.env): Need {
  const { title, variable } = services[name];
  const isThere = (environment[variable] ?? "") !== "";
  return needs(`${title} (npm test starts it where it is installed; or set ${variable})`, isThere, environment);
}

/** Whether a command is on the path. */
export function hasCommand(name: string): boolean {
  return findCommand(name) !== null;
}

/** Where a command is: on the path, or in one of the further folders; null where it is not. */
export function findCommand(name: string, further: readonly string[] = []): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...further].filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
