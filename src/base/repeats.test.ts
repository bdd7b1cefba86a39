/** What is kept, and from when on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRepeats } from "./repeats.ts";

test("what is asked for twice is made twice and then kept", () => {
  const repeats = createRepeats<{ readonly key: string }>(2);
  const made: string[] = [];
  const ask = (key: string) =>
    repeats(key, () => {
      made.push(key);
      return { key };
    });
  ask("a");
  const kept = ask("a");
  assert.equal(ask("a"), kept);
  assert.deepEqual(made, ["a", "a"]);
  for (const key of ["b", "c", "d", "e"]) ask(key);
  assert.equal(ask("a"), kept, "what is asked for once pushes nothing out");
  assert.deepEqual(made, ["a", "a", "b", "c", "d", "e"]);
});
