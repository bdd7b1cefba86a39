/** How many workers a flag or a variable asks for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countWorkers, workersMax } from "./count.ts";

test("one where nothing is said, a number, or one for each core", () => {
  assert.equal(countWorkers(null, 8), 1);
  assert.equal(countWorkers("3", 8), 3);
  assert.equal(countWorkers("auto", 8), 8);
  assert.equal(countWorkers("auto", 10_000), workersMax);
});

test("anything else is refused", () => {
  for (const asked of ["0", "-1", "1.5", "many", "", "257", "1e2"])
    assert.throws(() => countWorkers(asked, 8), /whole number from 1 to 256/, asked);
});
