/** `npm run check`: types, lint, format and tidy, at the same time; prints what failed and how long each took. */
import { styleText } from "node:util";
import { type Finished, installed, run } from "./run.ts";

/** Every check, with the command that does it. Tidy is a test, so that `npm test` has it among the tests. */
export const checks = {
  types: [installed("tsc"), "-p", "."],
  lint: [installed("oxlint"), "--deny-warnings"],
  format: [installed("biome"), "format", "--reporter=summary"],
  tidy: [process.execPath, "--test", "--test-reporter=dot", "test/tidy.test.ts"],
} as const satisfies Record<string, readonly string[]>;

export type CheckName = keyof typeof checks;

/** Runs the named checks and resolves with the names of those that failed. */
export async function runChecks(names: readonly CheckName[]): Promise<CheckName[]> {
  const results = await Promise.all(names.map(runCheck));
  return names.filter((_, index) => results[index]?.code !== 0);
}

async function runCheck(name: CheckName): Promise<Finished> {
  const [command, ...args] = checks[name];
  const startMs = performance.now();
  const result = await run(command, args, { quiet: true });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (result.code !== 0) process.stdout.write(result.output);
  const mark = result.code === 0 ? styleText("green", "✔") : styleText("red", "✖");
  console.log(`${mark} ${name} (${seconds} s)`);
  if (result.code !== 0 && name === "format") console.log("  `npm run format` mends the format.");
  return result;
}

if (import.meta.main) {
  const named = process.argv.slice(2).filter((name): name is CheckName => name in checks);
  const failed = await runChecks(named.length > 0 ? named : (Object.keys(checks) as CheckName[]));
  process.exitCode = failed.length > 0 ? 1 : 0;
}
