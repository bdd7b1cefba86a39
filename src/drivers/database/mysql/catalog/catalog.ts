/** The catalog of MariaDB and MySQL: tables and views of the current database, as information_schema describes them. */
import type { Bounds, CatalogColumn, CatalogReference, CatalogTable, ReadCatalog } from "../../../catalog.ts";
import { readCheck, type Said } from "../../../constraints.ts";
import type { Row } from "../../../database.ts";
import type { Reader } from "../../../ddl.ts";
import { quote } from "../text.ts";
import { isDoubtful, typeOf } from "./column-types.ts";
import { collated } from "./forms.ts";
import type { CatalogWords, Variant } from "../variants/variant.ts";

// A table whose engine has no transactions is read as views are.
const tablesText = `select table_name, table_type = 'VIEW' or engine <> 'InnoDB', table_type = 'VIEW', table_comment
from information_schema.tables where table_schema = database() and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
order by table_type = 'VIEW' or engine <> 'InnoDB', binary table_name`;
const columnsText = `select table_name, column_name, column_type, is_nullable, column_default, extra, coalesce(generation_expression, '') <> '', column_comment, character_set_name, collation_name
from information_schema.columns where table_schema = database() order by binary table_name, ordinal_position`;
// Of a part of a text, or of an expression, no field can be named.
const indexesText = `select table_name, index_name, non_unique, column_name, sub_part, index_type from information_schema.statistics
where table_schema = database() order by binary table_name, binary index_name, seq_in_index`;
const checksText = (checks: string) =>
  `select table_name, check_clause from (${checks}) c order by binary table_name, binary constraint_name`;
const referencesText = `select k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_table_schema = database(),
  k.referenced_column_name, r.delete_rule
from information_schema.key_column_usage k join information_schema.referential_constraints r
  on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
where k.table_schema = database() and k.referenced_table_name is not null
order by binary k.table_name, binary k.constraint_name, k.ordinal_position`;

/** Reads what that server says. */
export const readCatalogOf =
  ({ catalog }: Pick<Variant, "catalog">): ReadCatalog =>
  async (read) => {
    const tables = await read(tablesText);
    const grouped = async (text: string) => Map.groupBy(await read(text), ([table]) => String(table));
    const columns = await grouped(columnsText);
    const indexes = await grouped(indexesText);
    const checks = await grouped(checksText(catalog.checks));
    const references = await grouped(referencesText);
    const found: CatalogTable[] = [];
    for (const row of tables) {
      const name = String(row[0]);
      const rows: Rows = {
        columns: columns.get(name) ?? [],
        indexes: indexes.get(name) ?? [],
        checks: checks.get(name) ?? [],
        references: references.get(name) ?? [],
      };
      found.push(await withoutHuge(toTable(row, rows, catalog), read));
    }
    return found;
  };

interface Rows {
  readonly columns: readonly Row[];
  readonly indexes: readonly Row[];
  readonly checks: readonly Row[];
  readonly references: readonly Row[];
}

function toTable([table, isReadOnly, isView, remark]: Row, rows: Rows, catalog: CatalogWords): CatalogTable {
  const name = String(table);
  const checks = rows.checks.map((row) => catalog.condition(String(row[1])));
  const documents = new Set(checks.flatMap((check) => documentIn(check) ?? []));
  const judged = checks.filter((check) => documentIn(check) === null);
  const indexes = [...Map.groupBy(rows.indexes, (row) => String(row[1])).entries()].filter(([, parts]) => isWhole(parts));
  const key = indexes.find(([index]) => index === "PRIMARY")?.[1].map(columnIn) ?? [];
  const listed = (unique: boolean) =>
    indexes
      .filter(([index, parts]) => index !== "PRIMARY" && (parts[0]?.[2] === 0) === unique)
      .map(([, parts]) => parts.map(columnIn));
  const knowing: Knowing = { catalog, key, documents, said: judged.flatMap(readWhole) };
  const comment = textOf(remark);
  return {
    name,
    kind: isReadOnly === 1 ? "view" : "table",
    comment: isView === 1 ? null : comment,
    fault: isView === 1 && rows.columns.length === 0 ? "is a view over what is not there" : null,
    columns: rows.columns.map((row) => toColumn(row, knowing)),
    key,
    uniques: listed(true),
    indexes: listed(false),
    checks: judged.filter((check) => readWhole(check).length === 0),
    references: [...Map.groupBy(rows.references, (row) => String(row[1])).values()].map(toReference),
  };
}

const readWhole = (check: string) => (isDoubtful(check) ? [] : readCheck(check));
const columnIn = (row: Row) => String(row[3]);

function isWhole(parts: readonly Row[]): boolean {
  const isUnique = parts[0]?.[2] === 0;
  return parts.every(([, , , column, part, type]) => column !== null && part === null && (isUnique || type === "BTREE"));
}

