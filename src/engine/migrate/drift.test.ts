/** Each way in which a database can differ from its journal is planted, found and named. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { boolean, integer, serial, text } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo } from "../../schema/relation.ts";
import { findDrift } from "./drift.ts";
import { ensureSchema } from "./ensure.ts";
import { readHead, readSnapshot } from "./journal.ts";
import { openScratch, schemaOf } from "./scratch.test.ts";

const people = model("people", { name: text() });
const films = model("films", { title: text(), sold: boolean(), director: belongsTo(() => people), slug: text().unique() })
  .index("title")
  .softDelete();
const seats = model("seats", { row: text(), number: integer() }).key("row", "number");
const visits = model("visits", { row: text().immutable(), seat: belongsTo(() => seats).column("row", "seat_number") });
const schema = schemaOf(people, films, model("tickets", { id: serial() }), seats, visits);

const faults: readonly (readonly [by: readonly string[], says: string])[] = [
  [["CREATE TABLE extra (a TEXT)"], "table extra is in the database and not in the journal"],
  [["DROP TABLE tickets"], "table tickets is in the journal and not in the database"],
  [["DROP TABLE _changes"], "table _changes is in the journal and not in the database"],
  [["ALTER TABLE films ADD COLUMN extra TEXT"], "table films: column extra is in the database and not in the journal"],
  [["ALTER TABLE people DROP COLUMN name"], "table people: column name is in the journal and not in the database"],
  [["CREATE INDEX mine ON films (sold)"], "table films: index mine is in the database and not in the journal"],
  [["DROP INDEX films_title_idx"], "table films: index films_title_idx is in the journal and not in the database"],
  [
    ["DROP INDEX films_title_idx", "CREATE INDEX films_title_idx ON films (title DESC)"],
    "table films: index films_title_idx is (title DESC) in the database and (title) in the journal",
  ],
  [
    ["DROP INDEX films_slug_key", "CREATE UNIQUE INDEX films_slug_key ON films (slug)"],
    'table films: index films_slug_key is UNIQUE (slug) in the database and UNIQUE (slug) WHERE "deleted_at" IS NULL in the journal',
  ],
  [["ALTER TABLE people RENAME TO persons"], "table persons is in the database and not in the journal"],
  [["CREATE TRIGGER watch AFTER INSERT ON films BEGIN SELECT 1; END"], "trigger watch is in the database and not in the journal"],
  [["CREATE VIEW seen AS SELECT 1"], "view seen is in the database and not in the journal"],
  [
    ["DROP TABLE tickets", "CREATE TABLE tickets (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)"],
    "table tickets: its form is nothing in the database and AUTOINCREMENT, STRICT in the journal",
  ],
  [
    ["DROP TABLE tickets", "CREATE TABLE tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT) STRICT"],
    "table tickets: column version is TEXT in the database and INTEGER NOT NULL in the journal",
  ],
  [
    [
      "DROP TABLE films",
      "CREATE TABLE films (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, sold INTEGER NOT NULL, director_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE, slug TEXT NOT NULL, deleted_at TEXT, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ],
    "table films: column director_id is TEXT NOT NULL → people(id) ON DELETE CASCADE in the database and TEXT NOT NULL → people(id) in the journal",
  ],
  [
    [
      "DROP TABLE visits",
      "CREATE TABLE visits (id TEXT PRIMARY KEY, row TEXT NOT NULL REFERENCES people (id), seat_number INTEGER NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ],
    "table visits: column row is TEXT NOT NULL → people(id) in the database and TEXT NOT NULL → seats(row, number) by (row, seat_number) in the journal",
  ],
  [
    [
      "DROP TABLE tickets",
      "CREATE TABLE tickets (id INTEGER, version INTEGER NOT NULL, PRIMARY KEY (version, id)) STRICT, WITHOUT ROWID",
    ],
    "table tickets: its key is version, id in the database and id in the journal",
  ],
];

describe("drift", () => {
  for (const [by, says] of faults) {
    test(by.join("; "), async (t) => {
      const scratch = openScratch(t);
      const context = { ...scratch, schema };
      const drift = async () =>
        findDrift(scratch.database, await readSnapshot(scratch, await readHead(scratch.database, scratch.ddl)), scratch.ddl);
      await ensureSchema(context, { mode: "production" });
      assert.deepEqual(await drift(), []);
      await scratch.byHand(...by);
      const found = await drift();
      assert.ok(found.includes(says), found.join("\n"));
      const ensured = await ensureSchema(context, { mode: "production" });
      assert.deepEqual([ensured.status, ensured.drift], ["unchanged", found]);
    });
  }

  test("what the product or SQLite makes beside the models is none", async (t) => {
    const scratch = openScratch(t);
    await ensureSchema({ ...scratch, schema }, { mode: "production" });
    await scratch.byHand("CREATE TABLE _search_films (a TEXT)", "ANALYZE");
    assert.deepEqual((await ensureSchema({ ...scratch, schema }, { mode: "production" })).drift, []);
  });
});
