/**
 * `npm test`: the checks, then every test, then what was skipped and why, then the runner's summary as the last lines.
 * `--fast` leaves the checks out. Further arguments are files, folders, or flags of `node --test`.
 */
import { existsSync, statSync } from "node:fs";
import { type CheckName, runChecks } from "./check.ts";
import { root, run } from "./run.ts";

/** Where tests are; the test runner takes these as globs. */
export const testFolders = ["src", "test", "examples", "bench", "scripts"] as const;

/** Two files at a time: the tests with real processes and clocks want a core each. */
const filesAtOnce = 2;

/** The checks that are not tests themselves. */
const checksBefore: readonly CheckName[] = ["types", "lint", "format"];

/** Splits what was asked for into flags of the runner and globs of files. */
export function readArguments(args: readonly string[]): { flags: string[]; globs: string[] } {
  const flags = args.filter((arg) => arg.startsWith("-") && arg !== "--fast");
  const paths = args.filter((arg) => !arg.startsWith("-"));
  return { flags, globs: paths.length > 0 ? paths.flatMap(toGlobs) : testFolders.map((folder) => `${folder}/**/*.test.ts`) };
}

function toGlobs(path: string): string[] {
  const found = `${root}${path}`;
  if (existsSync(found)) return [statSync(found).isDirectory() ? `${path.replace(/\/$/, "")}/**/*.test.ts` : path];
  return path.includes("*") ? [path] : testFolders.map((folder) => `${folder}/**/*${path}*.test.ts`);
}

async function runTests(args: readonly string[]): Promise<number> {
  const checked = args.includes("--fast") ? [] : checksBefore;
  const failed = await runChecks(checked);
  const { flags, globs } = readArguments(args);
  const nodeFlags = ["--conditions=holdfast-source", "--test", `--test-concurrency=${filesAtOnce}`];
  const { code } = await run(
    process.execPath,
    [...nodeFlags, "--test-reporter=./scripts/reporter.ts", "--test-reporter-destination=stdout", ...flags, ...globs],
    { env: { ...process.env, CHECKS_RUN: checked.join(), CHECKS_FAILED: failed.join() } },
  );
  return failed.length > 0 ? 1 : code;
}

if (import.meta.main) process.exitCode = await runTests(process.argv.slice(2));
