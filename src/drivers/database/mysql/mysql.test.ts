/** The driver keeps the contract of a database, on real servers of both kinds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { type ServiceName, serviceUrl } from "../../../../test/servers/names.ts";
import type { Database, Step, UnitOptions } from "../../database.ts";
import { changesOf, filmsOf } from "../conformance-repeats.ts";
import { type KitWords, runStep, standardWords } from "../conformance-asks.ts";
import { kitTables, testDatabase } from "../conformance.ts";
import { openMysql } from "./mysql.ts";
import { mariadb } from "./variants/mariadb.ts";
import { mysql } from "./variants/mysql.ts";
import type { Variant } from "./variants/variant.ts";

/** Opens a database of its own, which goes with it. */
async function openFresh(name: ServiceName): Promise<Database> {
  const { url, drop } = await freshDatabase(serviceUrl(name));
  const database = await openMysql({ url });
  const close = async () => {
    await database.close();
    await drop();
  };
  return { ...database, close };
}

// Without these the server's own defaults decide; and MySQL once passed over a reference that stands with its column.
const tablesOf = ({ collation }: Variant) =>
  kitTables
    .map((text) =>
      text
        .replace("BLOB", "LONGBLOB")
        .replace("TEXT", "LONGTEXT")
        .replace("INTEGER REFERENCES", "INTEGER, FOREIGN KEY (director) REFERENCES"),
    )
    .map((text) => `${text} engine = InnoDB character set utf8mb4 collate ${collation}`);

void describe("MariaDB", needsService("mariadb"), () => testKit("mariadb", mariadb, standardWords));
void describe("MySQL", needsService("mysql"), () => testKit("mysql", mysql, { integer: "SIGNED", returns: false }));

function testKit(name: ServiceName, variant: Variant, words: KitWords): void {
  const tables = tablesOf(variant);
  const { hasBlocks } = variant.sessions;
  testDatabase(variant.title, () => openFresh(name), { tables, words });

  test("parts that repeat are one statement for each of their steps", async (t) => {
    const db = await openFresh(name);
    t.after(() => db.close());
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    // What the server itself has counted on this connection: round trips, and inserts.
    const counters = ["COM_STMT_EXECUTE", "COM_INSERT", "COM_INSERT_SELECT"];
    const names = counters.map((name) => `'${name}'`).join(", ");
    const counted = {
      text: `show session status where variable_name in (${names})`,
      params: [],
    };
    const count = (unit: readonly Step[], options: UnitOptions) =>
      db.transaction(async (tx) => {
        const ask = async () =>
          new Map((await tx.read(counted)).map(([name, value]) => [String(name).toUpperCase(), Number(value)]));
        const before = await ask();
        await tx.write(unit, options);
        const after = await ask();
        const [executed = 0, ...inserts] = counters.map((name) => (after.get(name) ?? 0) - (before.get(name) ?? 0));
        return { roundTrips: executed - 1, inserts: inserts.reduce((sum, one) => sum + one, 0) };
      });
    const saved: number[] = [];
    const films = (director: number) =>
      filmsOf(
        director,
        Array.from({ length: 20 }, (_, id) => [director * 20 + id, `film ${director} ${id}`]),
        words,
      );
    const one = films(1);
    assert.deepEqual(await count(one.unit, { ...one.options, onSaved: (statements) => saved.push(statements) }), {
      roundTrips: hasBlocks ? 2 : 7,
      inserts: 3,
    });
    assert.deepEqual(saved, [76]);
    assert.deepEqual(await count(films(2).unit, {}), {
      roundTrips: hasBlocks ? 7 : 83,
      inserts: 41,
    });
    const three = films(3);
    await db.write(three.unit, { ...three.options, onSaved: (statements) => saved.push(statements) });
    assert.deepEqual(saved, [76, 76]);
  });
  testChanges(name, tables, words);
}

function testChanges(name: ServiceName, tables: readonly string[], words: KitWords): void {
  test("changes of different rows that come together are one statement for each of their steps", async (t) => {
    const db = await openFresh(name);
    t.after(() => db.close());
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await db.write(ids.map((id) => runStep("insert into films (id, title) values (?, ?)", id, `film ${id}`)));
    const names = "'COM_UPDATE', 'COM_UPDATE_MULTI', 'COM_INSERT', 'COM_INSERT_SELECT'";
    const counted = { text: `show session status where variable_name in (${names})`, params: [] };
    /** What the connection has counted, which is the same for all, as nothing here runs beside another. */
    const count = async (changes: readonly Promise<unknown>[]) => {
      await Promise.all(changes);
      const rows = await db.transaction((tx) => tx.read(counted));
      return rows.map(([, value]) => Number(value));
    };
    const change = (id: number, row: string) =>
      db.write(changesOf([[id, `new ${id}`]], "update", words).unit, { alike: true, row });
    const before = await count([]);
    const together = await count(ids.map((id) => change(id, `films ${id}`)));
    const apart = await count(ids.map((id) => change(id, "films of one name")));
    const more = (one: readonly number[], other: readonly number[]) => other.map((value, index) => value - (one[index] ?? 0));
    // In the order of their names: inserts, inserts of a query, updates, updates of several.
    assert.deepEqual(
      [more(before, together), more(together, apart)],
      [
        [0, 1, 0, 1],
        [0, 20, 20, 0],
      ],
    );
  });
}
