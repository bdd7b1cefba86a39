/** The contract of a database's data definition: shapes of tables in, SQL text out. Knows no models and runs nothing. */
import type { FieldType } from "../schema/fields/field-type.ts";
import { partsOfTable } from "../schema/table-name.ts";
import type { Product, Row, Value } from "./database.ts";
import type { FoundTable } from "./found.ts";

export interface ColumnShape {
  readonly name: string;
  readonly storage: FieldType["storage"];
  /** Digits of a decimal, and how many of them stand after the point. @default 18 and 0 */
  readonly precision?: number | null;
  readonly scale?: number | null;
  /** Code points of a text that a key or an index needs bounded; only where the product bounds texts. @default none */
  readonly length?: number | null;
  readonly optional: boolean;
  /** The number the database counts up; only the one column of a key. */
  readonly serial: boolean;
  /** The key column that every value must exist in; checked at once, and nothing is done on delete. */
  readonly references: ({ readonly table: string; readonly column: string } & TieDetails) | null;
  /** The database's own type, and the default by which it fills the column in. @default the type of the storage, and no default */
  readonly native?: NativeType;
}

export interface NativeType {
  readonly type: string;
  readonly fill: string | null;
  /** The type as `.column()` has it, by which values are read and written. @default the product's own form */
  readonly spelt?: string;
  /** What the catalogue says of the column, but for nullability and references, where it is not the type alone. */
  readonly says?: string;
  /** Whether the column takes null, where that is not as the field says. */
  readonly nullable?: boolean;
  /** What follows the type, and what ends the definition, of a column that somebody else made. */
  readonly collation?: string;
  readonly tail?: string;
  /** The values, in order, of an enumeration that is a type by itself: it is made where it is missing, and takes new ones in. */
  readonly values?: readonly string[];
  /** Why the column must stay as it is, in the words that follow its name. */
  readonly fixed?: string;
}

/** Of a reference that somebody else made. */
export interface TieDetails {
  /** Its name. @default the one that the product would give it */
  readonly tie?: string;
  /** What is done on delete and update, as in ` ON DELETE CASCADE`. @default nothing */
  readonly rule?: string;
}

export interface TableShape {
  readonly name: string;
  readonly columns: readonly ColumnShape[];
  /** Columns of the primary key, in order. */
  readonly key: readonly string[];
  /** References of several columns; one of a single column stands with its column. @default none */
  readonly references?: readonly ReferenceShape[];
  /** Of a table that somebody else made, or that is made like it: what is said of it as a whole. @default the product's own form */
  readonly traits?: readonly string[];
  /** Columns that are unique together by the definition of the table itself, where it is made with them. @default none */
  readonly uniques?: readonly (readonly string[])[];
}

/** Columns whose values together must exist in a key of several columns, unless one of them is null; checked as a column's. */
export interface ReferenceShape extends TieDetails {
  readonly columns: readonly string[];
  readonly table: string;
  /** The key's columns, in the order of `columns`. */
  readonly key: readonly string[];
}

export interface IndexShape {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly {
    readonly column: string;
    readonly descending: boolean;
    /** Code points of a text that the index holds; without it all of them. Only where the product bounds texts. */
    readonly prefix?: number;
  }[];
  readonly unique: boolean;
  /** SQL of a partial index's condition. */
  readonly where: string | null;
  /** Somebody else made it: its columns are these and no more. `constraint`: it comes with a constraint, and goes with it. */
  readonly found?: "index" | "constraint";
}

/** What becomes of one column; a column in both shapes that no change names is kept as it is. */
export type ColumnChange =
  /** `fill` is the literal that rows which exist already get; null leaves them null. */
  | { readonly kind: "add"; readonly column: ColumnShape; readonly fill: string | null }
  | { readonly kind: "drop"; readonly column: ColumnShape }
  /** `value` is an SQL expression over the old row, or null where the values stay. */
  | { readonly kind: "change"; readonly from: ColumnShape; readonly to: ColumnShape; readonly value: string | null };

/** A table before and after, under one name, with columns renamed already. */
export interface TableChange {
  readonly from: TableShape;
  readonly to: TableShape;
  readonly columns: readonly ColumnChange[];
  /** The table has many rows: where there is a way in which nobody waits, it is taken. @default false */
  readonly online?: boolean;
}

export interface Alteration {
  readonly statements: readonly string[];
  /** The table is copied whole: its indexes are gone, and writers wait for as long as that takes. */
  readonly rebuilds: boolean;
  /** The heaviest of what is done. */
  readonly deed: Deed;
  readonly later?: readonly Phase[];
}

/** What follows the transaction of a migration. Killed at any moment, it may be run again from its beginning. */
export interface Phase {
  readonly sql: readonly string[];
  /** Its statements stand outside of any transaction, one after the other; otherwise they share one. */
  readonly alone: boolean;
  /** Removes what a run that was killed or refused has left; null where it leaves nothing. */
  readonly clean: string | null;
  /** A query whose one value is above 0 where everything is done already; null where running it again does no harm. */
  readonly unless: string | null;
}

