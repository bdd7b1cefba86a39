/** The pages on REST and limits, held against the source. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { httpLimitBounds } from "../src/app/http-limits.ts";
import { limitDefaults } from "../src/engine/limits.ts";
import { jsonDepthMax } from "../src/protocols/rest/json-body.ts";
import { operators } from "../src/schema/cond.ts";

const read = (name: string) => readFileSync(new URL(`../docs/reference/${name}.md`, import.meta.url), "utf8");

/** Limits of a page by name, with their defaults. */
function readLimits(page: string): Record<string, number> {
  return Object.fromEntries([...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]));
}

test("every limit stands on its page with its default, and no other", () => {
  const bounds = Object.entries(httpLimitBounds).map(([name, [fallback]]) => [name, fallback]);
  assert.deepEqual(readLimits(read("limits")), { ...Object.fromEntries(bounds), ...limitDefaults });
  assert.deepEqual(readLimits("| `planted` | 3 | x |"), { planted: 3 });
});

test("the fixed bounds are as the page says", () => {
  assert.match(read("limits"), new RegExp(`Levels of a JSON body \\| ${jsonDepthMax} \\|`));
});

test("the page on REST names every operator", () => {
  const page = read("rest");
  assert.deepEqual(
    operators.filter((operator) => !page.includes(operator)),
    [],
  );
});
