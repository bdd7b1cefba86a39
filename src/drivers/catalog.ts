/** The contract of introspection: what a database says of tables that somebody else made, in the words of the schema language. */
import type { OnDelete } from "../schema/schema.ts";
import type { Reader } from "./ddl.ts";

/** The field type that a column can be served as. */
export type CatalogType =
  | { readonly name: "text"; readonly max: number | null }
  | { readonly name: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly name: "choice"; readonly choices: readonly string[] }
  | {
      readonly name: "integer" | "bigint" | "float" | "boolean" | "datetime" | "date" | "time" | "uuid" | "json" | "bytes";
    };

export interface Bounds {
  readonly min?: string;
  readonly max?: string;
}

export interface CatalogColumn {
  readonly name: string;
  /** The type as the database spells it: with the name it goes into `.column()`, and the dialect reads it there. */
  readonly native: string;
  /** Null where no field type holds its values; `why` then says so. */
  readonly type: CatalogType | null;
  /** What a person should know: why it is left out, or what was assumed. */
  readonly why: string | null;
  readonly optional: boolean;
  /** What an insert that leaves it out gets: a constant in wire form, the time, or whatever the database makes; null for nothing. */
  readonly default: { readonly value: string | number | boolean } | "now" | "database" | null;
  /** Bounds of a number that a CHECK constraint sets. */
  readonly bounds: Bounds;
  /** `counted`: the database numbers the rows. `computed`: it follows from the row's other columns. */
  readonly made: "counted" | "computed" | null;
  readonly comment: string | null;
}

/** A foreign key: columns here that lead to columns there, pair by pair. */
export interface CatalogReference {
  readonly columns: readonly string[];
  readonly table: string;
  readonly targets: readonly string[];
  /** What the database itself does when the other row goes; `null` where it refuses. */
  readonly onDelete: Exclude<OnDelete, "restrict"> | "other" | null;
}

/** A table or view as the database has it. */
export interface CatalogTable {
  /** With its schema, where that is not the current one: see `schema/table-name.ts`. */
  readonly name: string;
  readonly kind: "table" | "view";
  readonly comment: string | null;
  /** Why nothing can be said of it, as of a view over a table that is gone; null where something can. */
  readonly fault: string | null;
  readonly columns: readonly CatalogColumn[];
  /** Columns of the primary key in order; empty where there is none. */
  readonly key: readonly string[];
  /** Sets of columns that no two rows share, the key left out; those over all rows alone. */
  readonly uniques: readonly (readonly string[])[];
  /** Columns of every other index over all rows, in order. */
  readonly indexes: readonly (readonly string[])[];
  /** CHECK constraints that no field says, as SQL text: the database alone judges by them. */
  readonly checks: readonly string[];
  readonly references: readonly CatalogReference[];
}

/**
 * Reads every table and view that is not the product's own; tables first, each kind by name.
 * @param schemas of which; @default the current one
 */
export type ReadCatalog = (read: Reader, schemas?: readonly string[]) => Promise<readonly CatalogTable[]>;

/** A schema that has tables or views, and is not the system's or the product's own. */
export interface CatalogSchema {
  readonly name: string;
  readonly isCurrent: boolean;
  readonly tables: number;
}
