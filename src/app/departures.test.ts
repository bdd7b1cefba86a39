/** Answers of one turn leave at its end, in order; where the turn is long, earlier. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDepartures } from "./departures.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function start() {
  const clock = { ms: 0 };
  const sent: string[] = [];
  const depart = createDepartures(() => clock.ms);
  const answer = (name: string, then = () => {}) =>
    depart(() => {
      sent.push(name);
      then();
    });
  return { clock, sent, answer };
}

describe("departures", () => {
  test("leave together at the end of each turn, in order", async () => {
    const { sent, answer } = start();
    answer("a");
    answer("b");
    assert.deepEqual(sent, []);
    await turn();
    assert.deepEqual(sent, ["a", "b"]);
    answer("c");
    assert.deepEqual(sent, ["a", "b"]);
    await turn();
    assert.deepEqual(sent, ["a", "b", "c"]);
  });

  test("leave within a turn that has lasted for a millisecond, and those that follow wait anew", async () => {
    const { clock, sent, answer } = start();
    answer("a");
    clock.ms = 0.9;
    answer("b");
    assert.deepEqual(sent, []);
    clock.ms = 1;
    answer("c");
    assert.deepEqual(sent, ["a", "b", "c"]);
    answer("d");
    assert.deepEqual(sent, ["a", "b", "c"]);
    await turn();
    assert.deepEqual(sent, ["a", "b", "c", "d"]);
  });

  test("what is answered while others leave comes with the next ones", async () => {
    const { sent, answer } = start();
    answer("a", () => answer("b"));
    await turn();
    assert.deepEqual(sent, ["a"]);
    await turn();
    assert.deepEqual(sent, ["a", "b"]);
  });
});
