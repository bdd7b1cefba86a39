/** A dump restored into another database and another server: noticed at the start, set right once, and the feed goes on from positions kept before. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { backend, createApp, everyone, model, text } from "holdfast";
import { openDatabase } from "../src/app/wire.ts";
import { postgresCommits } from "../src/drivers/database/postgres/ddl/commits.ts";
import type { PlacedChange } from "../src/engine/feed.ts";
import { testSecret } from "./fresh.ts";
import { notesBackend, perform } from "./feed/notes.ts";
import { openPlaceAt, type Place } from "./feed/places.ts";
import { assertWhole, tail } from "./feed/tail.ts";
import { dumpInto, hasDump } from "./feed/dump.ts";
import { needs } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { hasPostgres, queryOnce, startPostgres } from "./servers/postgres.ts";

const need = needs(
  "PostgreSQL 15 with pg_dump (Debian's postgresql-15) and 18 (npm ci brings it)",
  hasDump() && hasPostgres("18"),
);

const note = (id: string) => ({ id, body: "noted", count: 0 });

const besideBackend = backend({
  notes: model("notes", { id: text().column("id", "text"), body: text().column("body", "text") })
    .table("note")
    .adopted()
    .key("id")
    .access(() => ({ read: everyone, write: everyone })),
});

/** Uses up numbers of transactions: as many as a server has that was at work for longer. */
async function age(url: string, transactions: number): Promise<void> {
  await queryOnce(url, `do $$ begin for i in 1..${transactions} loop perform pg_current_xact_id(); commit; end loop; end $$`);
}

/** Records of two transactions whose order is not that of their numbers in the table. */
async function writeCrossed(place: Place, name: string): Promise<void> {
  const [slow, quick] = [await place.openNode(), await place.openNode()];
  const written = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const late = perform(slow, async (tx) => {
    await tx.notes.create(note(`${name} late`));
    written.resolve();
    await release.promise;
    await tx.notes.update(`${name} late`, { count: 1 });
  });
  await written.promise;
  await quick.system.notes.create(note(`${name} early`));
  release.resolve();
  await late;
}

const idsOf = (records: readonly PlacedChange[]) => records.map(({ id }) => id);

