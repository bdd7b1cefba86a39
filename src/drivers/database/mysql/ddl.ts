/** MariaDB's data definition: types that hold exactly what the fields hold, texts bounded where keys and indexes need it. */
import {
  type Alteration,
  type ColumnChange,
  type ColumnShape,
  type Ddl,
  type IndexShape,
  type ReferenceShape,
  type TableChange,
  type TableShape,
} from "../../ddl.ts";
import { catalogue, fingerprint } from "./catalogue.ts";
import { collation, literal, quote } from "./text.ts";
import { hiddenColumn, indexedColumn, listNames, referenceName, referencesOf, typeOf } from "./shapes.ts";

const tableOptions = `ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`;

function defineColumn(column: ColumnShape, fill: string | null = null): string {
  const parts = [quote(column.name), typeOf(column), column.optional ? "NULL" : "NOT NULL"];
  if (column.serial) parts.push("AUTO_INCREMENT");
  if (fill !== null) parts.push(`DEFAULT ${fill}`);
  // As text, so that it stays to the letter what it was.
  if (column.storage === "json") parts.push(`CHECK (JSON_VALID(${quote(column.name)}))`);
  return parts.join(" ");
}

function createTable(table: TableShape): string {
  const lines = [...table.columns.map((column) => defineColumn(column)), `PRIMARY KEY (${listNames(table.key)})`];
  return `CREATE TABLE ${quote(table.name)} (\n  ${lines.join(",\n  ")}\n) ${tableOptions}`;
}

function addReference(table: string, reference: ReferenceShape): string {
  const { columns, table: target, key } = reference;
  const name = quote(referenceName(table, reference));
  return `ALTER TABLE ${quote(table)} ADD CONSTRAINT ${name} FOREIGN KEY (${listNames(columns)}) REFERENCES ${quote(target)} (${listNames(key)})`;
}

function alterTable({ from, to, columns }: TableChange): Alteration {
  const at = `ALTER TABLE ${quote(to.name)}`;
  const gone = columns.flatMap((change) => (change.kind === "drop" ? [change.column.name] : []));
  const before = referencesOf(from).filter((one) => !one.columns.some((name) => gone.includes(name)));
  const after = referencesOf(to);
  const isIn = (all: readonly ReferenceShape[], one: ReferenceShape) =>
    all.some((other) => JSON.stringify(other) === JSON.stringify(one));
  const dropped = [...referencesOf(from).filter((one) => !before.includes(one)), ...before.filter((one) => !isIn(after, one))];
  const rekeyed = from.key.join("\n") !== to.key.join("\n");
  return {
    statements: [
      ...dropped.map((one) => `${at} DROP FOREIGN KEY ${quote(referenceName(to.name, one))}`),
      ...columns.flatMap((change) => alterColumn(to.name, change)),
      ...(rekeyed ? [`${at} DROP PRIMARY KEY, ADD PRIMARY KEY (${listNames(to.key)})`] : []),
      ...after.filter((one) => !isIn(before, one)).map((one) => addReference(to.name, one)),
    ],
    // What the server copies it copies itself, indexes and all.
    rebuilds: false,
  };
}

function alterColumn(table: string, change: ColumnChange): string[] {
  const at = `ALTER TABLE ${quote(table)}`;
  if (change.kind === "drop") return [`${at} DROP COLUMN ${quote(change.column.name)}`];
  if (change.kind === "add") {
    const { column, fill } = change;
    const added = `${at} ADD COLUMN ${defineColumn(column, fill === null ? null : `(${fill})`)}`;
    return fill === null ? [added] : [added, `${at} ALTER COLUMN ${quote(column.name)} DROP DEFAULT`];
  }
  const { from, to, value } = change;
  const column = quote(to.name);
  const update = value === null ? [] : [`UPDATE ${quote(table)} SET ${column} = ${value}`];
  const modify = defineColumn(from) === defineColumn(to) ? [] : [`${at} MODIFY COLUMN ${defineColumn(to)}`];
  return [...update, ...modify];
}

/** A condition is kept in a column of its own, which is null where it does not hold: rows with null never meet. */
function createIndex(index: IndexShape): string {
  const columns = index.columns.map(indexedColumn);
  if (index.where === null || !index.unique)
    return `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${quote(index.name)} ON ${quote(index.table)} (${columns.join(", ")})`;
  const hidden = quote(hiddenColumn(index));
  const kept = `${hidden} TINYINT(1) GENERATED ALWAYS AS (CASE WHEN ${index.where} THEN 1 END) VIRTUAL INVISIBLE`;
  return `ALTER TABLE ${quote(index.table)} ADD COLUMN ${kept}, ADD UNIQUE INDEX ${quote(index.name)} (${[...columns, hidden].join(", ")})`;
}

function dropIndex(index: IndexShape): string {
  const hidden = index.where === null || !index.unique ? "" : `, DROP COLUMN ${quote(hiddenColumn(index))}`;
  return `ALTER TABLE ${quote(index.table)} DROP INDEX ${quote(index.name)}${hidden}`;
}

function literalOf(value: Parameters<Ddl["literal"]>[0], form?: Parameters<Ddl["literal"]>[1]): string {
  if (form === undefined || value === null) return literal(value);
  if (form.storage === "decimal" && form.scale) return `(${value as number} * 0.${"0".repeat(form.scale - 1)}1)`;
  if (form.storage === "datetime") return `CAST(${literal(String(value as string).slice(0, 23))} AS DATETIME(3))`;
  return literal(value);
}

/** The types that CAST has. */
const casts: Readonly<Record<ColumnShape["storage"], string>> = {
  text: "CHAR",
  uuid: "CHAR",
  json: "CHAR",
  datetime: "DATETIME(3)",
  date: "DATE",
  time: "TIME",
  integer: "SIGNED",
  bigint: "SIGNED",
  boolean: "SIGNED",
  decimal: "DECIMAL(60,20)",
  real: "DOUBLE",
  bytes: "BINARY",
};

export const mysqlDdl: Ddl = Object.freeze<Ddl>({
  product: "mysql",
  boundsTexts: true,
  quote,
  literal: literalOf,
  createTable,
  addReferences: (table) => referencesOf(table).map((one) => addReference(table.name, one)),
  alterTable,
  createIndex,
  dropIndex,
  fingerprint,
  // What stands behind the milliseconds is a zone, which is UTC.
  cast: (expression, storage) => `CAST(${storage === "datetime" ? `LEFT(${expression}, 23)` : expression} AS ${casts[storage]})`,
  catalogue,
});
