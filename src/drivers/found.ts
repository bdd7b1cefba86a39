/** What a database says of a table that somebody else made, for a migration that takes it over and changes it later. */
import type { IndexShape, NativeType, ReferenceShape } from "./ddl.ts";

export interface FoundColumn {
  readonly name: string;
  /** Without `spelt`, which the file says. */
  readonly native: NativeType;
  /** It takes null, and is no part of the key. */
  readonly optional: boolean;
  /** The database counts it up. */
  readonly counted: boolean;
}

/** An index of whole columns, or one that is only known by its name. */
export type FoundIndex = IndexShape | { readonly name: string; readonly columns: null };

export interface FoundTable {
  readonly name: string;
  /** Why no migration can work on it, in the words that follow its name; null where one can. */
  readonly fault: string | null;
  readonly key: readonly string[];
  readonly columns: readonly FoundColumn[];
  readonly references: readonly ReferenceShape[];
  /** Without that of the key. */
  readonly indexes: readonly FoundIndex[];
  /** As its structure has them. */
  readonly traits: readonly string[];
  /** What copying the table would lose, such as `CHECK (price >= 0)`; empty where tables are never copied. */
  readonly beyond: readonly string[];
}
