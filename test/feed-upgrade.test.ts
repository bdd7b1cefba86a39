/** A database that version 1 of the engine's tables made, statement for statement, comes up to date with its records in order. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createApp } from "holdfast";
import { openDatabase } from "../src/app/wire.ts";
import type { Product, Statement } from "../src/drivers/database.ts";
import { findDrift } from "../src/engine/migrate/journal/drift.ts";
import { readHead, readSnapshot } from "../src/engine/migrate/journal/journal.ts";
import { systemVersion } from "../src/engine/migrate/journal/system-tables.ts";
import { notesBackend } from "./feed/notes.ts";
import { openPlace, type Place } from "./feed/places.ts";
import { assertWhole, tail } from "./feed/tail.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";

describe("SQLite", () => upgradeTests("sqlite", () => null));
describe("PostgreSQL 18", needsService("postgres"), () => upgradeTests("postgres", () => serviceUrl("postgres")));
describe("PostgreSQL 15", needsService("postgres-15"), () => upgradeTests("postgres", () => serviceUrl("postgres-15")));
describe("MariaDB", needsService("mariadb"), () => upgradeTests("mysql", () => serviceUrl("mariadb")));

/** Runs what was recorded when version 1 made a database of the notes and wrote two of them. */
async function makeOld(product: Product, place: Place): Promise<void> {
  const text = readFileSync(new URL(`./feed/fixtures/system-1.${product}.json`, import.meta.url), "utf8");
  const { database } = await openDatabase(place.url, () => {});
  await database.migrate(JSON.parse(text) as Statement[]);
  await database.close();
}

function upgradeTests(product: Product, server: () => string | null): void {
  test("what was recorded before comes first, then what is written after", async () => {
    await using place = await openPlace(server());
    await makeOld(product, place);
    const node = await place.openNode();
    await node.system.notes.update("a", { count: 2 });
    const found = await tail(await place.openFeed());
    assert.deepEqual(
      found.map(({ id, version }) => `${id} ${version}`),
      ["a 1", "a 2", "b 1", "b 2", "a 3"],
    );
    await assertWhole(found, place);
  });

  test("nothing differs afterwards, and the journal says so", async () => {
    await using place = await openPlace(server());
    await makeOld(product, place);
    await place.openNode();
    const { database, ddl } = await openDatabase(place.url, () => {});
    const head = await readHead(database, ddl);
    const snapshot = await readSnapshot(database, head);
    assert.deepEqual([head?.number, head?.untouched, snapshot.system], [2, true, systemVersion]);
    assert.deepEqual(await findDrift(database, snapshot, ddl), []);
    await database.close();
  });

  test("a start in production asks for the migration first", async () => {
    await using place = await openPlace(server());
    await makeOld(product, place);
    const start = (migrate: boolean) =>
      createApp(notesBackend, { database: place.url, mode: "production", secret: "x".repeat(40), log: false, migrate });
    await assert.rejects(start(false), { code: "migration_pending" });
    const app = await start(true);
    assert.equal(app.schema.status, "migrated");
    await app.stop();
  });
}
