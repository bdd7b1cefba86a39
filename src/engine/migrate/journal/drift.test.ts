/** Each way in which a database can differ from its journal is planted, found and named. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import type { Product } from "../../../drivers/database.ts";
import { boolean, integer, serial, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { findDrift } from "./drift.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead, readSnapshot } from "./journal.ts";
import { onEach, type Open, schemaOf } from "../scratch.test.ts";

const servers = { postgres: needsService("postgres"), mariadb: needsService("mariadb") };
const people = model("people", { name: text() });
const films = model("films", { title: text(), sold: boolean(), director: belongsTo(() => people), slug: text().unique() })
  .index("title")
  .softDelete();
const seats = model("seats", { row: text(), number: integer() }).key("row", "number");
const visits = model("visits", { row: text().max(100).immutable(), seat: belongsTo(() => seats).column("row", "seat_number") });
const schema = schemaOf(people, films, model("tickets", { id: serial() }), seats, visits);

type Faults = readonly (readonly [by: readonly string[], says: string])[];

/** What every product says alike. */
const faults: Faults = [
  [["CREATE TABLE extra (a TEXT)"], "table extra is in the database and not in the journal"],
  [["DROP TABLE tickets"], "table tickets is in the journal and not in the database"],
  [["DROP TABLE _changes"], "table _changes is in the journal and not in the database"],
  [["ALTER TABLE films ADD COLUMN extra TEXT"], "table films: column extra is in the database and not in the journal"],
  [["ALTER TABLE people DROP COLUMN name"], "table people: column name is in the journal and not in the database"],
  [["CREATE INDEX mine ON films (sold)"], "table films: index mine is in the database and not in the journal"],
  [["ALTER TABLE people RENAME TO persons"], "table persons is in the database and not in the journal"],
  [["CREATE VIEW seen AS SELECT 1"], "view seen is in the database and not in the journal"],
];

