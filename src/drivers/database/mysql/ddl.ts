/** The data definition of MariaDB and MySQL: types that hold exactly what the fields hold, texts bounded where keys and indexes need it. */
import {
  type Alteration,
  type ColumnChange,
  type ColumnShape,
  type Ddl,
  type Deed,
  type IndexShape,
  type Manner,
  type References,
  type ReferenceShape,
  type TableChange,
  type TableShape,
} from "../../ddl.ts";
import { toStandard } from "./catalog/words.ts";
import { createCatalogue, fingerprint } from "./ddl/catalogue.ts";
import { createDdlForms } from "./ddl/forms.ts";
import { createLockOf } from "./ddl/locks.ts";
import { countOrphans } from "./ddl/references.ts";
import { literal, quote } from "./text.ts";
import type { Variant } from "./variants/variant.ts";
import { hiddenColumn, indexedColumn, isUnbounded, listNames, referenceName, typeOf } from "./ddl/shapes.ts";

const texts: ReadonlySet<ColumnShape["storage"]> = new Set(["text", "uuid", "json"]);

/** How a column is defined beside others: in a table, and with what rows that exist get. */
interface Defining extends Pick<TableShape, "traits"> {
  readonly fill?: string | null;
}

interface Altering extends Pick<Variant, "tables"> {
  readonly define: Define;
}

type Define = (column: ColumnShape, defining?: Defining) => string;

function defineColumn({ collation, tables }: Variant, column: ColumnShape, { traits, fill = null }: Defining = {}): string {
  const { native, storage } = column;
  // A table of somebody else's has a collation of its own.
  const own = traits !== undefined && !native && texts.has(storage) ? ` CHARACTER SET utf8mb4 COLLATE ${collation}` : "";
  const parts = [
    quote(column.name),
    // The catalogue, and so the file, writes backslashes twice.
    `${toStandard(typeOf(column, tables))}${native?.collation ?? own}`,
    column.optional ? "NULL" : "NOT NULL",
  ];
  if (column.serial) parts.push("AUTO_INCREMENT");
  const given = fill ?? native?.fill ?? null;
  if (given !== null) parts.push(`DEFAULT ${given}`);
  if (native?.tail !== undefined) parts.push(native.tail);
  // As text, so that it stays to the letter what it was.
  if (storage === "json" && !native && tables.checksDocuments) parts.push(`CHECK (JSON_VALID(${quote(column.name)}))`);
  return parts.join(" ");
}

function createTable(define: Define, table: TableShape, collation: string): string {
  const lines = [...table.columns.map((column) => define(column, table)), `PRIMARY KEY (${listNames(table.key)})`];
  return `CREATE TABLE ${quote(table.name)} (\n  ${lines.join(",\n  ")}\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`;
}

function addReference(table: string, reference: ReferenceShape): string {
  const { columns, table: target, key, rule = "" } = reference;
  const name = quote(referenceName(table, reference));
  return `ALTER TABLE ${quote(table)} ADD CONSTRAINT ${name} FOREIGN KEY (${listNames(columns)}) REFERENCES ${quote(target)} (${listNames(key)})${rule}`;
}

function alterTable({ define, tables }: Altering, { from, to, columns }: TableChange): Alteration {
  const at = `ALTER TABLE ${quote(to.name)}`;
  const rekeyed = from.key.join("\n") !== to.key.join("\n");
  const deeds = columns.map((change) => deedOf({ define, tables }, change));
  return {
    statements: [
      ...columns.flatMap((change) => alterColumn({ define, tables }, to, change)),
      ...(rekeyed
        ? [`${at} ${[...uncounted(define, from), `DROP PRIMARY KEY, ADD PRIMARY KEY (${listNames(to.key)})`].join(", ")}`]
        : []),
    ],
    // What the server copies it copies itself, indexes and all.
    rebuilds: false,
    deed: rekeyed ? "key" : (heaviest.find((deed) => deeds.includes(deed)) ?? "alter"),
  };
}

const heaviest = ["rewrite", "require", "drop-column"] as const;

function deedOf({ define, tables }: Altering, change: ColumnChange): Deed {
  if (change.kind === "drop") return "drop-column";
  // What is found out for each row anew is written into each.
  if (change.kind === "add")
    return change.fill !== null && fillOf(tables, change.column, change.fill).isCopied ? "rewrite" : "alter";
  const { from, to, value } = change;
  const isJudged = from.storage === "json" && tables.checksDocuments;
  if (value !== null || isJudged || from.serial !== to.serial) return "rewrite";
  if (define({ ...from, optional: to.optional }) === define(to)) return "require";
  return from.optional === to.optional && isLengthened(from, to) ? "alter" : "rewrite";
}

