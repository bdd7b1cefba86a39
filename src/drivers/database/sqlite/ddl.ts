/** SQLite's data definition: STRICT tables, ALTER where that is enough, and else the table rebuilt by copying. */
import type { Row, Value } from "../../database.ts";
import {
  type Alteration,
  type ColumnChange,
  type ColumnShape,
  type Ddl,
  dropTable,
  indexColumns,
  type IndexShape,
  type Manner,
  type Reader,
  type ReferenceShape,
  referencesOf,
  renameTable,
  type Structure,
  type Structures,
  type TableChange,
  type TableShape,
} from "../../ddl.ts";
import { tiesOf } from "../structures.ts";
import { sqliteDialect } from "./dialect.ts";
import { readFound, readReferences } from "./ddl/found.ts";
import { sqliteForms } from "./ddl/forms.ts";

/** Column types of STRICT tables (sqlite.org/stricttables.html). */
const columnTypes: Readonly<Record<ColumnShape["storage"], string>> = {
  text: "TEXT",
  uuid: "TEXT",
  datetime: "TEXT",
  date: "TEXT",
  time: "TEXT",
  json: "TEXT",
  integer: "INTEGER",
  bigint: "INTEGER",
  decimal: "INTEGER",
  boolean: "INTEGER",
  real: "REAL",
  bytes: "BLOB",
};

const quote = (name: string) => sqliteDialect.quote(name);

/** A value as SQL text. Numbers that are not finite have none. */
function literal(value: Value): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return textLiteral(value);
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a literal must be finite");
  // The one integer whose digits SQLite would read as a float, since it takes the sign for an operator.
  return value === -(2n ** 63n) ? "(-9223372036854775807 - 1)" : String(value);
}

// SQLite ends a statement's text at U+0000.
function textLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes("\0") ? `(${quoted.replaceAll("\0", "' || char(0) || '")})` : quoted;
}

/** A column of a table of our own making is of a type of STRICT tables, whatever the column is called that it refers to. */
function typeOf({ storage, native }: ColumnShape, isStrict: boolean): string {
  if (!native) return columnTypes[storage];
  return isStrict ? strictType(native.type) : native.type;
}

/** By sqlite.org/datatype3.html, section 3.1; a column of type ANY keeps every value as it is. */
function strictType(declared: string): string {
  const word = declared.toUpperCase();
  if (word.includes("INT")) return "INTEGER";
  if (/CHAR|CLOB|TEXT/.test(word)) return "TEXT";
  if (word.includes("BLOB")) return "BLOB";
  return /REAL|FLOA|DOUB/.test(word) ? "REAL" : "ANY";
}

const countsWith = "AUTOINCREMENT";

function defineColumn(column: ColumnShape, fill: string | null = null, { traits }: Pick<TableShape, "traits"> = {}): string {
  const { name, native, references } = column;
  const said = typeOf(column, traits === undefined);
  // Words and digits are a type as they are; whatever else another database calls one is a name.
  const type = /^[\w (),]*$/.test(said) ? said : quote(said);
  if (column.serial) {
    const isCounted = traits === undefined || traits.includes(countsWith);
    const required = native && !isCounted && !takesNull(column) ? " NOT NULL" : "";
    return `${quote(name)} ${native ? type : "INTEGER"}${required} PRIMARY KEY${isCounted ? ` ${countsWith}` : ""}`;
  }
  const parts = [quote(name), type];
  if (!takesNull(column)) parts.push("NOT NULL");
  const given = fill ?? native?.fill ?? null;
  if (given !== null) parts.push(`DEFAULT ${fill === null ? `(${given})` : given}`);
  if (column.storage === "boolean" && !native) parts.push(`CHECK (${quote(name)} IN (0, 1))`);
  if (references) parts.push(`REFERENCES ${quote(references.table)} (${quote(references.column)})${references.rule ?? ""}`);
  return parts.join(" ").replace("  ", " ");
}

