/** Applying, refusing and undoing on real files with rows in them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import type { Database, Migrator } from "../../../drivers/database.ts";
import { AppError } from "../../../base/errors.ts";
import type { DeclaredModel } from "../../../schema/compile.ts";
import { date, datetime, decimal, integer, now, serial, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { applyMigration } from "./apply.ts";
import { migrateDown, planDown } from "./down.ts";
import { findDrift } from "../journal/drift.ts";
import { readEntries, readHead, readSnapshot } from "../journal/journal.ts";
import { planMigration } from "../plan/plan.ts";
import { eachProduct, idOf, type Scratch, schemaOf } from "../scratch.test.ts";

const servers = { postgres: needsService("postgres"), mariadb: needsService("mariadb") };
const people = model("people", { name: text() });
const money = { storage: "decimal", scale: 2 } as const;

/** A database in which somebody writes just before a migration runs. */
function afterWrite(database: Database, write: () => Promise<void>): Database {
  const read = database.read.bind(database);
  const isPhased = database.migrator !== undefined;
  if (!isPhased) return { ...database, read, migrate: async (statements) => write().then(() => database.migrate(statements)) };
  const late = (given: Migrator): Migrator => ({
    ...given,
    together: async (statements) => write().then(() => given.together(statements)),
  });
  return { ...database, read, migrator: async (work) => (database as Required<Database>).migrator((given) => work(late(given))) };
}

async function migrate(scratch: Scratch, models: readonly DeclaredModel[], confirmations: readonly string[] = []) {
  const { applied, drift } = await apply(scratch, models, confirmations);
  assert.deepEqual(drift, []);
  return applied;
}

async function apply(scratch: Scratch, models: readonly DeclaredModel[], confirmations: readonly string[]) {
  const head = await readHead(scratch.database, scratch.ddl);
  const snapshot = await readSnapshot(scratch.database, head);
  const plan = planMigration(snapshot, { schema: schemaOf(...models), ddl: scratch.ddl, nowMs: scratch.clock() });
  const applied = await applyMigration(scratch, plan, { head, confirmations });
  return { applied, drift: await findDrift(scratch.database, plan.to, scratch.ddl) };
}

async function undo(scratch: Scratch, confirmations: readonly string[] = []) {
  return migrateDown(scratch, await planDown(scratch), confirmations);
}

/** That it fails with this code and says so, and that the schema and the journal stay as they were. */
async function assertRefused(
  scratch: Scratch,
  run: () => Promise<unknown>,
  expected: { code: string; says: RegExp },
): Promise<void> {
  const definitions = scratch.ddl.fingerprint(["_journal", "_changes"]);
  const everything = () => scratch.rows(`SELECT ${definitions}, (SELECT max("number") FROM "_journal")`);
  const before = await everything();
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, expected.code);
    assert.match(error.message, expected.says);
    return true;
  });
  assert.deepEqual(await everything(), before);
}

