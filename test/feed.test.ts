/** The change feed with several writers: nothing skipped, nothing twice, whoever commits late; on every database. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PlacedChange, ReadFeed } from "../src/engine/feed.ts";
import { type NotesApp, perform } from "./feed/notes.ts";
import { openPlace, type Place } from "./feed/places.ts";
import { readAndKill, startWriters } from "./feed/processes.ts";
import { assertWhole, readOn, tail } from "./feed/tail.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";

/** Rounds of each lane of a writing process. */
const rounds = 6;

/** What a reader sees of a transaction that was committed while one that had written before was open. */
interface Lateness {
  readonly says: string;
  /** How many records are read meanwhile, and what the page says then. */
  readonly during: readonly [number, string];
  readonly order: readonly string[];
}

const laterWaits: Lateness = {
  says: "what is committed waits, and the reader is told so",
  during: [0, "waiting"],
  order: ["late 1", "late 2", "early 1", "early 2"],
};
const nothingWaits: Lateness = {
  says: "what is committed is read at once",
  during: [2, "end"],
  order: ["early 1", "early 2", "late 1", "late 2"],
};

describe("SQLite", () => feedTests(() => null));
describe("PostgreSQL 18", needsService("postgres"), () => serverTests(() => serviceUrl("postgres"), laterWaits));
describe("PostgreSQL 15", needsService("postgres-15"), () => serverTests(() => serviceUrl("postgres-15"), laterWaits));
describe("MariaDB", needsService("mariadb"), () => serverTests(() => serviceUrl("mariadb"), nothingWaits));
describe("MySQL", needsService("mysql"), () => serverTests(() => serviceUrl("mysql"), nothingWaits));

function serverTests(server: () => string, lateness: Lateness): void {
  feedTests(server);
  lateTests(server, lateness);
}

/** One transaction writes first and commits last; the feed is read while it is open, and after it. */
async function readAroundLate(place: Place, nodes: readonly [NotesApp, NotesApp], read: ReadFeed) {
  const [slow, quick] = nodes;
  const written = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const late = perform(slow, async (tx) => {
    await tx.notes.create({ id: "late", body: "begun first", count: 0 });
    written.resolve();
    await release.promise;
    await tx.notes.update("late", { count: 1 });
  });
  await written.promise;
  await quick.system.notes.create({ id: "early", body: "committed first", count: 0 });
  await quick.system.notes.update("early", { count: 1 });
  const during = await readOn(read, null);
  const { state } = await read({ after: during.position });
  release.resolve();
  await late;
  return { during: during.found, state, all: [...during.found, ...(await tail(read, during.position))] };
}

function lateTests(server: () => string, lateness: Lateness): void {
  test("a transaction that writes first and commits last is not skipped", async () => {
    await using place = await openPlace(server());
    const nodes = [await place.openNode(), await place.openNode()] as const;
    const { during, state, all } = await readAroundLate(place, nodes, await place.openFeed());
    assert.deepEqual([during.length, state], lateness.during, lateness.says);
    await assertWhole(all, place);
    assert.deepEqual(
      all.map(({ id, version }) => `${id} ${version}`),
      lateness.order,
      "the records of a transaction stand together",
    );
  });

  test("a reader that goes by the numbers alone is caught", async () => {
    await using place = await openPlace(server());
    const nodes = [await place.openNode(), await place.openNode()] as const;
    const { during, all } = await readAroundLate(place, nodes, await place.openFeed({ commits: null }));
    assert.equal(during.length, 2, "it saw what was committed meanwhile");
    await assert.rejects(assertWhole(all, place), /every record, each once/);
  });

  test("a late transaction that is undone leaves nothing, and what waited for it comes", async () => {
    await using place = await openPlace(server());
    const [slow, quick] = [await place.openNode(), await place.openNode()];
    const read = await place.openFeed();
    const written = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const late = perform(slow, async (tx) => {
      await tx.notes.create({ id: "late", body: "undone", count: 0 });
      written.resolve();
      await release.promise;
      throw new Error("undone");
    });
    await written.promise;
    await quick.system.notes.create({ id: "early", body: "stays", count: 0 });
    release.resolve();
    await assert.rejects(late);
    assert.deepEqual(
      (await tail(read)).map(({ id }) => id),
      ["early"],
    );
  });

  test("a key that is deleted and made anew by a transaction that began before is told in that order", async () => {
    await using place = await openPlace(server());
    const [slow, quick] = [await place.openNode(), await place.openNode()];
    await quick.system.notes.create({ id: "again", body: "first", count: 0 });
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const late = perform(slow, async (tx) => {
      await tx.notes.create({ id: "other", body: "begun", count: 0 });
      began.resolve();
      await release.promise;
      await tx.notes.create({ id: "again", body: "second", count: 0 });
    });
    await began.promise;
    await quick.system.notes.delete("again");
    release.resolve();
    await late;
    await assertWhole(await tail(await place.openFeed()), place);
  });
}