function takesNull({ native, optional }: ColumnShape): boolean {
  return native?.nullable ?? optional;
}

/** A serial key is the rowid itself; any other table of our own is ordered by its key, which every index then ends with. */
function createTable(table: TableShape): string {
  const { traits } = table;
  const isSerial = table.columns.some(({ serial }) => serial);
  const lines = table.columns.map((column) => defineColumn(column, null, table));
  const list = (names: readonly string[]) => names.map(quote).join(", ");
  if (!isSerial) lines.push(`PRIMARY KEY (${list(table.key)})`);
  for (const columns of table.uniques ?? []) lines.push(`UNIQUE (${list(columns)})`);
  for (const { columns, table: target, key, rule = "" } of table.references ?? [])
    lines.push(`FOREIGN KEY (${list(columns)}) REFERENCES ${quote(target)} (${list(key)})${rule}`);
  const options = traits?.filter((trait) => trait !== countsWith) ?? ["STRICT", ...(isSerial ? [] : ["WITHOUT ROWID"])];
  return `CREATE TABLE ${quote(table.name)} (\n  ${lines.join(",\n  ")}\n)${options.length === 0 ? "" : ` ${options.join(", ")}`}`;
}

function alterTable(change: TableChange): Alteration {
  const { from, to, columns } = change;
  const whole = ({ key, references = [], uniques = [] }: TableShape) => JSON.stringify([key, references, uniques]);
  if (whole(from) !== whole(to) || columns.some((column) => needsRebuild(column, from)))
    return { statements: rebuild(change), rebuilds: true, deed: "rewrite" };
  const deed = columns.some(({ kind }) => kind === "change")
    ? "rewrite"
    : columns.some(({ kind }) => kind === "drop")
      ? "drop-column"
      : "alter";
  return { statements: columns.flatMap((column) => alterColumn(from, column)), rebuilds: false, deed };
}

function needsRebuild(change: ColumnChange, table: TableShape): boolean {
  const { key, traits, uniques = [] } = table;
  if (change.kind === "add") return !change.column.optional && change.fill !== null && change.fill.startsWith("(");
  // Where the reference stands behind the columns, its column cannot be dropped alone.
  if (change.kind === "drop") {
    const { name, references } = change.column;
    return (
      key.includes(name) || (traits !== undefined && references !== null) || uniques.some((columns) => columns.includes(name))
    );
  }
  return (
    defineColumn(change.from, null, table) !== defineColumn(change.to, null, table) ||
    (change.value !== null && key.includes(change.to.name))
  );
}

function alterColumn(table: TableShape, change: ColumnChange): string[] {
  const at = `ALTER TABLE ${quote(table.name)}`;
  if (change.kind === "add") return [`${at} ADD COLUMN ${defineColumn(change.column, change.fill, table)}`];
  if (change.kind === "drop") return [`${at} DROP COLUMN ${quote(change.column.name)}`];
  return change.value === null ? [] : [`UPDATE ${quote(table.name)} SET ${quote(change.to.name)} = ${change.value}`];
}

/**
 * The procedure of sqlite.org/lang_altertable.html, section 7, without the steps that the driver does (foreign keys off, one
 * transaction, the check at the end). References from other tables go by name, and so lead to the new table.
 */
function rebuild({ from, to, columns }: TableChange): string[] {
  const copy = { ...to, name: `_new_${to.name}` };
  const values = new Map(to.columns.map(({ name }) => [name, quote(name)]));
  for (const change of columns) {
    if (change.kind === "add") values.set(change.column.name, change.fill ?? "NULL");
    else if (change.kind === "change" && change.value !== null) values.set(change.to.name, change.value);
  }
  const names = [...values.keys()].map(quote).join(", ");
  const statements = [
    createTable(copy),
    `INSERT INTO ${quote(copy.name)} (${names}) SELECT ${[...values.values()].join(", ")} FROM ${quote(from.name)}`,
  ];
  if (isCounted(from) && isCounted(to)) statements.push(...keepCounter(from.name, copy.name));
  return [...statements, dropTable({ quote }, from.name), renameTable({ quote }, copy.name, to.name)];
}