const sqliteFaults: Faults = [
  [["DROP INDEX films_title_idx"], "table films: index films_title_idx is in the journal and not in the database"],
  [
    ["DROP INDEX films_title_idx", "CREATE INDEX films_title_idx ON films (title DESC)"],
    "table films: index films_title_idx is (title DESC) in the database and (title) in the journal",
  ],
  [
    ["DROP INDEX films_slug_key", "CREATE UNIQUE INDEX films_slug_key ON films (slug)"],
    'table films: index films_slug_key is UNIQUE (slug) in the database and UNIQUE (slug) WHERE "deleted_at" IS NULL in the journal',
  ],
  [["CREATE TRIGGER watch AFTER INSERT ON films BEGIN SELECT 1; END"], "trigger watch is in the database and not in the journal"],
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

const postgresFaults: Faults = [
  [["DROP INDEX films_title_idx"], "table films: index films_title_idx is in the journal and not in the database"],
  [
    ["DROP INDEX films_title_idx", "CREATE INDEX films_title_idx ON films (title DESC)"],
    "table films: index films_title_idx is (title DESC) in the database and (title, id) in the journal",
  ],
  [
    ["DROP INDEX films_slug_key", "CREATE UNIQUE INDEX films_slug_key ON films (slug)"],
    "table films: index films_slug_key is UNIQUE (slug) in the database and UNIQUE (slug) WHERE (deleted_at IS NULL) in the journal",
  ],
  [
    ["DROP INDEX films_slug_key", "CREATE UNIQUE INDEX films_slug_key ON films (slug) WHERE deleted_at IS NOT NULL"],
    "table films: index films_slug_key is UNIQUE (slug) WHERE (deleted_at IS NOT NULL) in the database and UNIQUE (slug) WHERE (deleted_at IS NULL) in the journal",
  ],
  [
    [
      "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
      "CREATE TRIGGER watch AFTER INSERT ON films FOR EACH ROW EXECUTE FUNCTION idle()",
    ],
    "trigger watch is in the database and not in the journal",
  ],
  [["CREATE MATERIALIZED VIEW kept AS SELECT 1"], "materialized view kept is in the database and not in the journal"],
  [
    ["ALTER TABLE tickets ALTER COLUMN id DROP IDENTITY"],
    "table tickets: column id is bigint NOT NULL in the database and bigint IDENTITY NOT NULL in the journal",
  ],
  [
    ["ALTER TABLE tickets ALTER COLUMN version TYPE integer", "ALTER TABLE tickets ALTER COLUMN version DROP NOT NULL"],
    "table tickets: column version is integer in the database and bigint NOT NULL in the journal",
  ],
  [
    [
      "ALTER TABLE films DROP CONSTRAINT films_director_id_fkey",
      "ALTER TABLE films ADD FOREIGN KEY (director_id) REFERENCES people (id) ON DELETE CASCADE",
    ],
    "table films: column director_id is uuid NOT NULL → people(id) ON DELETE CASCADE in the database and uuid NOT NULL → people(id) in the journal",
  ],
  [
    ["ALTER TABLE visits DROP CONSTRAINT visits_row_seat_number_fkey"],
    "table visits: column row is text NOT NULL in the database and text NOT NULL → seats(row, number) by (row, seat_number) in the journal",
  ],
  [
    ["ALTER TABLE tickets DROP CONSTRAINT tickets_pkey", "ALTER TABLE tickets ADD PRIMARY KEY (version, id)"],
    "table tickets: its key is version, id in the database and id in the journal",
  ],
];

// The condition of a unique index stands in a column of its own, whose expression the fingerprint has: only its presence is told.
const mysqlFaults: Faults = [
  [["DROP INDEX films_title_idx ON films"], "table films: index films_title_idx is in the journal and not in the database"],
  [
    ["DROP INDEX films_title_idx ON films", "CREATE INDEX films_title_idx ON films (title(191) DESC)"],
    "table films: index films_title_idx is (title(191) DESC) in the database and (title(191)) in the journal",
  ],
  [
    ["DROP INDEX films_title_idx ON films", "CREATE INDEX films_title_idx ON films (title(20))"],
    "table films: index films_title_idx is (title(20)) in the database and (title(191)) in the journal",
  ],
  [
    ["DROP INDEX films_slug_key ON films", "CREATE UNIQUE INDEX films_slug_key ON films (slug)"],
    "table films: index films_slug_key is UNIQUE (slug) in the database and UNIQUE (slug) WHERE … in the journal",
  ],
  [
    ["CREATE TRIGGER watch AFTER INSERT ON films FOR EACH ROW SET @seen = 1"],
    "trigger watch is in the database and not in the journal",
  ],
  [
    ["ALTER TABLE tickets MODIFY id bigint NOT NULL"],
    "table tickets: column id is bigint(20) NOT NULL in the database and bigint(20) AUTO_INCREMENT NOT NULL in the journal",
  ],
  [
    ["ALTER TABLE tickets MODIFY version int NULL"],
    "table tickets: column version is int(11) in the database and bigint(20) NOT NULL in the journal",
  ],
  [
    ["ALTER TABLE visits DROP FOREIGN KEY visits_row_seat_number_fkey", 'ALTER TABLE visits MODIFY "row" varchar(50) NOT NULL'],
    "table visits: column row is varchar(50) NOT NULL in the database and varchar(100) NOT NULL → seats(row, number) by (row, seat_number) in the journal",
  ],
  [
    [
      "ALTER TABLE films DROP FOREIGN KEY films_director_id_fkey",
      "ALTER TABLE films ADD CONSTRAINT films_director_id_fkey FOREIGN KEY (director_id) REFERENCES people (id) ON DELETE CASCADE",
    ],
    "table films: column director_id is char(36) NOT NULL → people(id) ON DELETE CASCADE in the database and char(36) NOT NULL → people(id) in the journal",
  ],
  [
    ["ALTER TABLE visits DROP FOREIGN KEY visits_row_seat_number_fkey"],
    "table visits: column row is varchar(100) NOT NULL in the database and varchar(100) NOT NULL → seats(row, number) by (row, seat_number) in the journal",
  ],
  [
    ["ALTER TABLE people DROP PRIMARY KEY, ADD PRIMARY KEY (version, id)"],
    "table people: its key is version, id in the database and id in the journal",
  ],
];

const faultsOf: Readonly<Record<Product, Faults>> = { sqlite: sqliteFaults, postgres: postgresFaults, mysql: mysqlFaults };

onEach("drift", servers, (open, { product }) => {
  for (const [by, says] of [...faults, ...faultsOf[product]]) test(by.join("; "), (t) => findFault(open, t, { by, says }));

  test("what the product or the database makes beside the models is none", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema }, { mode: "production" });
    await scratch.byHand("CREATE TABLE _search_films (a TEXT)", product === "mysql" ? "ANALYZE TABLE films" : "ANALYZE");
    assert.deepEqual((await ensureSchema({ ...scratch, schema }, { mode: "production" })).drift, []);
  });
});

interface Fault {
  readonly by: readonly string[];
  readonly says: string;
}

async function findFault(open: Open, t: TestContext, { by, says }: Fault): Promise<void> {
  const scratch = await open(t);
  const { database, ddl } = scratch;
  const context = { ...scratch, schema };
  const drift = async () => findDrift(database, await readSnapshot(database, await readHead(database, ddl)), ddl);
  await ensureSchema(context, { mode: "production" });
  assert.deepEqual(await drift(), []);
  await scratch.byHand(...by);
  const found = await drift();
  assert.ok(found.includes(says), found.join("\n"));
  const ensured = await ensureSchema(context, { mode: "production" });
  assert.deepEqual([ensured.status, ensured.drift], ["unchanged", found]);
}