function feedTests(server: () => string | null): void {
  test("is read page by page, to its end, from any record on", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    await node.system.notes.createMany(Array.from({ length: 5 }, (_, id) => ({ id: `n${id}`, body: "many", count: id })));
    const read = await place.openFeed({ limits: { changesMax: 2 } });
    await tail(read);
    const pages = [await read()];
    while (pages.at(-1)?.state === "full") pages.push(await read({ after: pages.at(-1)?.position ?? null }));
    assert.deepEqual(
      pages.map(({ records }) => records.map(({ id }) => id)),
      [["n0", "n1"], ["n2", "n3"], ["n4"]],
    );
    const [first] = pages[0]?.records ?? [];
    assert.deepEqual(
      (await read({ after: first?.position ?? null, limit: 1 })).records.map(({ id }) => id),
      ["n1"],
    );
    const last = pages.at(-1)?.position ?? null;
    const { records, position } = await read({ after: last });
    assert.deepEqual([records, position], [[], last], "at the end the reader stays where it was");
    await assert.rejects(read({ limit: 3 }), { code: "limit_exceeded" });
  });

  test("a position that is none is refused", async () => {
    await using place = await openPlace(server());
    await place.openNode();
    const read = await place.openFeed();
    for (const after of ["", "1", "1.", "a.1", "1.1.1.1", "1.1; --", `${"9".repeat(21)}.1`]) {
      await assert.rejects(read({ after }), { code: "invalid_cursor" }, after);
    }
    assert.deepEqual((await read({ after: "0.0" })).records, []);
  });

  test("two processes write at once, and a reader that follows has every record in the end", async () => {
    await using place = await openPlace(server());
    await createShared(await place.openNode());
    const writers = await startWriters(place.url, ["left", "right"], rounds);
    const state = { isDone: false };
    const done = writers.done.finally(() => (state.isDone = true));
    const [found] = await Promise.all([tail(await place.openFeed(), null, () => state.isDone), done]);
    await assertWhole(found, place);
    assert.ok(found.length > rounds * 2 * 4 * 4, `${found.length} records`);
  });

  test("a reader that is killed goes on where it was, while two processes write", async () => {
    await using place = await openPlace(server());
    await createShared(await place.openNode());
    const writers = await startWriters(place.url, ["left", "right"], rounds);
    const found: PlacedChange[] = [];
    for (let kill = 0; kill < 3; kill++) {
      found.push(...(await readAndKill(place.url, found.at(-1)?.position ?? null, 20)));
    }
    await writers.done;
    found.push(...(await tail(await place.openFeed(), found.at(-1)?.position ?? null)));
    assert.ok(found.length > 60, "it was killed in the middle");
    await assertWhole(found, place);
  });
}

async function createShared(node: NotesApp): Promise<void> {
  for (const number of [0, 1, 2]) await node.system.notes.create({ id: `shared-${number}`, body: "all", count: 0 });
}
