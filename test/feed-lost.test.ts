/** A database that is set back to an earlier time: a position of what was lost is refused, whatever has come in its stead; others go on. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createApp } from "holdfast";
import { openDatabase } from "../src/app/wire.ts";
import type { PlacedChange, ReadFeed } from "../src/engine/feed.ts";
import { testSecret } from "./fresh.ts";
import { notesBackend } from "./feed/notes.ts";
import { openPlace, openPlaceAt } from "./feed/places.ts";
import { readOn } from "./feed/tail.ts";
import { needs, needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { serviceUrl } from "./servers/names.ts";
import { hasPostgres, queryOnce, startPostgres } from "./servers/postgres.ts";

const lost = { code: "position_lost" };
const idsOf = (records: readonly PlacedChange[]) => records.map(({ id }) => id);
const rest = async (read: ReadFeed, position: string | null) => idsOf((await readOn(read, position)).found);
/** As it was before it said when: the number alone. */
const numberOf = (position: string) => position.split(".").slice(0, 2).join(".");

/** Writes notes of these names, by the clock of the machine; answers the records that are then new. */
async function write(url: string, ids: readonly string[]): Promise<readonly PlacedChange[]> {
  const app = await createApp(notesBackend, { database: url, secret: testSecret, log: false });
  try {
    const before = (await readOn(app.engine.readChanges, null)).position;
    for (const id of ids) await app.system.notes.create({ id, body: "noted", count: 0 });
    return (await readOn(app.engine.readChanges, before)).found;
  } finally {
    await app.stop();
  }
}

describe("SQLite", () => lossTests(() => null));
describe("PostgreSQL", needsService("postgres"), () => lossTests(() => serviceUrl("postgres")));
describe("MariaDB", needsService("mariadb"), () => lossTests(() => serviceUrl("mariadb")));

function lossTests(server: () => string | null): void {
  test("a position behind what is gone is refused, at once and when more has come; one that was kept before goes on", async () => {
    await using place = await openPlace(server());
    const [first, second, third] = await write(place.url, ["first", "second", "third"]);
    const read = await place.openFeed();
    assert.deepEqual(await rest(read, third?.position ?? null), []);
    const { database } = await openDatabase(place.url, () => {});
    const run = async (text: string, params: readonly string[] = []) => database.write([{ kind: "run", text, params }]);
    await run("delete from _changes where row_id = ?", ["third"]);
    await assert.rejects(rest(read, third?.position ?? null), lost);
    await write(place.url, ["fourth"]);
    await assert.rejects(rest(read, third?.position ?? null), lost);
    assert.deepEqual(await rest(read, second?.position ?? null), ["fourth"]);
    assert.deepEqual(await rest(read, numberOf(second?.position ?? "")), ["fourth"], "of before positions said when");
    await assert.rejects(rest(read, numberOf(third?.position ?? "")), lost);
    await run("delete from _changes where row_id in (?, ?)", ["first", "second"]);
    assert.deepEqual(await rest(read, first?.position ?? null), ["fourth"], "what everybody is done with may be removed");
    assert.deepEqual(await rest(read, second?.position ?? null), ["fourth"]);
    for (const position of ["1", "1.x", "1.1.", "1.1.A", "1.1.zzzzzzzzzzz"])
      await assert.rejects(read({ after: position }), { code: "invalid_cursor" }, position);
    await database.close();
  });

  test("who watches is told, and not left waiting", async () => {
    await using place = await openPlace(server());
    const [first] = await write(place.url, ["first", "second"]);
    const { watch } = await place.openWatch();
    const position = first?.position.replace(/\.[^.]*$/, ".1") ?? null;
    await assert.rejects(watch({ after: position }).next(), lost);
  });
}

test("a file of SQLite that is restored: the numbers are given again, and not taken for those that were lost", async () => {
  await using place = await openPlace(null);
  const file = place.url.slice("sqlite:".length);
  await write(place.url, ["first"]);
  const { database } = await openDatabase(place.url, () => {});
  await database.backup(join(file, "../kept.db"));
  await database.close();
  const [gone] = await write(place.url, ["lost"]);
  await using other = await openPlaceAt({ url: `sqlite:${join(file, "../again.db")}`, drop: async () => {} }, () =>
    cpSync(join(file, "../kept.db"), join(file, "../again.db")),
  );
  const [fresh] = await write(other.url, ["new"]);
  const read = await other.openFeed();
  assert.equal(numberOf(fresh?.position ?? ""), numberOf(gone?.position ?? ""), "the same number");
  await write(other.url, ["newer"]);
  await assert.rejects(rest(read, gone?.position ?? null), lost);
  assert.deepEqual(await rest(read, fresh?.position ?? null), ["newer"]);
  assert.deepEqual(await rest(read, numberOf(gone?.position ?? "")), ["newer"], "without the instant, one is skipped");
});

const need = needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18"));

void describe("a cluster of PostgreSQL that is set back", need, async () => {
  if (need.skip !== false) return;
  const server = await startPostgres();
  after(() => server.stop());
  const kept = join(server.dataFolder, "../kept");

  test("to a copy of its data folder: what was lost is noticed early and late, and the feed goes on from before", async () => {
    const { url } = await freshDatabase(server.url);
    const [first] = await write(url, ["first"]);
    await server.kill();
    execFileSync("cp", ["-a", server.dataFolder, kept]);
    await server.restart();
    const gone = await write(url, ["lost 1", "lost 2", "lost 3"]);
    await server.kill();
    rmSync(server.dataFolder, { recursive: true });
    execFileSync("cp", ["-a", kept, server.dataFolder]);
    await server.restart();
    await using place = await openPlaceAt({ url, drop: async () => {} });
    const read = await place.openFeed();
    for (const { position } of gone) await assert.rejects(rest(read, position), lost, "before anything is new");
    assert.deepEqual(await rest(read, first?.position ?? null), []);
    const names = ["new 1", "new 2", "new 3", "new 4", "new 5"];
    await write(url, names);
    const [row] = await queryOnce(url, `select max(tx) > '${gone.at(-1)?.position.split(".")[0]}'::xid8 as passed from _changes`);
    assert.equal(row?.["passed"], true, "the numbers have passed those that were lost");
    for (const { position } of gone) await assert.rejects(rest(read, position), lost, "when they are given anew");
    assert.deepEqual(await rest(read, first?.position ?? null), names);
    assert.deepEqual(await rest(read, null), ["first", ...names]);
  });
});
