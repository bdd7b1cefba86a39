/** What SQLite says of tables that somebody else made: their references by the names that are meant, and what a copy would lose. */
import type { Row } from "../../../database.ts";
import type { Reader, ReferenceShape } from "../../../ddl.ts";
import type { FoundColumn, FoundIndex, FoundTable } from "../../../found.ts";
import { wordsOf } from "../../../constraints.ts";

const referencesText = `SELECT m."name", f."id", f."table", f."from", f."to", f."on_delete", f."on_update"
FROM sqlite_schema m JOIN pragma_foreign_key_list(m."name") f WHERE m."type" = 'table' ORDER BY m."name", f."id", f."seq"`;
const keysText = `SELECT m."name", c."name", c."pk" FROM sqlite_schema m JOIN pragma_table_xinfo(m."name") c WHERE m."type" = 'table' ORDER BY m."name", c."pk", c."cid"`;

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** By the table that holds them. SQLite compares names without case, and takes the key where no column is named. */
export async function readReferences(read: Reader): Promise<ReadonlyMap<string, readonly ReferenceShape[]>> {
  const rows = await read(referencesText);
  if (rows.length === 0) return new Map();
  const columns = Map.groupBy(await read(keysText), ([table]) => String(table));
  const byTable = Map.groupBy(rows, ([table]) => String(table));
  return new Map(
    [...byTable].map(([table, held]) => [
      table,
      [...Map.groupBy(held, ([, id]) => id).values()].map((pairs) => toReference(pairs, columns)),
    ]),
  );
}

function toReference(pairs: readonly Row[], columns: ReadonlyMap<string, readonly Row[]>): ReferenceShape {
  const [, , told, , , onDelete, onUpdate] = (pairs[0] as Row).map(String);
  const table = [...columns.keys()].find((name) => same(name, told ?? "")) ?? told ?? "";
  const there = columns.get(table) ?? [];
  const key = there.filter(([, , place]) => place !== 0).map(([, name]) => String(name));
  const spell = (name: string) => there.map((row) => String(row[1])).find((one) => same(one, name)) ?? name;
  const rule = `${ruleOf("DELETE", onDelete)}${ruleOf("UPDATE", onUpdate)}`;
  return {
    columns: pairs.map((row) => String(row[3])),
    table,
    key: pairs.map((row, place) => (row[4] === null ? (key[place] ?? "") : spell(String(row[4])))),
    ...(rule === "" ? {} : { rule }),
  };
}

function ruleOf(event: string, action: string | undefined): string {
  return action === undefined || action === "NO ACTION" ? "" : ` ON ${event} ${action}`;
}

const tablesText = `SELECT l."name", l."type", l."strict", l."wr", m."sql" FROM pragma_table_list l JOIN sqlite_schema m ON m."name" = l."name"
WHERE l."schema" = 'main' AND m."type" IN ('table', 'view')`;
const columnsText = `SELECT "name", "type", "notnull", "dflt_value", "pk", "hidden" FROM pragma_table_xinfo(?) WHERE "hidden" <> 1 ORDER BY "cid"`;
const indexesText = `SELECT l."name", l."unique", l."origin", l."partial", x."name", x."desc" FROM pragma_index_list(?) l JOIN pragma_index_xinfo(l."name") x
WHERE x."key" = 1 AND l."origin" <> 'pk' ORDER BY l."name", x."seqno"`;
const dependentsText = `SELECT "type", "name", "sql", "tbl_name" FROM sqlite_schema WHERE "type" IN ('view', 'trigger') ORDER BY "name"`;

export async function readFound(read: Reader, tables: readonly string[]): Promise<ReadonlyMap<string, FoundTable>> {
  const [listed, references, dependents] = await Promise.all([read(tablesText), readReferences(read), read(dependentsText)]);
  const found = new Map<string, FoundTable>();
  for (const row of listed) {
    const name = String(row[0]);
    if (!tables.includes(name)) continue;
    const [columns, indexes] = [await read(columnsText, [name]), await read(indexesText, [name])];
    found.set(name, toFound(row, { columns, indexes, references: references.get(name) ?? [], dependents }));
  }
  return found;
}

interface Parts {
  readonly columns: readonly Row[];
  readonly indexes: readonly Row[];
  readonly references: readonly ReferenceShape[];
  readonly dependents: readonly Row[];
}

function toFound([name, type, strict, withoutRowid, sql]: Row, { columns, indexes, references, dependents }: Parts): FoundTable {
  const table = String(name);
  const key = columns.filter((row) => row[4] !== 0).toSorted((a, b) => Number(a[4]) - Number(b[4]));
  const words = wordsOf(String(sql));
  const isCounted = words.includes("AUTOINCREMENT");
  const isRowid = withoutRowid !== 1 && key.length === 1 && /^integer$/i.test(String(key[0]?.[1]));
  const about = dependents.filter(
    ([, , text, on]) => same(String(on), table) || wordsOf(String(text)).includes(table.toUpperCase()),
  );
  return {
    name: table,
    fault: type === "table" ? null : `it is a ${String(type)}${type === "view" ? "" : " table"}`,
    key: key.map(([column]) => String(column)),
    columns: columns.map((row) => toColumn(row, { isRowid, isCounted, key: key.map(([column]) => String(column)) })),
    references,
    indexes: [...Map.groupBy(indexes, ([index]) => String(index))].map(([index, rows]) => toIndex(index, table, rows)),
    traits: [
      ...(strict === 1 ? ["STRICT"] : []),
      ...(withoutRowid === 1 ? ["WITHOUT ROWID"] : []),
      ...(isCounted ? ["AUTOINCREMENT"] : []),
    ],
    beyond: [
      ...particular.filter((word) => words.includes(word)).map((word) => `what its definition says with ${word}`),
      ...about.map(([kind, dependent]) => `the ${String(kind)} ${String(dependent)}`),
    ],
  };
}

/** Words of a definition that the columns, keys, references and uniques of a table do not say. */
const particular = ["CHECK", "COLLATE", "AS", "CONFLICT", "DEFERRABLE", "MATCH"];

interface Keyed {
  readonly isRowid: boolean;
  readonly isCounted: boolean;
  readonly key: readonly string[];
}

function toColumn([name, type, notNull, fill, , hidden]: Row, { isRowid, isCounted, key }: Keyed): FoundColumn {
  const isKey = key.includes(String(name));
  const isComputed = hidden === 2 || hidden === 3;
  return {
    name: String(name),
    native: {
      type: String(type),
      fill: fill === null ? null : String(fill),
      nullable: notNull !== 1 || (isKey && isCounted),
      ...(isComputed ? { fixed: "is computed by the database" } : {}),
    },
    optional: notNull !== 1 && !isKey,
    counted: isKey && isRowid,
  };
}

function toIndex(name: string, table: string, rows: readonly Row[]): FoundIndex {
  const [, unique, origin, partial] = rows[0] as Row;
  if (partial === 1 || rows.some((row) => row[4] === null)) return { name, columns: null };
  return {
    name,
    table,
    columns: rows.map((row) => ({ column: String(row[4]), descending: row[5] === 1 })),
    unique: unique === 1,
    where: null,
    found: origin === "u" ? "constraint" : "index",
  };
}