/** The column that a CHECK holds to JSON, as the type `json` does. */
function documentIn(check: string): string | null {
  const [, name] = /^json_valid\(["`](.*)["`]\)$/i.exec(check) ?? [];
  return name?.replaceAll('""', '"') ?? null;
}

interface Knowing {
  readonly catalog: CatalogWords;
  readonly key: readonly string[];
  readonly documents: ReadonlySet<string>;
  readonly said: readonly Said[];
}

function toColumn(row: Row, { catalog, key, documents, said }: Knowing): CatalogColumn {
  const [, name, type, nullable, fallback, extra, generated, comment, charset, collation] = row;
  const [column, declared, more] = [String(name), String(type), String(extra).toLowerCase()];
  const isComputed = generated === 1;
  const isCounted = more.includes("auto_increment") && key.length === 1 && key[0] === column;
  const own = said.filter((one) => one.column === column);
  const choice = own.find((one) => "choices" in one);
  const judged = typeOf(declared, documents.has(column) && charset === "utf8mb4");
  const isForeign = judged.type?.name === "text" && charset !== null && charset !== "utf8mb4" && !declared.startsWith("set(");
  const renewed = more.includes("on update") ? "is set anew by the database with each change that does not name it" : null;
  return {
    name: column,
    native: isForeign ? collated(declared, String(collation)) : declared,
    ...judged,
    why: judged.why ?? renewed,
    ...(choice && "choices" in choice && judged.type?.name === "text"
      ? { type: { name: "choice", choices: choice.choices } }
      : {}),
    optional: nullable === "YES" && !key.includes(column),
    default:
      isComputed || more.includes("auto_increment")
        ? "database"
        : defaultOf(
            catalog.fill(typeof fallback === "string" ? fallback : null, { type: declared, extra: String(extra) })?.sql ?? null,
          ),
    bounds: isCounted ? {} : boundsOf(declared, own),
    made: isComputed ? "computed" : isCounted ? "counted" : null,
    comment: textOf(comment),
  };
}

/** A number without a sign is at least zero, whatever else is said of it. */
function boundsOf(native: string, said: readonly Said[]): Bounds {
  const start: Bounds = / unsigned\b/.test(native) ? { min: "0" } : {};
  return said.reduce<Bounds>((bounds, one) => ("bounds" in one ? { ...bounds, ...one.bounds } : bounds), start);
}

function defaultOf(sql: string | null): CatalogColumn["default"] {
  if (sql === null) return null;
  if (isDoubtful(sql)) return "database";
  const [, text] = /^'((?:[^']|'')*)'$/.exec(sql) ?? [];
  if (text !== undefined) return { value: text.replaceAll("''", "'") };
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(sql)) return { value: Number(sql) };
  const bit = /^b'([01])'$/.exec(sql)?.[1];
  if (bit !== undefined) return { value: Number(bit) };
  return /^current_timestamp(\(\d?\))?$/i.test(sql) ? "now" : "database";
}

const actions: Readonly<Record<string, CatalogReference["onDelete"]>> = {
  RESTRICT: null,
  "NO ACTION": null,
  CASCADE: "cascade",
  "SET NULL": "setNull",
};

function toReference(rows: readonly Row[]): CatalogReference {
  const [, , , table, isHere, , rule] = rows[0] as Row;
  return {
    columns: rows.map((row) => String(row[2])),
    table: isHere === 1 ? String(table) : `${String(table)} of another database`,
    targets: rows.map((row) => String(row[5])),
    onDelete: actions[String(rule)] === undefined ? "other" : (actions[String(rule)] ?? null),
  };
}

/** Rows of a table that are looked at. */
const sampledRowsMax = 100_000;
const signedMax = 9_223_372_036_854_775_807n;

/** Leaves out columns whose numbers are beyond 63 bits, which no field holds. */
async function withoutHuge(table: CatalogTable, read: Reader): Promise<CatalogTable> {
  const wide = table.columns.filter(({ native, made }) => /^bigint.* unsigned/.test(native) && made !== "counted");
  if (wide.length === 0 || table.fault !== null) return table;
  const names = wide.map(({ name }) => quote(name));
  const from = `(select ${names.join(", ")} from ${quote(table.name)} limit ${sampledRowsMax}) s`;
  const [row] = await read(`select ${names.map((name) => `coalesce(max(${name}) > ${signedMax}, 0)`).join(", ")} from ${from}`);
  const huge = new Set(wide.filter((_, index) => row?.[index] === 1));
  const columns = table.columns.map((column) =>
    huge.has(column) ? { ...column, type: null, why: "holds numbers beyond 63 bits" } : column,
  );
  return { ...table, columns };
}

function textOf(value: Row[number] | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