/** Statements for the transaction of a migration, and what follows it. */
export interface Phased {
  readonly sql: readonly string[];
  readonly later: readonly Phase[];
}

/** A table as the database has it, in the words of the database, so that two can be compared. */
export interface Structure {
  readonly name: string;
  /** What is said of the table as a whole, such as `STRICT`. */
  readonly traits: readonly string[];
  readonly key: readonly string[];
  /** By name: type, nullability and references, such as `TEXT NOT NULL → people(id)`, or `TEXT → lines(order, number) by (line_order, line_number)`. */
  readonly columns: ReadonlyMap<string, string>;
  /** By name: uniqueness, columns and condition, such as `UNIQUE (slug) WHERE "deleted_at" IS NULL`. */
  readonly indexes: ReadonlyMap<string, string>;
}

/** Everything in the database that the product did not name with a leading underscore, and its own tables. */
export interface Structures {
  readonly tables: ReadonlyMap<string, Structure>;
  /** Views and triggers, such as `trigger films_audit`: the product makes none. */
  readonly strays: readonly string[];
}

/**
 * How rows that many append are read in an order in which nothing turns up behind the reader: by a column that says which
 * transaction wrote the row, and within a transaction by the number that the database counts up.
 */
export interface CommitOrder {
  /** The column's type, filled in by the database. */
  readonly column: NativeType;
  /** A parameter as the column holds it. */
  readonly bind: (parameter: string) => string;
  /** True of a row, by that column, before which no further row can turn up. */
  readonly settled: (column: string) => string;
  /** What every transaction ends with that has appended rows: numbers them, where their number is known only then. Names unquoted. */
  readonly seal: (quote: Ddl["quote"], table: string, column: string) => readonly string[];
  /** What gives rows their place that were there before they were ordered: before all others, in the order of their numbers. Names unquoted. */
  readonly settle: (quote: Ddl["quote"], table: string, column: string) => readonly string[];
  /** Tables that sealing needs. */
  readonly tables: readonly TableShape[];
}

/** Reads outside any transaction, or inside one: whichever the caller has. */
export type Reader = (text: string, params?: readonly Value[]) => Promise<readonly Row[]>;

/** Twelve members at most; the text that all databases share is made by the functions below. */
export interface Ddl {
  readonly product: Product;
  quote(name: string): string;
  /** A value as SQL text; with a form, as a column of that storage and scale holds it. */
  literal(value: Value, form?: Pick<ColumnShape, "storage" | "scale">): string;
  /** A whole CREATE TABLE statement. */
  createTable(table: TableShape): string;
  /** The fewest statements that make the change, rows kept. */
  alterTable(change: TableChange): Alteration;
  /** `table` is the one it is on. */
  createIndex(index: IndexShape, table: TableShape): string;
  dropIndex(index: IndexShape): string;
  /** A scalar subquery that changes with any definition in the database, but for tables with a leading underscore not named here. */
  fingerprint(own: readonly string[]): string;
  readonly forms: Forms;
  /** Null where CREATE TABLE and a table's rebuilding say what refers to what. */
  readonly references: References | null;
  readonly manner: Manner;
  readonly catalogue: Catalogue;
}

/** How values are stored, as SQL over expressions. */
export interface Forms {
  /** Texts in keys and indexes have bounds, which are then a part of the structure. */
  readonly boundsTexts: boolean;
  /**
   * A value of one form as one of another: exact numbers keep their value (a boolean is 0 or 1), doubles are rounded half away from
   * zero, texts are those of the wire, a date is its midnight, UTC. The same SQL where both are stored alike; null, in SQL, where
   * nothing leads from one to the other.
   */
  convert(sql: string, from: ValueForm, to: ValueForm): string;
  /** The text is a whole number of 64 bits as the wire writes it, such as `-12`. */
  isWhole(sql: string): string;
  /** A value of a column of somebody else's type as one of the product's own, and back. */
  read(sql: string, native: NativeForm): string;
  write(sql: string, native: NativeForm): string;
  /**
   * A type as `.column()` has it, as definitions have it; whether a column of it can refer to one of the same in any table; and
   * whether somebody has made the type, so that of a choice it is an enumeration.
   */
  declare(native: string): Pick<NativeType, "type" | "collation"> & { readonly refers: boolean; readonly isMade?: boolean };
}

/** How a column of somebody else's type holds a field's values. */
export interface NativeForm extends Pick<ColumnShape, "storage" | "scale"> {
  readonly spelt: string;
}

export type ValueForm = Pick<ColumnShape, "storage" | "precision" | "scale" | "length" | "native">;

/** References that are tied and untied apart from their tables, since both tables must be there. */
export interface References {
  add(table: string, reference: ReferenceShape): string;
  drop(table: string, reference: ReferenceShape): string;
  /**
   * A reference bears a name that follows from its table and columns, and leans on an index: where one of these changes it is untied
   * before and tied anew.
   */
  readonly named: boolean;
  /** A query that counts rows which lead nowhere, for what `add` does not look at; null where it looks at all of them. */
  readonly orphans: ((table: string, reference: ReferenceShape) => string) | null;
}

