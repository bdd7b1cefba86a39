/** SQLite's catalog: tables and views as their definitions say, and what their values turn out to be, for SQLite lets a column hold anything. */
import { AppError } from "../../../../base/errors.ts";
import type { Bounds, CatalogColumn, CatalogReference, CatalogTable, ReadCatalog } from "../../../catalog.ts";
import { findChecks, readCheck, type Said } from "../../../constraints.ts";
import type { Row } from "../../../database.ts";
import type { Reader } from "../../../ddl.ts";
import { judgeValues } from "./column-types.ts";

// Of other schemas there is nothing to see; "shadow" tables belong to virtual ones.
const tablesText = `SELECT l."name", l."type", l."wr", m."sql" FROM pragma_table_list l JOIN sqlite_schema m ON m."name" = l."name"
WHERE l."schema" = 'main' AND l."type" IN ('table', 'view', 'virtual') AND l."name" NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY l."type" = 'view', l."name"`;
const columnsText = `SELECT "name", "type", "notnull", "dflt_value", "pk", "hidden" FROM pragma_table_xinfo(?) WHERE "hidden" <> 1 ORDER BY "cid"`;
const indexesText = `SELECT l."name", l."unique", x."name" FROM pragma_index_list(?) l JOIN pragma_index_xinfo(l."name") x
WHERE x."key" = 1 AND l."partial" = 0 AND l."origin" <> 'pk' ORDER BY l."name", x."seqno"`;
const referencesText = `SELECT "id", "table", "from", "to", "on_delete" FROM pragma_foreign_key_list(?) ORDER BY "id", "seq"`;

export const readSqliteCatalog: ReadCatalog = async (read) => {
  const listed = await read(tablesText);
  const tables: CatalogTable[] = [];
  for (const [name, type, withoutRowid, sql] of listed) {
    const found = { name: String(name), isView: type === "view", withoutRowid: withoutRowid === 1, sql: String(sql) };
    tables.push(await readTable(found, read).catch((error: unknown) => faulty(found, error)));
  }
  return tables.map((table) => ({ ...table, references: table.references.map((one) => withTargets(one, tables)) }));
};

interface Found {
  readonly name: string;
  readonly isView: boolean;
  readonly withoutRowid: boolean;
  readonly sql: string;
}

/** A view over a table that is gone, or a virtual table whose module is not there. */
function faulty({ name, isView }: Found, error: unknown): CatalogTable {
  if (!(error instanceof AppError)) throw error;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const nothing = { comment: null, columns: [], key: [], uniques: [], indexes: [], checks: [], references: [] };
  return { name, kind: isView ? "view" : "table", fault: `cannot be read${cause}`, ...nothing };
}

async function readTable(found: Found, read: Reader): Promise<CatalogTable> {
  const { name, isView, sql } = found;
  const columns = await read(columnsText, [name]);
  const indexes = Map.groupBy(await read(indexesText, [name]), ([index]) => String(index));
  const checks = isView ? [] : findChecks(sql);
  const said = checks.flatMap(readCheck);
  const keyed = columns.filter((row) => Number(row[4]) > 0).toSorted((a, b) => Number(a[4]) - Number(b[4]));
  const key = keyed.map(([column]) => String(column));
  const listed = [...indexes.values()].map((rows) => ({ unique: rows[0]?.[1] === 1, columns: rows.map((row) => row[2]) }));
  // An index over an expression has no name there.
  const named = listed.filter((index) => index.columns.every((column) => column !== null));
  const judged = await judgeValues(
    { table: name, columns: columns.map(([column, type]) => [String(column), String(type)]) },
    read,
  );
  return {
    name,
    kind: isView ? "view" : "table",
    comment: null,
    fault: null,
    columns: columns.map((row, index) => ({
      ...toColumn(row, { found, key, said }),
      ...(judged[index] as (typeof judged)[number]),
      ...choicesOf(String(row[0]), judged[index]?.type ?? null, said),
    })),
    key,
    uniques: named.filter(({ unique }) => unique).map((index) => index.columns.map(String)),
    indexes: named.filter(({ unique }) => !unique).map((index) => index.columns.map(String)),
    checks: checks.filter((check) => readCheck(check).length === 0),
    references: isView ? [] : toReferences(await read(referencesText, [name])),
  };
}

type Context = { readonly found: Found; readonly key: readonly string[]; readonly said: readonly Said[] };

function toColumn(row: Row, { found, key, said }: Context): Omit<CatalogColumn, "native" | "type" | "why"> {
  const [name, type, notNull, fallback, , hidden] = row;
  const column = String(name);
  const isComputed = hidden === 2 || hidden === 3;
  // sqlite.org/lang_createtable.html#rowid: the one spelling that makes the key the row's own number.
  const isRowid =
    !found.withoutRowid && !found.isView && key.length === 1 && key[0] === column && /^integer$/i.test(String(type));
  return {
    name: column,
    optional: notNull !== 1 && !key.includes(column),
    default: isComputed ? "database" : defaultOf(fallback === null ? null : String(fallback)),
    bounds: said.reduce<Bounds>(
      (bounds, one) =>
        one.column.toLowerCase() === column.toLowerCase() && "bounds" in one ? { ...bounds, ...one.bounds } : bounds,
      {},
    ),
    made: isComputed ? "computed" : isRowid ? "counted" : null,
    comment: null,
  };
}

function choicesOf(column: string, type: CatalogColumn["type"], said: readonly Said[]): Pick<CatalogColumn, "type"> | object {
  const choice = said.find((one) => one.column.toLowerCase() === column.toLowerCase() && "choices" in one);
  return choice && "choices" in choice && type?.name === "text" ? { type: { name: "choice", choices: choice.choices } } : {};
}

function defaultOf(sql: string | null): CatalogColumn["default"] {
  if (sql === null || /^null$/i.test(sql)) return null;
  const text = /^'((?:[^']|'')*)'$/.exec(sql)?.[1];
  if (text !== undefined) return { value: text.replaceAll("''", "'") };
  if (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(sql)) return { value: Number(sql) };
  if (/^(true|false)$/i.test(sql)) return { value: sql.toLowerCase() === "true" };
  return /^current_timestamp$/i.test(sql) ? "now" : "database";
}

const actions: Readonly<Record<string, CatalogReference["onDelete"]>> = {
  "NO ACTION": null,
  RESTRICT: null,
  CASCADE: "cascade",
  "SET NULL": "setNull",
};

function toReferences(rows: readonly Row[]): readonly CatalogReference[] {
  return [...Map.groupBy(rows, ([id]) => Number(id)).values()].map((parts) => {
    const [, table, , , onDelete] = parts[0] as Row;
    const targets = parts.map((part) => part[3]);
    return {
      table: String(table),
      columns: parts.map((part) => String(part[2])),
      // Where none is named, it is the key.
      targets: targets.every((target) => target === null) ? [] : targets.map(String),
      onDelete: actions[String(onDelete)] === undefined ? "other" : (actions[String(onDelete)] ?? null),
    };
  });
}

/** The same reference in the spelling of the table that it leads to: SQLite compares names without case. */
function withTargets(reference: CatalogReference, tables: readonly CatalogTable[]): CatalogReference {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const table = tables.find(({ name }) => same(name, reference.table));
  if (!table) return reference;
  const spell = (column: string) => table.columns.find(({ name }) => same(name, column))?.name ?? column;
  const targets = reference.targets.length === 0 ? table.key : reference.targets.map(spell);
  return { ...reference, table: table.name, targets };
}