for (const { title, need, open } of eachProduct(servers))
  describe(`applying, ${title}`, need, () => {
    test("a reference of several columns is held to, and stays through a rename of what it leads to", async (t) => {
      const scratch = await open(t);
      const seats = model("seats", { row: text(), number: integer() }).key("row", "number");
      await migrate(scratch, [seats, model("tickets", { seat: belongsTo(() => seats), label: text() })]);
      await scratch.run(`INSERT INTO seats (row, number, version) VALUES ('A', 1, 1)`);
      const add = (id: string, number: number) =>
        scratch.run(`INSERT INTO tickets (id, seat_row, seat_number, label, version) VALUES ('${id}', 'A', ${number}, '-', 1)`);
      await add(idOf("t"), 1);
      await assert.rejects(() => add(idOf("u"), 2));
      const chairs = model("chairs", { rank: text().was("row"), number: integer() })
        .key("rank", "number")
        .was("seats");
      const place = belongsTo(() => chairs).was("seat");
      await migrate(scratch, [chairs, model("tickets", { place, label: text() })]);
      assert.deepEqual(await scratch.rows("SELECT place_rank, place_number FROM tickets"), [["A", 1]]);
      await migrate(
        scratch,
        [chairs, model("tickets", { label: text() })],
        ["drop tickets.place.rank", "drop tickets.place.number"],
      );
      assert.deepEqual(await scratch.rows("SELECT label FROM tickets"), [["-"]]);
      await scratch.run("DELETE FROM tickets");
      await undo(scratch);
      await assert.rejects(() =>
        scratch.run(`INSERT INTO tickets (id, place_rank, place_number, label, version) VALUES ('${idOf("u")}', 'A', 2, '-', 1)`),
      );
    });

    test("a rename keeps the values, of a field, of a model and of what refers to it", async (t) => {
      const scratch = await open(t);
      const films = model("films", { title: text().unique(), director: belongsTo(() => people) });
      await migrate(scratch, [people, films]);
      await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'Forman', 1)`);
      await scratch.run(
        `INSERT INTO films (id, title, director_id, version) VALUES ('${idOf("f")}', 'Amadeus', '${idOf("p")}', 3)`,
      );
      const persons = model("persons", { fullName: text().was("name") }).was("people");
      const movies = model("movies", { label: text().was("title").unique(), by: belongsTo(() => persons).was("director") }).was(
        "films",
      );
      await migrate(scratch, [persons, movies]);
      assert.deepEqual(
        await scratch.rows(`SELECT m.id, label, by_id, full_name, m.version FROM movies m JOIN persons p ON p.id = by_id`),
        [[idOf("f"), "Amadeus", idOf("p"), "Forman", 3]],
      );
      await assert.rejects(
        scratch.run(`INSERT INTO movies (id, label, by_id, version) VALUES ('${idOf("g")}', 'x', '${idOf("n")}', 1)`),
        {
          reason: "foreign_key",
        },
      );
      await assert.rejects(
        scratch.run(`INSERT INTO movies (id, label, by_id, version) VALUES ('${idOf("g")}', 'Amadeus', '${idOf("p")}', 1)`),
        {
          reason: "unique",
        },
      );
    });

    test("a rebuild keeps rows, indexes, references from and to the table, and the counter", async (t) => {
      const scratch = await open(t);
      const shows = (note = text()) => model("shows", { id: serial(), note, film: belongsTo(() => people) }).index("note");
      const seats = model("seats", { show: belongsTo(() => model("shows", {})) });
      await migrate(scratch, [people, shows(), seats]);
      await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'x', 1)`);
      const add = (note: string) => scratch.run(`INSERT INTO shows (note, film_id, version) VALUES (?, '${idOf("p")}', 1)`, note);
      for (const note of ["a", "b", "c"]) await add(note);
      await scratch.run(`INSERT INTO seats (id, show_id, version) VALUES ('${idOf("s")}', 1, 1)`);
      await scratch.run(`DELETE FROM shows WHERE id = 3`);
      await migrate(scratch, [people, shows(text().optional() as never), seats]);
      assert.deepEqual(await scratch.rows(`SELECT id, note, film_id FROM shows ORDER BY id`), [
        [1, "a", idOf("p")],
        [2, "b", idOf("p")],
      ]);
      await scratch.run(`INSERT INTO shows (film_id, version) VALUES ('${idOf("p")}', 1)`);
      assert.deepEqual(await scratch.rows(`SELECT max(id) FROM shows`), [[4]], "the number of a deleted row is not given again");
      await assert.rejects(scratch.run(`DELETE FROM shows WHERE id = 1`), { reason: "foreign_key" });
      await assert.rejects(scratch.run(`DELETE FROM people`), { reason: "foreign_key" });
      if (scratch.product !== "sqlite") return;
      assert.match(String((await scratch.rows(`EXPLAIN QUERY PLAN SELECT * FROM shows WHERE note = 'a'`))[0]), /shows_note_idx/);
    });

    test("rows that exist get the default, and now is the time of the migration", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [people]);
      await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'x', 1)`);
      await migrate(scratch, [
        model("people", {
          name: text(),
          paid: decimal(8, 2).default("1.5"),
          seen: datetime().default(now),
          born: date().optional().default("2000-01-01"),
        }),
      ]);
      const seen = scratch.get({ storage: "datetime" }, "seen");
      assert.deepEqual(await scratch.rows(`SELECT ${scratch.get(money, "paid")}, ${seen}, born FROM people`), [
        [150, "2026-01-01T00:00:00.000Z", null],
      ]);
    });

    test("a destructive step runs only with its phrase, and the error has the command", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [people, model("films", { title: text() })]);
      const next = [model("people", { born: date().optional() })];
      const expected = {
        code: "migration_unconfirmed",
        says: /All rows of films\.\n.*All values of people\.name\.\n.*`holdfast migrate apply --confirm "drop films" --confirm "drop people.name"`/,
      };
      await assertRefused(scratch, () => migrate(scratch, next), expected);
      await assertRefused(scratch, () => migrate(scratch, next, ["drop films"]), expected);
      await assertRefused(scratch, () => migrate(scratch, next, ["drop films", "drop people"]), expected);
      await migrate(scratch, next, ["drop films", "drop people.name"]);
    });

    test("data in the way is refused with the reason, the mend and the number of rows", async (t) => {
      const scratch = await open(t);
      const films = (fields: Parameters<typeof model>[1]) => [model("films", fields as never)];
      await migrate(scratch, films({ title: text().optional(), price: decimal(8, 2), code: text() }));
      const price = scratch.ddl.literal(150, money);
      for (const id of ["a", "b"])
        await scratch.run(`INSERT INTO films (id, price, code, version) VALUES (?, ${price}, 'x', 1)`, idOf(id));
      const same = { title: text().optional(), price: decimal(8, 2), code: text() };
      const refused = (fields: Parameters<typeof model>[1], says: RegExp) =>
        assertRefused(scratch, () => migrate(scratch, films(fields)), { code: "migration_refused", says });
      await refused(
        { ...same, title: text() },
        /films\.title becomes required and some rows hold null\. Give title a default\(\), or fill those rows first\. \(2 rows\)/,
      );
      await refused(
        { ...same, born: date() },
        /films\.born is required and has no default .* Make born optional\(\), or give it a default\(\)\./,
      );
      await refused({ ...same, price: integer() }, /films\.price: some values have digits after the point/);
      await refused({ ...same, code: integer() }, /films\.code: some texts are not whole numbers/);
      await refused({ ...same, code: date() }, /films\.code: text values cannot become date by themselves/);
      await refused({ ...same, code: text().unique() }, /unique index films_code_key.* Two rows have the same values/);
      await refused({ ...same, code: text().unique().default("x") }, /Two rows have the same values/);
    });

    test("a row written after the plan was checked, and before it ran, is refused all the same", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [model("films", { code: text(), seen: text().optional() })]);
      const head = await readHead(scratch.database, scratch.ddl);
      const schema = schemaOf(model("films", { code: integer(), seen: text() }));
      const plan = planMigration(await readSnapshot(scratch.database, head), { schema, ddl: scratch.ddl, nowMs: 0 });
      const write = () => scratch.run(`INSERT INTO films (id, code, version) VALUES ('${idOf("f")}', 'twelve', 1)`);
      const faster = afterWrite(scratch.database, write);
      const run = () => applyMigration({ ...scratch, database: faster }, plan, { head });
      await assertRefused(scratch, run, { code: "migration_refused", says: /films\.code: some texts are not whole numbers/ });
      assert.deepEqual(await scratch.rows("SELECT code FROM films"), [["twelve"]]);
    });

    test("a reference to rows that do not exist is refused by the check at the end", async (t) => {
      const scratch = await open(t);
      const firms = model("firms", { name: text() });
      await migrate(scratch, [people, firms, model("films", { owner: belongsTo(() => people) })]);
      await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'x', 1)`);
      await scratch.run(`INSERT INTO films (id, owner_id, version) VALUES ('${idOf("f")}', '${idOf("p")}', 1)`);
      const next = [people, firms, model("films", { owner: belongsTo(() => firms) })];
      await assertRefused(scratch, () => migrate(scratch, next), {
        code: "migration_refused",
        says: /refer to rows that do not exist/,
      });
    });

    test("a key that cannot change is refused on an empty table too", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [people]);
      const next = [model("people", { name: text(), nick: text() }).key("nick")];
      await assertRefused(scratch, () => migrate(scratch, next, ["drop people.id"]), {
        code: "migration_refused",
        says: /The key of people becomes nick/,
      });
    });
  });

