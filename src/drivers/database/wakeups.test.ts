/** Looking for commits: often while there are some, seldom where there are none, and never too early to see the last. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createBell, createPoll } from "./wakeups.ts";

/** Lets what waits for a promise go on. */
async function turn(): Promise<void> {
  for (let step = 0; step < 5; step++) await Promise.resolve();
}

test("the interval doubles up to its bound, and is short again after news", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const seen = { value: 1, looks: 0, news: 0 };
  const poll = createPoll({
    look: () => (seen.looks++, seen.value),
    onNews: () => void seen.news++,
    minMs: 20,
    maxMs: 100,
  });
  await turn();
  assert.deepEqual([seen.looks, seen.news], [1, 1], "it looks at once, and the first value is news");
  for (const [ms, looks] of [
    [19, 1],
    [1, 2],
    [39, 2],
    [1, 3],
    [79, 3],
    [1, 4],
    [99, 4],
    [1, 5],
    [99, 5],
    [1, 6],
  ] as const) {
    mock.timers.tick(ms);
    await turn();
    assert.equal(seen.looks, looks);
  }
  seen.value = 2;
  poll.check();
  await turn();
  assert.deepEqual([seen.looks, seen.news], [7, 2]);
  mock.timers.tick(20);
  await turn();
  assert.equal(seen.looks, 8, "after news it looks again soon");
  poll.end();
  mock.timers.tick(10_000);
  await turn();
  assert.equal(seen.looks, 8);
});

test("asked while it looks, it looks once more: that look may have begun too early", async () => {
  const looks: PromiseWithResolvers<number>[] = [];
  const news: number[] = [];
  const look = () => {
    const asked = Promise.withResolvers<number>();
    looks.push(asked);
    return asked.promise;
  };
  const poll = createPoll({ look, onNews: () => void news.push(looks.length), minMs: 1_000, maxMs: 1_000 });
  await turn();
  poll.check();
  poll.check();
  await turn();
  assert.equal(looks.length, 1, "one look at a time");
  looks[0]?.resolve(1);
  await turn();
  assert.equal(looks.length, 2);
  looks[1]?.reject(new Error("lost"));
  await turn();
  poll.check();
  await turn();
  looks[2]?.resolve(2);
  await turn();
  assert.deepEqual(news, [1, 3], "a look that fails tells nothing, and the next one does");
  poll.end();
});

test("a bell is wound up for the first who waits, and for the last it stops", () => {
  const told: string[] = [];
  const bell = createBell({ onFirst: () => told.push("first"), onLast: () => told.push("last") });
  const wake = () => void told.push("wake");
  const ends = [bell.add(wake), bell.add(wake)];
  bell.ring();
  ends[0]?.();
  ends[0]?.();
  bell.ring();
  ends[1]?.();
  bell.ring();
  assert.deepEqual(told, ["first", "wake", "wake", "wake", "last"]);
});
