/** SQLite's data definition: literals and names come back as they went in, whatever is in them. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Value } from "../../database.ts";
import { renameColumn } from "../../ddl.ts";
import { sqliteDdl as ddl } from "./ddl.ts";

const text = fc.string({ unit: fc.constantFrom("a", "'", '"', ";", "--", "\\", "\n", "\0", "é", "😀", "]", "?") });
const column = (name: string) => ({ name, storage: "text", optional: false, serial: false, references: null }) as const;

/** What SQLite reads back from a literal. */
function readBack(db: DatabaseSync, value: Value): unknown {
  const statement = db.prepare(`SELECT ${ddl.literal(value)} AS value`);
  statement.setReadBigInts(typeof value === "bigint");
  return statement.get()?.["value"];
}

describe("SQLite's data definition", () => {
  test("literals", () => {
    const db = new DatabaseSync(":memory:");
    const values = fc.oneof(text, fc.constant(null), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.uint8Array());
    const edges: Value[] = [-(2n ** 63n), 2n ** 63n - 1n, 0.1, 1e300, -5e-324, Number.MAX_SAFE_INTEGER];
    for (const value of edges) assert.deepEqual(readBack(db, value), value);
    fc.assert(
      fc.property(values, (value) => assert.deepEqual(readBack(db, value), value)),
      { seed: 1, numRuns: 500 },
    );
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => ddl.literal(value), RangeError);
    db.close();
  });

  test("names", () => {
    const names = fc.uniqueArray(
      text.filter((name) => name !== "" && !name.includes("\0")),
      { minLength: 3, maxLength: 3 },
    );
    fc.assert(
      fc.property(names, (names) => {
        const [table = "", first = "", second = ""] = names;
        const db = new DatabaseSync(":memory:");
        db.exec(ddl.createTable({ name: table, columns: [column(first)], key: [first] }));
        db.exec(
          ddl.createIndex(
            {
              name: `${table} index`,
              table,
              columns: [{ column: first, descending: true }],
              unique: true,
              where: null,
            },
            { name: table, columns: [], key: [] },
          ),
        );
        db.exec(renameColumn(ddl, table, { from: first, to: second }));
        assert.deepEqual(
          db
            .prepare("SELECT name FROM pragma_table_info(?)")
            .all(table)
            .map(({ name }) => name),
          [second],
        );
        db.close();
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
