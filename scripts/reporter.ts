/**
 * A reporter for `node --test`: the runner's own `spec`, and at the end what was skipped and why, then the summary as
 * the very last lines. Checks that ran before the tests (in `CHECKS_RUN` and `CHECKS_FAILED`) are counted as tests.
 */
import { Readable } from "node:stream";
import type { TestEvent } from "node:test/reporters";
import { spec } from "node:test/reporters";
import { styleText } from "node:util";

/** One of the runner's closing lines, such as `tests 12`. */
const summaryLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** Tests whose reason to skip begins so want something of the machine; where `CI` is set the machine must have it. */
export const missingService = /^needs /;

/** What the end of the output is made of. */
export interface Ending {
  readonly summary: string[];
  readonly skipped: { readonly name: string; readonly why: string }[];
}

/** Passes every event on but the runner's summary, which it keeps, with the tests that were skipped. */
export async function* holdEnding(source: AsyncIterable<TestEvent>, ending: Ending): AsyncGenerator<TestEvent> {
  for await (const event of source) {
    const isSummary = event.type === "test:diagnostic" && event.data.nesting === 0 && summaryLine.test(event.data.message);
    if (isSummary) ending.summary.push(event.data.message);
    else yield event;
    if (event.type === "test:pass" && event.data.skip !== undefined && event.data.skip !== false) {
      const where = event.data.file?.slice(process.cwd().length + 1) ?? "";
      const why = event.data.skip === true || event.data.skip === "" ? "no reason given" : event.data.skip;
      ending.skipped.push({ name: `${where}: ${event.data.name}`, why: String(why) });
    }
  }
}

/** The last lines: what was skipped, which checks failed, and the summary with the checks counted in. */
export function renderEnding(ending: Ending, checksRun: readonly string[], checksFailed: readonly string[]): string {
  const skips = ending.skipped.map(({ name, why }) => `  ${name}: ${why}\n`);
  const head = skips.length > 0 ? `\nSkipped, and why:\n${skips.join("")}` : "\nSkipped: nothing.\n";
  const failed = checksFailed.map(
    (name) => `${styleText("red", "✖")} check failed: ${name} (see above, or \`npm run check ${name}\`)\n`,
  );
  const more: Record<string, number> = {
    tests: checksRun.length,
    fail: checksFailed.length,
    pass: checksRun.length - checksFailed.length,
  };
  const lines = ending.summary.map((line) => {
    const [, word = "", count = ""] = summaryLine.exec(line) ?? [];
    const total = more[word] === undefined ? count : String(Number(count) + more[word]);
    return `${styleText("blue", `ℹ ${word} ${total}`)}\n`;
  });
  return `${head}${failed.join("")}\n${lines.join("")}`;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const ending: Ending = { summary: [], skipped: [] };
  for await (const chunk of Readable.from(holdEnding(source, ending)).pipe(spec())) yield String(chunk);
  const names = (variable: string) => (process.env[variable] ?? "").split(",").filter((name) => name !== "");
  const missing = ending.skipped.filter(({ why }) => missingService.test(why));
  if (process.env["CI"] !== undefined && missing.length > 0) {
    process.exitCode = 1;
    yield `\n${styleText("red", "✖")} CI is set, so these must not be skipped: ${missing.map(({ name }) => name).join(", ")}\n`;
  }
  yield renderEnding(ending, names("CHECKS_RUN"), names("CHECKS_FAILED"));
}
