/**
 * `npm test`: the checks, then every test, then what was skipped and why, then the runner's summary as the last lines.
 * Services that a test file asks for are started beside the checks and stopped at the end. `--fast` leaves the checks out. Further arguments are flags of `node --test`,
 * or parts of paths: only test files with one of them in their path run.
 */
import { globSync } from "node:fs";
import { styleText } from "node:util";
import { findWanted, type Outcome, startServices, stopServices, toVariables } from "../test/servers/start.ts";
import { services } from "../test/servers/names.ts";
import { type CheckName, runChecks } from "./check.ts";
import { root, run } from "./run.ts";

/** Where tests are. */
export const testFolders = ["src", "test", "examples", "bench", "scripts"] as const;

/** Two files at a time: the tests with real processes and clocks want a core each. */
const filesAtOnce = 2;

/** The checks that are not tests themselves. */
const checksBefore: readonly CheckName[] = ["types", "lint", "format"];

/** Splits what was asked for into flags of the runner and test files: those whose path holds one of the given words, else all. */
export function readArguments(args: readonly string[]): { flags: string[]; files: string[] } {
  const flags = args.filter((arg) => arg.startsWith("-") && arg !== "--fast");
  const words = args.filter((arg) => !arg.startsWith("-"));
  const all = testFolders.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root, exclude: ["**/node_modules/**"] }));
  return { flags, files: all.filter((file) => words.length === 0 || words.some((word) => file.includes(word))).sort() };
}

async function runTests(args: readonly string[]): Promise<number> {
  const { flags, files } = readArguments(args);
  if (files.length === 0) {
    console.error(`No test file matches: ${args.filter((arg) => !arg.startsWith("-")).join(" ")}`);
    return 1;
  }
  const checked = args.includes("--fast") ? [] : checksBefore;
  const [failed, outcomes] = await Promise.all([runChecks(checked), startServices(findWanted(files, process.env))]);
  try {
    reportOutcomes(outcomes);
    const nodeFlags = ["--conditions=holdfast-source", "--test", `--test-concurrency=${filesAtOnce}`];
    const variables = { ...toVariables(outcomes), CHECKS_RUN: checked.join(), CHECKS_FAILED: failed.join() };
    const { code } = await run(
      process.execPath,
      [...nodeFlags, "--test-reporter=./scripts/reporter.ts", "--test-reporter-destination=stdout", ...flags, ...files],
      { env: { ...process.env, ...variables } },
    );
    return failed.length > 0 ? 1 : code;
  } finally {
    await stopServices(outcomes);
  }
}

function reportOutcomes(outcomes: readonly Outcome[]): void {
  for (const { name, why } of outcomes) {
    const { title } = services[name];
    if (why === undefined) console.log(`${styleText("green", "✔")} ${title} runs`);
    else console.log(`${styleText("yellow", "!")} ${title} does not run: ${why}`);
  }
}

if (import.meta.main) process.exitCode = await runTests(process.argv.slice(2));