function isCounted({ columns, traits }: TableShape): boolean {
  return columns.some(({ serial }) => serial) && (traits === undefined || traits.includes(countsWith));
}

// Otherwise the numbers of deleted rows would be given anew.
function keepCounter(from: string, to: string): string[] {
  return [
    `DELETE FROM sqlite_sequence WHERE name = ${literal(to)}`,
    `INSERT INTO sqlite_sequence (name, seq) SELECT ${literal(to)}, seq FROM sqlite_sequence WHERE name = ${literal(from)}`,
  ];
}

function fingerprint(own: readonly string[]): string {
  const counts = `substr("tbl_name", 1, 1) <> '_' OR "tbl_name" IN (${own.map(literal).join(", ")})`;
  const definitions = `SELECT "type", "name", "sql" FROM sqlite_schema WHERE "tbl_name" NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND "sql" IS NOT NULL AND (${counts}) ORDER BY "type", "name"`;
  return `(SELECT group_concat("type" || ' ' || "name" || ' ' || "sql", char(10)) FROM (${definitions}))`;
}

async function readTables(read: Reader): Promise<readonly string[]> {
  const rows = await read(
    `SELECT "name" FROM sqlite_schema WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY "name"`,
  );
  return rows.map(([name]) => String(name));
}

const tablesText = `SELECT "name", "strict", "wr" FROM pragma_table_list WHERE "schema" = 'main' AND "type" = 'table' AND "name" NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY "name"`;
const columnsText = `SELECT m."name", c."name", c."type", c."notnull", c."pk", s."seq" IS NOT NULL
FROM sqlite_schema m JOIN pragma_table_xinfo(m."name") c
LEFT JOIN (SELECT 1 AS "seq") s ON c."pk" > 0 AND instr(m."sql", 'PRIMARY KEY AUTOINCREMENT') > 0
WHERE m."type" = 'table' ORDER BY m."name", c."cid"`;
const indexesText = `SELECT m."tbl_name", m."name", l."unique", m."sql", x."name", x."desc"
FROM sqlite_schema m JOIN pragma_index_list(m."tbl_name") l ON l."name" = m."name" JOIN pragma_index_xinfo(m."name") x ON x."key" = 1
WHERE m."type" = 'index' AND m."sql" IS NOT NULL ORDER BY m."name", x."seqno"`;

async function readStructures(read: Reader): Promise<Structures> {
  const [tables, columns, references, indexes, strays] = await Promise.all([
    read(tablesText),
    read(columnsText),
    readReferences(read),
    read(indexesText),
    read(`SELECT "type" || ' ' || "name" FROM sqlite_schema WHERE "type" IN ('view', 'trigger') ORDER BY "name"`),
  ]);
  const byTable = Map.groupBy(columns, ([table]) => String(table));
  const indexesByTable = Map.groupBy(indexes, ([table]) => String(table));
  const structures = tables.map(([name, strict, wr]) =>
    toStructure(
      {
        name: String(name),
        strict: strict === 1,
        withoutRowid: wr === 1,
        references: references.get(String(name)) ?? [],
      },
      byTable.get(String(name)) ?? [],
      indexesByTable.get(String(name)) ?? [],
    ),
  );
  return { tables: new Map(structures.map((one) => [one.name, one])), strays: strays.map(([stray]) => String(stray)) };
}