for (const { title, need, open } of eachProduct(servers))
  describe(`undoing, ${title}`, need, () => {
    test("goes back one migration at a time, and forward again", async (t) => {
      const scratch = await open(t);
      const second = [model("people", { fullName: text().was("name") })];
      await migrate(scratch, [people]);
      await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'Forman', 1)`);
      await migrate(scratch, second);
      await undo(scratch);
      assert.deepEqual(await scratch.rows(`SELECT name FROM people`), [["Forman"]]);
      await migrate(scratch, second);
      await undo(scratch);
      await assertRefused(scratch, () => undo(scratch), {
        code: "migration_unconfirmed",
        says: /All rows of people\.\n.*holdfast migrate down --confirm "drop people"/,
      });
      await undo(scratch, ["drop people"]);
      await assertRefused(scratch, () => undo(scratch), { code: "migration_nothing_to_undo", says: /no migration to undo/ });
      const entries = await readEntries(scratch.database);
      assert.deepEqual(
        entries.map(({ number, kind, current, previous }) => [number, kind, current, previous]),
        [
          [1, "up", 1, 0],
          [2, "up", 2, 1],
          [3, "down", 1, 0],
          [4, "up", 4, 1],
          [5, "down", 1, 0],
          [6, "down", 0, 0],
        ],
      );
      await migrate(scratch, [people]);
    });

    test("says why there is no way back", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [model("films", { isbn: text() })]);
      await migrate(scratch, [model("films", { isbn: text() }).key("isbn")], ["drop films.id"]);
      await assertRefused(scratch, () => undo(scratch), { code: "migration_irreversible", says: /The key of films becomes id/ });
    });

    test("brings a dropped field back with its default, and without its values", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [model("people", { name: text(), kind: text().default("actor") })]);
      await scratch.run(`INSERT INTO people (id, name, kind, version) VALUES ('${idOf("p")}', 'x', 'director', 1)`);
      await migrate(scratch, [people], ["drop people.kind"]);
      await undo(scratch);
      assert.deepEqual(await scratch.rows(`SELECT name, kind FROM people`), [["x", "actor"]]);
    });

    test("is refused where the data no longer fits", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [model("films", { price: integer() })]);
      await migrate(scratch, [model("films", { price: decimal(8, 2) })]);
      await scratch.run(`INSERT INTO films (id, price, version) VALUES ('${idOf("f")}', ${scratch.ddl.literal(1250, money)}, 1)`);
      await assertRefused(scratch, () => undo(scratch), { code: "migration_refused", says: /digits after the point.*\(1 row\)/ });
      await scratch.run(`UPDATE films SET price = ${scratch.ddl.literal(1200, money)}`);
      await undo(scratch);
      assert.deepEqual(await scratch.rows(`SELECT price FROM films`), [[12]]);
    });
  });

for (const { title, need, open } of eachProduct(servers))
  describe(`a database that somebody changed by hand, ${title}`, need, () => {
    test("is migrated only with the word drift, for a rebuild would drop what the journal does not know", async (t) => {
      const scratch = await open(t);
      await migrate(scratch, [people]);
      await scratch.byHand(`ALTER TABLE people ADD COLUMN extra TEXT`);
      const next = [model("people", { name: text().optional() })];
      const says = /table people: column extra is in the database and not in the journal\n.*--confirm "drift"/;
      await assertRefused(scratch, () => migrate(scratch, next), { code: "migration_drifted", says });
      await assertRefused(scratch, () => undo(scratch, ["drop people"]), {
        code: "migration_drifted",
        says: /holdfast migrate down/,
      });
      const { drift } = await apply(scratch, next, ["drift"]);
      // Where nothing is rebuilt, it stays.
      const stays = ["table people: column extra is in the database and not in the journal"];
      assert.deepEqual(drift, scratch.product === "sqlite" ? [] : stays);
    });
  });
