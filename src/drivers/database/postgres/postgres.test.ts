/** The PostgreSQL driver keeps the contract of a database, on a real server. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { type Database, type Step, UnitRefused } from "../../database.ts";
import { runStep } from "../conformance-asks.ts";
import { changesOf, filmsOf } from "../conformance-repeats.ts";
import { kitTables, testDatabase } from "../conformance.ts";
import { openPostgres } from "./postgres.ts";

/** Opens a database of its own, which goes with it. */
async function openFresh(): Promise<Database> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const database = await openPostgres({ url });
  const close = async () => {
    await database.close();
    await drop();
  };
  return { ...database, close };
}

const tables = kitTables.map((text) =>
  text.replace("BLOB", "BYTEA").replace("REFERENCES people (id)", "REFERENCES people (id) DEFERRABLE"),
);

/** What the server itself says: rows of one command of a transaction have one number. */
const commands = (table: string) => ({ text: `select count(distinct (xmin::text, cmin::text)) from ${table}`, params: [] });

/** The same without a word of what repeats. */
function unitOfOthers(): readonly Step[] {
  return filmsOf(
    3,
    Array.from({ length: 20 }, (_, id) => [id + 40, `film ${id + 40}`]),
  ).unit;
}

void describe("PostgreSQL", needsService("postgres"), () => {
  testDatabase("PostgreSQL", openFresh, { tables });

  test("parts that repeat are one statement for each of their steps", async (t) => {
    const db = await openFresh();
    t.after(() => db.close());
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    const counted: number[] = [];
    const { unit, options } = filmsOf(
      1,
      Array.from({ length: 20 }, (_, id) => [id, `film ${id}`]),
    );
    await db.write(unit, { ...options, onSaved: (saved) => counted.push(saved) });
    const one = filmsOf(
      2,
      Array.from({ length: 20 }, (_, id) => [id + 20, `film ${id + 20}`]),
    );
    await db.transaction((tx) => tx.write(one.unit, { ...one.options, onSaved: (saved) => counted.push(saved) }));
    assert.deepEqual(counted, [76, 76]);
    assert.deepEqual([await db.read(commands("films")), await db.read(commands("samples"))], [[[2]], [[2]]]);
    await db.write(unitOfOthers());
    assert.deepEqual(await db.read(commands("films")), [[22]]);
  });

  test("changes of different rows that come together are one statement for each of their steps", async (t) => {
    const db = await openFresh();
    t.after(() => db.close());
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await db.write(ids.map((id) => runStep("insert into films (id, title) values (?, ?)", id, `film ${id}`)));
    const change = (id: number, row = `films ${id}`) =>
      db.write(changesOf([[id, `new ${id}`]], "update").unit, { alike: true, row });
    await Promise.all(ids.map((id) => change(id)));
    assert.deepEqual([await db.read(commands("films")), await db.read(commands("samples"))], [[[1]], [[1]]]);
    await Promise.all(ids.map((id) => change(id, "films of one name")));
    assert.deepEqual(await db.read(commands("films")), [[20]]);
  });

  test("a text that is too long for an index is the row's fault, not the server's", async () => {
    const db = await openFresh();
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    await db.migrate([
      { text: "CREATE INDEX films_title ON films (title)", params: [] },
      { text: "ALTER TABLE films ALTER title TYPE text", params: [] },
    ]);
    // Random, as what can be compressed fits.
    const title = randomBytes(9_000).toString("base64");
    const refused = await db
      .write([runStep("INSERT INTO films (id, title) VALUES (?, ?)", 1, title)])
      .catch((error: unknown) => error);
    assert.ok(refused instanceof UnitRefused && refused.reason === "check");
    await db.close();
  });
});