function toStructure(
  table: { name: string; strict: boolean; withoutRowid: boolean; references: readonly ReferenceShape[] },
  columns: readonly Row[],
  indexes: readonly Row[],
): Structure {
  const counts = columns.some((row) => row[5] === 1);
  const key = columns.filter(([, , , , place]) => place !== 0).toSorted((a, b) => Number(a[4]) - Number(b[4]));
  const described = columns.map(([, name, type, notNull, , isCounter]) => {
    const column = String(name);
    const required = notNull === 1 && isCounter !== 1 ? " NOT NULL" : "";
    return [column, `${String(type)}${required}${tiesOf(table.references, column)}`] as const;
  });
  const grouped = Map.groupBy(indexes, ([, name]) => String(name));
  return {
    name: table.name,
    traits: traitsOf({ ...table, counts }),
    key: key.map(([, name]) => String(name)),
    columns: new Map(described),
    indexes: new Map([...grouped].map(([name, rows]) => [name, describeIndexRows(rows)])),
  };
}

function describeIndexRows(rows: readonly Row[]): string {
  const [, , unique, sql] = rows[0] as Row;
  const where = /\) WHERE ([\s\S]*)$/i.exec(String(sql))?.[1] ?? null;
  return indexText(
    unique === 1,
    rows.map(([, , , , column, descending]) => ({ column: String(column), descending: descending === 1 })),
    where,
  );
}

function indexText(unique: boolean, columns: IndexShape["columns"], where: string | null): string {
  const listed = columns.map(({ column, descending }) => `${column}${descending ? " DESC" : ""}`).join(", ");
  return `${unique ? "UNIQUE " : ""}(${listed})${where === null ? "" : ` WHERE ${where}`}`;
}

function traitsOf(table: { strict: boolean; withoutRowid: boolean; counts: boolean }): string[] {
  return [
    ...(table.strict ? ["STRICT"] : []),
    ...(table.withoutRowid ? ["WITHOUT ROWID"] : []),
    ...(table.counts ? ["AUTOINCREMENT"] : []),
  ];
}

function describe(table: TableShape, indexes: readonly IndexShape[]): Structure {
  const { traits } = table;
  const counts = table.columns.some(({ serial }) => serial);
  const references = referencesOf(table);
  const columns = table.columns.map((column) => {
    const isCounter = column.serial && (traits === undefined || traits.includes(countsWith));
    const required = isCounter || takesNull(column) || (column.serial && !column.native) ? "" : " NOT NULL";
    return [column.name, `${typeOf(column, traits === undefined)}${required}${tiesOf(references, column.name)}`] as const;
  });
  // What comes with the table's definition is no index of its own.
  const own = indexes.filter(({ found }) => found !== "constraint");
  return {
    name: table.name,
    traits: traits ?? traitsOf({ strict: true, withoutRowid: !counts, counts }),
    key: table.key,
    columns: new Map(columns),
    indexes: new Map(own.map((index) => [index.name, indexText(index.unique, index.columns, index.where)])),
  };
}

async function verify(read: Reader): Promise<readonly string[]> {
  const broken = await read("PRAGMA foreign_key_check");
  const damage = await read("PRAGMA integrity_check(20)");
  return [
    ...broken
      .map((row) => row.map(String))
      .map(([table, rowid, parent]) => `row ${rowid} of ${table} refers to a row of ${parent} that does not exist`),
    ...damage.map(([message]) => String(message)).filter((message) => message !== "ok"),
  ];
}

export const sqliteDdl: Ddl = Object.freeze<Ddl>({
  product: "sqlite",
  quote,
  literal,
  createTable,
  alterTable,
  createIndex: (index) => `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${indexColumns({ quote }, index)}`,
  dropIndex: ({ name }) => `DROP INDEX ${quote(name)}`,
  fingerprint,
  forms: sqliteForms,
  references: null,
  // One writer at a time, and readers have the rows of before.
  manner: Object.freeze<Manner>({
    transactional: true,
    lockOf: (deed) => ({ waits: "writers", rows: !["create", "drop", "drop-index", "alter"].includes(deed) }),
    lockTables: null,
    prepare: null,
    renameIndex: null,
    online: null,
  }),
  catalogue: Object.freeze({
    readTables,
    readStructures,
    readFound,
    describe,
    readSizes: async () => new Map(),
    verify,
    commits: null,
  }),
});
