/** The order of commits on MariaDB, shown in plain SQL: numbers become visible in their order, whoever commits late. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ledger, openLedger, type Writer } from "./feed/mariadb.ts";
import { readOn, tail } from "./feed/tail.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";

describe("commits on MariaDB", needsService("mariadb"), () => {
  orderTests();
  crowdTests();
});

async function assertComplete(found: readonly { readonly id: string }[], ledger: Ledger): Promise<void> {
  const rows = await ledger.query(`select "row_id" from "_changes" order by "row_id"`);
  assert.deepEqual(
    found.map(({ id }) => id).toSorted(),
    rows.map(([id]) => id),
    "every record, each once",
  );
}

async function commitOne(writer: Writer, id: string): Promise<void> {
  await writer.begin();
  await writer.append(id);
  await writer.seal();
  await writer.commit();
}

/** One transaction writes first and commits last; the feed is read in between. */
async function readAroundLate(ledger: Ledger, options?: { readonly commits: null }) {
  const [slow, quick] = [await ledger.openWriter(), await ledger.openWriter()];
  const read = await ledger.openFeed(options);
  await slow.begin();
  await slow.append("late");
  await commitOne(quick, "early");
  const during = await readOn(read, null);
  await slow.seal();
  await slow.commit();
  const after = await readOn(read, during.position);
  return [...during.found, ...after.found];
}

function orderTests(): void {
  test("a transaction that writes first and commits last is not skipped, and holds nobody up", async () => {
    await using ledger = await openLedger(serviceUrl("mariadb"));
    const found = await readAroundLate(ledger);
    assert.deepEqual(
      found.map(({ id }) => id),
      ["early", "late"],
    );
    await assertComplete(found, ledger);
  });

  test("a reader that goes by the numbers of the rows is caught", async () => {
    await using ledger = await openLedger(serviceUrl("mariadb"));
    await assert.rejects(assertComplete(await readAroundLate(ledger, { commits: null }), ledger), /every record, each once/);
  });

  test("who has taken a number lets nobody take the next before it has ended", async () => {
    await using ledger = await openLedger(serviceUrl("mariadb"));
    const [first, second] = [await ledger.openWriter(), await ledger.openWriter()];
    const read = await ledger.openFeed();
    for (const [writer, id] of [
      [first, "first"],
      [second, "second"],
    ] as const) {
      await writer.begin();
      await writer.append(id);
    }
    await first.seal();
    const sealed = second.seal().then(() => second.commit());
    const seen = await readOn(read, null);
    assert.deepEqual(seen.found, [], "the second is not to be seen before the first");
    await first.commit();
    await sealed;
    assert.deepEqual(
      (await tail(read)).map(({ id }) => id),
      ["first", "second"],
    );
  });

  test("what is undone leaves no number behind and nothing to be read", async () => {
    await using ledger = await openLedger(serviceUrl("mariadb"));
    const writer = await ledger.openWriter();
    await writer.begin();
    await writer.append("undone");
    await writer.seal();
    await writer.rollback();
    await commitOne(writer, "kept");
    assert.deepEqual(
      (await tail(await ledger.openFeed())).map(({ id, position }) => `${id} ${position}`),
      ["kept 1.2"],
    );
  });
}

const writers = 8;
const commits = 40;

function crowdTests(): void {
  test("many commit at once, and a reader that follows has every record in the end", async () => {
    await using ledger = await openLedger(serviceUrl("mariadb"));
    const state = { left: writers };
    const writing = Array.from({ length: writers }, async (_, number) => {
      const writer = await ledger.openWriter();
      for (let commit = 0; commit < commits; commit++) {
        await writer.begin();
        for (let row = 0; row <= commit % 3; row++) await writer.append(`${number}-${commit}-${row}`);
        await writer.seal();
        await (commit % 5 === 4 ? writer.rollback() : writer.commit());
      }
      state.left--;
    });
    const [found] = await Promise.all([tail(await ledger.openFeed(), null, () => state.left === 0), ...writing]);
    await assertComplete(found, ledger);
    const numbers = found.map(({ position }) => Number(position.split(".")[0]));
    assert.deepEqual(
      [...new Set(numbers)],
      Array.from({ length: (writers * commits * 4) / 5 }, (_, index) => index + 1),
    );
  });
}
