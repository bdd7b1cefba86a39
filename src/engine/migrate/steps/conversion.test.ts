/** Every conversion of values, run by the database itself: what comes out, and what is refused. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import type { Database, Value } from "../../../drivers/database.ts";
import { openMysql } from "../../../drivers/database/mysql/mysql.ts";
import { openPostgres } from "../../../drivers/database/postgres/postgres.ts";
import { openSqlite } from "../../../drivers/database/sqlite/sqlite.ts";
import {
  bigint,
  boolean,
  bytes,
  choice,
  date,
  datetime,
  decimal,
  email,
  type Field,
  type Flag,
  float,
  integer,
  json,
  list,
  slug,
  text,
  time,
  uuid,
} from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { applyMigration } from "../apply/apply.ts";
import { readHead, readSnapshot } from "../journal/journal.ts";
import { phrasesOf, planMigration } from "../plan/plan.ts";
import { type Languages, mariadb, postgres, schemaOf, sqlite } from "../scratch.test.ts";
import { columnOf } from "../snapshot/snapshot.ts";

type AnyField = Field<unknown, Flag>;
interface Case {
  readonly from: AnyField;
  readonly to: AnyField;
  /** Stored values that convert, before and after. */
  readonly pairs: readonly (readonly [Value, Value])[];
  /** Stored values that are refused. */
  readonly refused?: readonly Value[];
  readonly lossy?: boolean;
}

const big = 2n ** 60n;
const safe = Number.MAX_SAFE_INTEGER;
const cases: Readonly<Record<string, Case>> = {
  "integer to bigint": {
    from: integer(),
    to: bigint(),
    pairs: [
      [-safe, -safe],
      [7, 7],
    ],
  },
  "bigint to integer": { from: bigint(), to: integer(), pairs: [[safe, safe]], refused: [big, -big] },
  "integer to decimal": {
    from: integer(),
    to: decimal(5, 2),
    pairs: [
      [999, 99900],
      [-7, -700],
    ],
    refused: [1000, -1000, safe],
  },
  "integer to whole decimal": { from: integer(), to: decimal(3, 0), pairs: [[999, 999]], refused: [1000] },
  "bigint to decimal": { from: bigint(), to: decimal(18, 2), pairs: [[12n, 1200]], refused: [big, -(2n ** 63n)] },
  "decimal to integer": {
    from: decimal(8, 2),
    to: integer(),
    pairs: [
      [1200, 12],
      [-500, -5],
    ],
    refused: [1250],
  },
  "decimal to bigint": { from: decimal(8, 2), to: bigint(), pairs: [[1200, 12]], refused: [1] },
  "decimal with more digits after the point": {
    from: decimal(6, 2),
    to: decimal(6, 4),
    pairs: [[-9999, -999900]],
    refused: [10000, -10000],
  },
  "decimal with fewer digits after the point": {
    from: decimal(8, 4),
    to: decimal(6, 2),
    pairs: [[12500, 125]],
    refused: [12501],
  },
  "decimal with fewer digits": { from: decimal(8, 2), to: decimal(4, 2), pairs: [[9999, 9999]], refused: [10000] },
  "decimal to text": {
    from: decimal(8, 2),
    to: text(),
    pairs: [
      [-5, "-0.05"],
      [1250, "12.50"],
      [-1250, "-12.50"],
      [0, "0.00"],
    ],
  },
  "whole decimal to text": { from: decimal(8, 0), to: text(), pairs: [[-5, "-5"]] },
  "decimal to float": { from: decimal(8, 2), to: float(), pairs: [[1250, 12.5]], lossy: true },
  "float to decimal": {
    from: float(),
    to: decimal(5, 2),
    pairs: [
      [12.345, 1235],
      [-0.5, -50],
    ],
    refused: [1000.5, 1e300],
    lossy: true,
  },
  "integer to float": { from: integer(), to: float(), pairs: [[safe, safe]] },
  "bigint to float": { from: bigint(), to: float(), pairs: [[7n, 7]], refused: [big] },
  "float to integer": { from: float(), to: integer(), pairs: [[-3, -3]], refused: [0.5, 1e300] },
  "float to bigint": { from: float(), to: bigint(), pairs: [[3, 3]], refused: [0.5] },
  "boolean to integer": {
    from: boolean(),
    to: integer(),
    pairs: [
      [1, 1],
      [0, 0],
    ],
  },
  "integer to boolean": { from: integer(), to: boolean(), pairs: [[1, 1]], refused: [2] },
  "integer to text": { from: integer(), to: text(), pairs: [[-12, "-12"]] },
  "bigint to text": { from: bigint(), to: text(), pairs: [[big, String(big)]] },
  "text to integer": {
    from: text(),
    to: integer(),
    pairs: [
      ["-12", -12],
      ["0", 0],
    ],
    refused: ["12x", "", " 1", "+1", "01", "1.0", String(big)],
  },
  "text to bigint": { from: text(), to: bigint(), pairs: [[String(big), big]], refused: ["99999999999999999999"] },
  "text to choice": { from: text(), to: choice("it's", "b"), pairs: [["it's", "it's"]], refused: ["c", "B"] },
  "choice to text": { from: choice("a"), to: text(), pairs: [["a", "a"]] },
  "slug to text": { from: slug(), to: text(), pairs: [["a-b", "a-b"]] },
  "time to text": { from: time(), to: text(), pairs: [["09:30:00", "09:30:00"]] },
  "date to datetime": { from: date(), to: datetime(), pairs: [["2026-11-21", "2026-11-21T00:00:00.000Z"]] },
  "datetime to date": { from: datetime(), to: date(), pairs: [["2026-11-21T09:30:00.000Z", "2026-11-21"]], lossy: true },
  "list to json": { from: list(integer()), to: json() as AnyField, pairs: [["[1,2]", "[1,2]"]] },
  "decimal in and out of the safe numbers to float": {
    from: decimal(18, 2),
    to: float(),
    pairs: [
      [9007199254740993n, 90071992547409.94],
      [-105, -1.05],
    ],
    lossy: true,
  },
  "float to whole decimal": {
    from: float(),
    to: decimal(16, 0),
    pairs: [
      [0.5, 1],
      [-2.5, -3],
      [4503599627370497, 4503599627370497],
    ],
    lossy: true,
  },
  "slug to choice": { from: slug(), to: choice("a-b"), pairs: [["a-b", "a-b"]], refused: ["c"] },
  "datetime to text": { from: datetime(), to: text(), pairs: [["2026-11-21T09:30:00.120Z", "2026-11-21T09:30:00.120Z"]] },
  "uuid to text": {
    from: uuid(),
    to: text(),
    pairs: [["00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000a"]],
  },
  "date to text": { from: date(), to: text(), pairs: [["2026-11-21", "2026-11-21"]] },
  "boolean to date": { from: boolean(), to: date(), pairs: [], refused: [1] },
  "text to email": { from: text(), to: email(), pairs: [], refused: ["a@example.org"] },
  "text to uuid": { from: text(), to: uuid(), pairs: [], refused: ["x"] },
  "float to text": { from: float(), to: text(), pairs: [], refused: [0.1] },
  "text to bytes": { from: text(), to: bytes(), pairs: [], refused: ["x"] },
  "json to text": { from: json() as AnyField, to: text(), pairs: [], refused: ["{}"] },
};

