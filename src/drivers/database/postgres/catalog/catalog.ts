/** PostgreSQL's catalog: tables and views of the current schema, or of those that are named, as pg_catalog describes them. */
import type { Bounds, CatalogColumn, CatalogReference, CatalogSchema, CatalogTable, ReadCatalog } from "../../../catalog.ts";
import { readCheck, type Said } from "../../../constraints.ts";
import type { Row } from "../../../database.ts";
import type { Reader } from "../../../ddl.ts";
import { inSchemas, nameFrom, nameText } from "../ddl/schemas.ts";
import { typeOf } from "./column-types.ts";

// Partitions are part of their table; materialized views and foreign tables are read as views are.
const tablesText = (here: string) => `SELECT ${nameText("c")}, c.relkind IN ('v', 'm', 'f'), obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${here} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
ORDER BY c.relkind IN ('v', 'm', 'f'), c.relname COLLATE "C", n.nspname <> current_schema(), n.nspname COLLATE "C"`;
const columnsText = (here: string) => `SELECT ${nameText("c")}, a.attname, format_type(a.atttypid, a.atttypmod),
  CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_enum e WHERE e.enumtypid IN (t.oid, t.typbasetype)),
  a.attnotnull OR t.typnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> '', col_description(c.oid, a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE ${here} ORDER BY c.relname, a.attnum`;
const names = (table: string, numbers: string) =>
  `(SELECT json_agg(a.attname ORDER BY k.place)::text FROM unnest(${numbers}) WITH ORDINALITY k(number, place) JOIN pg_attribute a ON a.attrelid = ${table} AND a.attnum = k.number)`;
const constraintsText = (
  here: string,
) => `SELECT ${nameText("c")}, o.contype::text, ${names("o.conrelid", "o.conkey")}, ${nameText("f")}, ${names("o.confrelid", "o.confkey")},
  o.confdeltype::text, pg_get_expr(o.conbin, o.conrelid)
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class f ON f.oid = o.confrelid
WHERE ${here} AND o.contype IN ('p', 'f', 'c') ORDER BY c.relname, o.conname`;
// Of an index over an expression nothing can be named.
const indexesText = (
  here: string,
) => `SELECT ${nameText("c")}, i.indisunique, ${names("i.indrelid", "i.indkey[0:i.indnkeyatts - 1]")}
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class x ON x.oid = i.indexrelid
WHERE ${here} AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid ORDER BY c.relname, x.relname`;

export const readPostgresCatalog: ReadCatalog = async (read, schemas) => {
  const here = inSchemas(schemas);
  const tables = await read(tablesText(here));
  const grouped = async (text: (here: string) => string) => Map.groupBy(await read(text(here)), ([table]) => nameFrom(table));
  const columns = await grouped(columnsText);
  const constraints = await grouped(constraintsText);
  const indexes = await grouped(indexesText);
  return tables.map(([name, isView, comment]) => {
    const table = nameFrom(name);
    const of = {
      columns: columns.get(table) ?? [],
      constraints: constraints.get(table) ?? [],
      indexes: indexes.get(table) ?? [],
    };
    return toTable(
      { name: table, isView: isView === 1 || isView === "t" || String(isView) === "true", comment: textOf(comment) },
      of,
    );
  });
};

// Nobody keeps tables of their own in a system's schema, and the product's own are no one else's.
const schemasText = `SELECT n.nspname, n.nspname = current_schema(), count(*) FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'holdfast')
GROUP BY n.nspname ORDER BY n.nspname COLLATE "C"`;

/** Every schema that has tables which somebody may want to adopt. */
export async function readPostgresSchemas(read: Reader): Promise<readonly CatalogSchema[]> {
  return (await read(schemasText)).map(([name, isCurrent, tables]) => ({
    name: String(name),
    isCurrent: isTrue(isCurrent),
    tables: Number(tables),
  }));
}

interface Rows {
  readonly columns: readonly Row[];
  readonly constraints: readonly Row[];
  readonly indexes: readonly Row[];
}

interface Found {
  readonly name: string;
  readonly isView: boolean;
  readonly comment: string | null;
}

function toTable({ name, isView, comment }: Found, { columns, constraints, indexes }: Rows): CatalogTable {
  const of = (kind: string) => constraints.filter((row) => row[1] === kind);
  const key = listOf(of("p")[0]?.[2]);
  const checks = of("c").map((row) => String(row[6]));
  const said = checks.flatMap(readCheck);
  const listed = indexes.map(([, unique, names]) => ({ unique: isTrue(unique), columns: listOf(names) }));
  return {
    name,
    kind: isView ? "view" : "table",
    comment,
    fault: null,
    columns: columns.map((row) => toColumn(row, { key, said })),
    key,
    uniques: listed.filter(({ unique }) => unique).map((index) => index.columns),
    indexes: listed.filter(({ unique }) => !unique).map((index) => index.columns),
    checks: checks.filter((check) => readCheck(check).length === 0),
    references: of("f").map(toReference),
  };
}

function toColumn(row: Row, { key, said }: { readonly key: readonly string[]; readonly said: readonly Said[] }): CatalogColumn {
  const [, name, native, base, labels, notNull, fallback, identity, generated, comment] = row;
  const column = String(name);
  const sql = textOf(fallback);
  const isCounted = key.length === 1 && key[0] === column && (isTrue(identity) || sql?.startsWith("nextval(") === true);
  const own = said.filter((one) => one.column === column);
  const choice = own.find((one) => "choices" in one);
  const judged = typeOf(String(base), labels === null ? null : listOf(labels));
  return {
    name: column,
    native: String(native),
    ...judged,
    ...(choice && "choices" in choice && judged.type?.name === "text"
      ? { type: { name: "choice", choices: choice.choices } }
      : {}),
    optional: !isTrue(notNull) && !key.includes(column),
    default: isTrue(generated) || isTrue(identity) ? "database" : defaultOf(sql),
    bounds: own.reduce<Bounds>((bounds, one) => ("bounds" in one ? { ...bounds, ...one.bounds } : bounds), {}),
    made: isTrue(generated) ? "computed" : isCounted ? "counted" : null,
    comment: textOf(comment),
  };
}

function defaultOf(sql: string | null): CatalogColumn["default"] {
  if (sql === null || /^NULL::/i.test(sql)) return null;
  const text = /^'((?:[^']|'')*)'::[\w ".()]+$/.exec(sql)?.[1]?.replaceAll("''", "'");
  if (text !== undefined) return { value: text };
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(sql)) return { value: Number(sql) };
  if (sql === "true" || sql === "false") return { value: sql === "true" };
  return /^(now\(\)|CURRENT_TIMESTAMP)$/.test(sql) ? "now" : "database";
}

const actions: Readonly<Record<string, CatalogReference["onDelete"]>> = { a: null, r: null, c: "cascade", n: "setNull" };

function toReference([, , columns, table, targets, onDelete]: Row): CatalogReference {
  return {
    columns: listOf(columns),
    table: nameFrom(table),
    targets: listOf(targets),
    onDelete: actions[String(onDelete)] === undefined ? "other" : (actions[String(onDelete)] ?? null),
  };
}

function isTrue(value: Row[number] | undefined): boolean {
  return value === 1 || value === "t" || value === "true";
}

function textOf(value: Row[number] | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function listOf(value: Row[number] | undefined): readonly string[] {
  return typeof value === "string" ? (JSON.parse(value) as string[]) : [];
}