/** What is done to a table: `alter` changes its definition alone, `require` looks for nulls, `refer` for what is referred to. */
export type Deed = "create" | "drop" | "drop-column" | "drop-index" | "alter" | "rewrite" | "require" | "index" | "refer" | "key";

/** A table that something is done to. */
export interface Altered {
  readonly table: TableShape;
  readonly indexes: readonly IndexShape[];
}

/** What a deed costs those who use the table. */
export interface Lock {
  readonly waits: Waiting;
  /** Until every row has been passed over, and not only for a moment. */
  readonly rows: boolean;
}

export type Waiting = "nobody" | "writers" | "everyone";

/** How the database carries out a migration. */
export interface Manner {
  /** The product's own tables stand in a schema of their own, beside tables that are not the product's. */
  readonly apart?: true;
  /** False where each definition commits by itself. */
  readonly transactional: boolean;
  /** `on`: the table when the deed is done, with its indexes, the one that is made as the last; where it is not told, the lightest. */
  lockOf(deed: Deed, on?: Altered): Lock;
  /** Keeps everyone away until the transaction ends; null where a transaction does so by itself. */
  readonly lockTables: ((tables: readonly string[]) => string) | null;
  /** Makes what a table stands in or is made of, and what is not there yet; null where there is no such thing. */
  readonly prepare: ((table: TableShape) => readonly string[]) | null;
  /** Null where an index is dropped and made anew. */
  readonly renameIndex: ((from: IndexShape, to: IndexShape) => string) | null;
  /** Ways in which nobody waits while rows are passed over; null where there are none. */
  readonly online: Online | null;
}

export interface Online {
  createIndex(index: IndexShape, table: TableShape): Phase;
  addReference(table: string, reference: ReferenceShape): Phased;
}

/** What a database says of itself. Names of tables and indexes have their schema, where that is not the current one. */
export interface Catalogue {
  /** The names of all tables. */
  readTables(read: Reader): Promise<readonly string[]>;
  /** `schemas`: beside those of the current schema the tables of these, where the product has schemas; so below. */
  readStructures(read: Reader, schemas?: readonly string[]): Promise<Structures>;
  /** Those of the named tables that are there, with all that a migration needs to know before it changes what somebody else made. */
  readFound(read: Reader, tables: readonly string[]): Promise<ReadonlyMap<string, FoundTable>>;
  /**
   * What `readStructures` answers for a table that is as it should be. `fingerprint` is what it was when that was last known: where
   * the database writes a condition in words of its own, they are found there, and else stand as `WHERE …`.
   */
  describe(table: TableShape, indexes: readonly IndexShape[], fingerprint?: string): Structure;
  /** Rows by table, as the database estimates them. */
  readSizes(read: Reader, schemas?: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Broken references and damaged pages, in words; empty when all is well. */
  verify(read: Reader, schemas?: readonly string[]): Promise<readonly string[]>;
  /** Null where rows become visible in the order of their numbers: there is one writer at a time. */
  readonly commits: CommitOrder | null;
}

type Quote = Pick<Ddl, "quote">;

export function dropTable(ddl: Quote, name: string): string {
  return `DROP TABLE ${ddl.quote(name)}`;
}

/** Within its schema. */
export function renameTable(ddl: Quote, from: string, to: string): string {
  return `ALTER TABLE ${ddl.quote(from)} RENAME TO ${ddl.quote(partsOfTable(to).name)}`;
}

/** Indexes, conditions and references that name the column follow it. */
export function renameColumn(ddl: Quote, table: string, names: { readonly from: string; readonly to: string }): string {
  return `ALTER TABLE ${ddl.quote(table)} RENAME COLUMN ${ddl.quote(names.from)} TO ${ddl.quote(names.to)}`;
}

/** The part of CREATE INDEX that names the index, its table, its columns in their order, and its condition. */
export function indexColumns(
  ddl: Quote,
  index: IndexShape,
  direction: (column: IndexShape["columns"][number]) => string = ({ descending }) => (descending ? " DESC" : ""),
): string {
  const columns = index.columns.map((column) => `${ddl.quote(column.column)}${direction(column)}`).join(", ");
  const where = index.where === null ? "" : ` WHERE ${index.where}`;
  return `${ddl.quote(index.name)} ON ${ddl.quote(index.table)} (${columns})${where}`;
}

/** Every reference of a table, those of one column too. */
export function referencesOf({ columns, references = [] }: TableShape): readonly ReferenceShape[] {
  const single = columns.flatMap(({ name, references: to }): ReferenceShape[] => {
    if (!to) return [];
    const { table, column, ...details } = to;
    return [{ columns: [name], table, key: [column], ...details }];
  });
  return [...single, ...references];
}