interface Opened {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

async function openOnServer(): Promise<Opened> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const database = await openPostgres({ url });
  return { database, close: () => database.close().then(drop) };
}

async function openOnMariadb(): Promise<Opened> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const database = await openMysql({ url });
  return { database, close: () => database.close().then(drop) };
}

async function openInMemory(): Promise<Opened> {
  const database = openSqlite({ file: ":memory:" });
  return { database, close: () => database.close() };
}

describe("conversions, on SQLite", () => testAll(openInMemory, sqlite));
describe("conversions, on PostgreSQL", needsService("postgres"), () => testAll(openOnServer, postgres));
describe("conversions, on MariaDB", needsService("mariadb"), () => testAll(openOnMariadb, mariadb));

/** Migrates a table that holds the values, and null, and reads what they have become. */
async function convertAll(
  { database, ddl, get, put }: Languages & Pick<Opened, "database">,
  { from, to, lossy }: Case,
  values: readonly Value[],
): Promise<readonly Value[]> {
  const tables = await ddl.catalogue.readTables(async (sql) => database.read({ text: sql, params: [] }));
  await database.migrate(tables.map((table) => ({ text: `DROP TABLE ${ddl.quote(table)}`, params: [] })));
  const context = { database, ddl, clock: () => 0 };
  const move = async (field: AnyField) => {
    const head = await readHead(database, ddl);
    const plan = planMigration(await readSnapshot(database, head), {
      schema: schemaOf(model("things", { value: field.optional() })),
      ddl,
      nowMs: 0,
    });
    if (head !== null) assert.deepEqual(phrasesOf(plan.steps), lossy ? ["convert things.value"] : []);
    await applyMigration(context, plan, { head, confirmations: phrasesOf(plan.steps) });
    const stored = plan.to.models[0]?.fields.find(({ name }) => name === "value");
    assert.ok(stored);
    return columnOf(stored, []);
  };
  const before = await move(from);
  const rows = [null, ...values].map((value, row) => ({
    text: `INSERT INTO things (id, value, version) VALUES (?, ${put(before)}, 1)`,
    params: [`00000000-0000-7000-8000-00000000000${row}`, value],
  }));
  await database.migrate(rows);
  const after = await move(to);
  const text = `SELECT ${get(after, "value")} FROM things ORDER BY id`;
  return (await database.read({ text, params: [] })).map(([value]) => value ?? null);
}

function testAll(open: () => Promise<Opened>, languages: Languages): void {
  let opened: Opened;
  before(async () => {
    opened = await open();
  });
  after(() => opened.close());

  for (const [name, one] of Object.entries(cases)) {
    test(name, async () => {
      const on = { ...languages, database: opened.database };
      const converted = await convertAll(
        on,
        one,
        one.pairs.map(([value]) => value),
      );
      assert.deepEqual(converted, [null, ...one.pairs.map(([, value]) => value)]);
      for (const value of one.refused ?? []) {
        await assert.rejects(
          convertAll(on, one, [value]),
          { code: "migration_refused", message: /things\.value: .*\(1 row\)/ },
          `took ${String(value)}`,
        );
      }
    });
  }
}