/** The server keeps the length of a value in one byte, or in two where the column holds more than 255. */
function isLengthened({ length: from, storage }: ColumnShape, to: ColumnShape): boolean {
  if (storage !== "text" || to.storage !== "text" || typeof from !== "number" || typeof to.length !== "number") return false;
  const isLong = (length: number) => length * 4 > 255;
  return from <= to.length && isLong(from) === isLong(to.length);
}

/** Only a key is counted up. */
function uncounted(define: Define, { columns, key }: TableShape): readonly string[] {
  const counted = columns.filter(({ name, serial }) => serial && key.includes(name));
  return counted.map((column) => `MODIFY COLUMN ${define({ ...column, serial: false })}`);
}

function fillOf(tables: Variant["tables"], column: ColumnShape, fill: string) {
  const constant = tables.constant === null ? null : tables.constant(typeOf(column, tables), fill);
  return { sql: constant ?? `(${fill})`, isCopied: tables.constant !== null && constant === null };
}

function alterColumn({ define, tables }: Altering, table: TableShape, change: ColumnChange): string[] {
  const at = `ALTER TABLE ${quote(table.name)}`;
  if (change.kind === "drop") return [`${at} DROP COLUMN ${quote(change.column.name)}`];
  if (change.kind === "add") {
    const { column, fill } = change;
    const added = `${at} ADD COLUMN ${define(column, { ...table, fill: fill === null ? null : fillOf(tables, column, fill).sql })}`;
    return fill === null ? [added] : [added, `${at} ALTER COLUMN ${quote(column.name)} DROP DEFAULT`];
  }
  const { from, to, value } = change;
  const column = quote(to.name);
  const update = value === null ? [] : [`UPDATE ${quote(table.name)} SET ${column} = ${value}`];
  const modify = (shape: ColumnShape) => `${at} MODIFY COLUMN ${define(shape, table)}`;
  if (define(from, table) === define(to, table)) return update;
  // A text holds what is written of any value; any other type takes it from what the old one holds.
  if (to.storage === "text" && value !== null)
    return [modify({ ...to, optional: true }), ...update, ...(to.optional ? [] : [modify(to)])];
  return [...update, modify(to)];
}

/**
 * A condition is kept in a column of its own, which is null where it does not hold: rows with null never meet. It is stored, for with
 * an index over a virtual column every later change of the table copies it.
 */
function createIndex({ longParts }: Variant["tables"], index: IndexShape, table: TableShape): string {
  const columns = index.columns.flatMap((part) => {
    const isLong = index.unique && isUnbounded(part, table);
    return isLong && longParts !== null ? longParts(part.column) : [indexedColumn(part)];
  });
  if (index.where === null || !index.unique)
    return `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${quote(index.name)} ON ${quote(index.table)} (${columns.join(", ")})`;
  const hidden = quote(hiddenColumn(index));
  const kept = `${hidden} TINYINT(1) GENERATED ALWAYS AS (CASE WHEN ${index.where} THEN 1 END) STORED INVISIBLE`;
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

/** The server makes an index of the same name where no other serves, and forgets it once another does. */
function dropReference(table: string, reference: ReferenceShape): string {
  const name = quote(referenceName(table, reference));
  return `ALTER TABLE ${quote(table)} DROP FOREIGN KEY ${name}, DROP INDEX IF EXISTS ${name}`;
}

const references: References = Object.freeze({ add: addReference, drop: dropReference, named: true, orphans: countOrphans });

const manner: Omit<Manner, "lockOf"> = Object.freeze<Omit<Manner, "lockOf">>({
  transactional: false,
  lockTables: null,
  prepare: null,
  renameIndex: null,
  online: null,
});

export function createDdl(variant: Variant): Ddl {
  const define: Define = (column, defining) => defineColumn(variant, column, defining);
  return Object.freeze<Ddl>({
    product: "mysql",
    quote,
    literal: literalOf,
    createTable: (table) => createTable(define, table, variant.collation),
    alterTable: (change) => alterTable({ define, tables: variant.tables }, change),
    createIndex: (index, table) => createIndex(variant.tables, index, table),
    dropIndex,
    fingerprint: (own) => fingerprint(own, variant.tables),
    forms: createDdlForms(variant.collation),
    references,
    manner: Object.freeze<Manner>({ ...manner, lockOf: createLockOf(variant.tables) }),
    catalogue: createCatalogue(variant),
  });
}