void describe("a dump that is restored", need, async () => {
  if (need.skip !== false) return;
  const old = await startPostgres({ version: "15" });
  const between = await startPostgres({ version: "15" });
  const young = await startPostgres();
  after(async () => {
    for (const server of [old, between, young]) await server.stop();
  });
  await age(old.url, 20_000);

  test("into another server: every position goes on, whatever it was, and the start tells of it once", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    const before = await tail(await source.openFeed());
    assert.deepEqual(idsOf(before), ["first late", "first late", "first early"]);
    const target = await freshDatabase(young.url);
    dumpInto(source.url, target.url);
    const logged: string[] = [];
    const app = await createApp(notesBackend, {
      database: target.url,
      secret: testSecret,
      log: (text) => void logged.push(text),
    });
    await app.system.notes.create(note("second"));
    await app.system.notes.update("first early", { count: 1 });
    await using place = await openPlaceAt(target);
    const read = await place.openFeed();
    const all = await tail(read);
    await assertWhole(all, place);
    assert.deepEqual(idsOf(all), [...idsOf(before), "second", "first early"]);
    for (const [index, { position }] of before.entries())
      assert.deepEqual(idsOf(await tail(read, position)), idsOf(all.slice(index + 1)), `from ${position} on`);
    await app.stop();
    // Lines are held back for a moment; the stop writes them out.
    assert.equal(logged.join("").match(/database_restored/g)?.length, 1);
    const again: string[] = [];
    await openDatabase(target.url, (kind) => void again.push(kind)).then(({ database }) => database.close());
    assert.deepEqual(again, []);
  });

  test("into another database of its server: nothing is to be set right", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    const before = await tail(await source.openFeed());
    const target = await freshDatabase(old.url);
    dumpInto(source.url, target.url);
    const told: string[] = [];
    await openDatabase(target.url, (kind) => void told.push(kind)).then(({ database }) => database.close());
    await using place = await openPlaceAt(target);
    await writeCrossed(place, "second");
    const later = await tail(await place.openFeed(), before.at(-1)?.position ?? null);
    assert.deepEqual([told, idsOf(later)], [[], ["second late", "second late", "second early"]]);
  });

  test("into a third server from the second: what was set right there goes along", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    await using second = await openPlaceAt(await freshDatabase(between.url), (url) => dumpInto(source.url, url));
    await writeCrossed(second, "second");
    const before = await tail(await second.openFeed());
    await using third = await openPlaceAt(await freshDatabase(young.url), (url) => dumpInto(second.url, url));
    await writeCrossed(third, "third");
    const read = await third.openFeed();
    const all = await tail(read);
    await assertWhole(all, third);
    assert.deepEqual(
      idsOf(all),
      ["first", "second", "third"].flatMap((name) => [`${name} late`, `${name} late`, `${name} early`]),
    );
    for (const [index, { position }] of before.entries())
      assert.deepEqual(idsOf(await tail(read, position)), idsOf(all.slice(index + 1)), `from ${position} on`);
  });

  test("two nodes that start at once set it right once", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    const target = await freshDatabase(young.url);
    dumpInto(source.url, target.url);
    const told: string[] = [];
    const opened = await Promise.all([1, 2, 3].map(() => openDatabase(target.url, (kind) => void told.push(kind))));
    const settled = opened.map(({ ddl }) => ddl.catalogue.commits?.settled("tx"));
    assert.equal(new Set(settled).size, 1);
    assert.match(settled[0] ?? "", /\+ \d+/);
    assert.deepEqual(told, ["database_restored"]);
    await Promise.all(opened.map(({ database }) => database.close()));
    await target.drop();
  });

  test("who may not set it right is refused, and told who may", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    const target = await freshDatabase(young.url);
    dumpInto(source.url, target.url);
    await queryOnce(young.url, "create role tenant login password 'tenant' in role pg_read_all_data, pg_write_all_data");
    const url = new URL(target.url);
    url.username = "tenant";
    url.password = "tenant";
    await assert.rejects(
      openDatabase(url.href, () => {}),
      { code: "database_restored" },
    );
    await target.drop();
  });

  test("with the records apart, beside tables of somebody else's: the same, and told of once", async () => {
    const source = await freshDatabase(old.url);
    await queryOnce(source.url, "create table note (id text primary key, body text not null)");
    const serve = async (url: string, told: string[]) =>
      createApp(besideBackend, { database: url, secret: testSecret, log: (text) => void told.push(text) });
    const app = await serve(source.url, []);
    await app.system.notes.create({ id: "first", body: "noted" });
    await app.system.notes.create({ id: "second", body: "noted" });
    const { records: before } = await app.engine.readChanges();
    await app.stop();
    const target = await freshDatabase(young.url);
    dumpInto(source.url, target.url);
    const told: string[] = [];
    const again = await serve(target.url, told);
    await again.system.notes.create({ id: "third", body: "noted" });
    for (const [index, { position }] of before.entries()) {
      const found = await tail(again.engine.readChanges, position);
      assert.deepEqual(idsOf(found), ["first", "second", "third"].slice(index + 1), `from ${position} on`);
    }
    await again.stop();
    assert.equal(told.join("").match(/database_restored/g)?.length, 1);
    const later: string[] = [];
    await (await serve(target.url, later)).stop();
    assert.doesNotMatch(later.join(""), /database_restored/);
    const homes = await queryOnce(target.url, "select schemaname from pg_tables where tablename = '_changes'");
    assert.deepEqual(homes, [{ schemaname: "holdfast" }]);
    for (const { drop } of [source, target]) await drop();
  });

  test("without it, new records come before the restored ones, which are not read: the tests above can fail", async () => {
    await using source = await openPlaceAt(await freshDatabase(old.url));
    await writeCrossed(source, "first");
    await using place = await openPlaceAt(await freshDatabase(young.url), (url) => dumpInto(source.url, url));
    const node = await place.openNode();
    await queryOnce(place.url, "alter table _changes alter tx set default pg_current_xact_id()");
    await node.system.notes.create(note("second"));
    const { records, state } = await (await place.openFeed({ commits: postgresCommits }))();
    assert.deepEqual([idsOf(records), state], [["second"], "waiting"]);
  });
});
