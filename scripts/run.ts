/** Starts the project's tools as child processes; nothing here knows what they are for. */
import { type SpawnOptions, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The top folder of the repository, with a trailing slash. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** What a finished child left. `output` is standard output and standard error, in the order of arrival; empty when inherited. */
export interface Finished {
  readonly code: number;
  readonly output: string;
}

/** A tool installed with the project, by the name of its command. */
export function installed(command: string): string {
  return `${root}node_modules/.bin/${command}`;
}

/** Runs one child in the top folder and resolves when it has ended, whatever its exit code. `quiet` collects its output. */
export function run(command: string, args: readonly string[], options: SpawnOptions & { readonly quiet?: boolean } = {}) {
  const { quiet = false, ...rest } = options;
  return new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit", ...rest });
    let output = "";
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
