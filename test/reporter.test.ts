/** The end of `npm test`: skips with their reasons, failures counted, the summary last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { renderEnding } from "../scripts/reporter.ts";

test("the summary is the end, with the checks counted in", () => {
  const ending = { summary: ["tests 3", "pass 3", "fail 0"], skipped: [{ name: "a.test.ts: wants b", why: "needs b" }] };
  const text = stripVTControlCharacters(renderEnding(ending, ["types", "lint"], ["lint"]));
  assert.match(text, /Skipped, and why:\n {2}a\.test\.ts: wants b: needs b\n/);
  assert.match(text, /check failed: lint/);
  assert.ok(text.endsWith("ℹ tests 5\nℹ pass 4\nℹ fail 1\n"), text);
});
