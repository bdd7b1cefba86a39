/** Units that wait go out in groups: the next one runs while the one before commits, and no third. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Step } from "../database.ts";
import { createWriteQueue, type WriteQueue } from "./write-queue.ts";

type Resolve = () => void;

/** A queue whose groups wait for a word at each of their ends, and what has become of them. */
function openQueue({ saysSo }: { readonly saysSo: boolean }) {
  const log: string[] = [];
  const words = new Map<string, Resolve>();
  const word = (name: string) => new Promise<void>((resolve) => words.set(name, resolve));
  const queue = createWriteQueue<null>(
    {
      encode: () => null,
      async run(group, onRun) {
        const names = group.map(({ unit }) => unit[0]?.text).join("+");
        log.push(`${names} runs`);
        await word(`${names} ran`);
        if (saysSo) onRun();
        await word(`${names} committed`);
        log.push(`${names} committed`);
        for (const { resolve } of group) resolve([]);
      },
    },
    { groupUnitsMax: 10, writeQueueMax: 100 },
  );
  const say = async (name: string) => {
    words.get(name)?.();
    await settle();
  };
  return { queue, log, say };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

async function submit(queue: WriteQueue, text: string): Promise<void> {
  const step: Step = { text, kind: "run", params: [] };
  void queue.submit([step]);
  await settle();
}

test("a group runs while the one before it commits, and the third when that is done", async () => {
  const { queue, log, say } = openQueue({ saysSo: true });
  for (const text of ["a", "b", "c"]) await submit(queue, text);
  assert.deepEqual(log, ["a runs"]);
  await say("a ran");
  assert.deepEqual(log, ["a runs", "b+c runs"]);
  await submit(queue, "d");
  await say("b+c ran");
  assert.deepEqual(log, ["a runs", "b+c runs"], "two commits under way are enough");
  const idle = queue.idle();
  await say("a committed");
  assert.deepEqual(log, ["a runs", "b+c runs", "a committed", "d runs"]);
  await say("b+c committed");
  await say("d ran");
  await say("d committed");
  await idle;
  assert.deepEqual(log.slice(-2), ["b+c committed", "d committed"]);
});

test("one that comes while the last group commits is not kept waiting by it", async () => {
  const { queue, log, say } = openQueue({ saysSo: true });
  await submit(queue, "a");
  await say("a ran");
  await submit(queue, "b");
  assert.deepEqual(log, ["a runs", "b runs"]);
  await say("a committed");
  await say("b ran");
  await say("b committed");
  await queue.idle();
});

test("a group that does not say when it has run is waited for", async () => {
  const { queue, log, say } = openQueue({ saysSo: false });
  for (const text of ["a", "b"]) await submit(queue, text);
  await say("a ran");
  assert.deepEqual(log, ["a runs"]);
  await say("a committed");
  assert.deepEqual(log, ["a runs", "a committed", "b runs"]);
  await say("b ran");
  await say("b committed");
  await queue.idle();
});
