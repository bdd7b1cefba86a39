/** The MariaDB driver keeps the contract of a database, on a real server. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import type { Database, Step, UnitOptions } from "../../database.ts";
import { runStep } from "../conformance-asks.ts";
import { changesOf, filmsOf } from "../conformance-repeats.ts";
import { kitTables, testDatabase } from "../conformance.ts";
import { openMysql } from "./mysql.ts";

/** Opens a database of its own, which goes with it. */
async function openFresh(): Promise<Database> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const database = await openMysql({ url });
  const close = async () => {
    await database.close();
    await drop();
  };
  return { ...database, close };
}

// Without these the server's own defaults decide.
const tables = kitTables.map(
  (text) =>
    `${text.replace("BLOB", "LONGBLOB").replace("TEXT", "LONGTEXT")} engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin`,
);

void describe("MariaDB", needsService("mariadb"), () => {
  testDatabase("MariaDB", openFresh, tables);

  test("parts that repeat are one statement for each of their steps", async (t) => {
    const db = await openFresh();
    t.after(() => db.close());
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    // What the server itself has counted on this connection: round trips, and inserts.
    const counters = ["COM_STMT_EXECUTE", "COM_INSERT", "COM_INSERT_SELECT"];
    const names = counters.map((name) => `'${name}'`).join(", ");
    const counted = {
      text: `select variable_name, variable_value from information_schema.session_status where variable_name in (${names})`,
      params: [],
    };
    const count = (unit: readonly Step[], options: UnitOptions) =>
      db.transaction(async (tx) => {
        const ask = async () => new Map((await tx.read(counted)).map(([name, value]) => [name, Number(value)]));
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
      );
    const one = films(1);
    assert.deepEqual(await count(one.unit, { ...one.options, onSaved: (statements) => saved.push(statements) }), {
      roundTrips: 2,
      inserts: 3,
    });
    assert.deepEqual(saved, [76]);
    assert.deepEqual(await count(films(2).unit, {}), { roundTrips: 7, inserts: 41 });
    const three = films(3);
    await db.write(three.unit, { ...three.options, onSaved: (statements) => saved.push(statements) });
    assert.deepEqual(saved, [76, 76]);
  });

  test("changes of different rows that come together are one statement for each of their steps", async (t) => {
    const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
    const db = await openMysql({ url });
    t.after(() => db.close().then(drop));
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await db.write(ids.map((id) => runStep("insert into films (id, title) values (?, ?)", id, `film ${id}`)));
    const names = "'COM_UPDATE', 'COM_UPDATE_MULTI', 'COM_INSERT', 'COM_INSERT_SELECT'";
    const text = `select variable_name, variable_value from information_schema.session_status where variable_name in (${names}) order by 1`;
    /** What the connection has counted, which is the same for all, as nothing here runs beside another. */
    const count = async (changes: readonly Promise<unknown>[]) => {
      await Promise.all(changes);
      const rows = await db.transaction((tx) => tx.read({ text, params: [] }));
      return rows.map(([, value]) => Number(value));
    };
    const change = (id: number, row: string) => db.write(changesOf([[id, `new ${id}`]], "update").unit, { alike: true, row });
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
});
