/** What differs between the two servers that speak this protocol, as data and a few functions from text to text: MariaDB, and MySQL. */
import type { Reader } from "../../../ddl.ts";
import type { Documents, Listed } from "../../../dialect.ts";

export interface Variant {
  readonly title: "MariaDB" | "MySQL";
  /** The oldest version whose answers are known to be right. */
  readonly oldest: readonly [major: number, minor: number];
  /** By it texts are compared character by character, in the order of code points, spaces at their end included. */
  readonly collation: string;
  readonly sessions: Sessions;
  readonly routines: Routines;
  readonly queries: Queries;
  readonly tables: Tables;
  readonly catalog: CatalogWords;
}

export interface Sessions {
  /** SQL modes and settings beside those of both. */
  readonly modes: readonly string[];
  readonly settings: readonly string[];
  /** The setting that ends a statement which takes longer; 0 for never. */
  readonly limit: (timeoutMs: number) => string;
  /** A statement in which backslashes stand for themselves, as a session takes it; null where sessions take them so. */
  readonly escaped: ((text: string) => string) | null;
  /** Several statements may go out as one compound statement. */
  readonly hasBlocks: boolean;
}

/** What the product's functions are made of. */
export interface Routines {
  /** Statements that make a function, in the place of the one that has its name; `definition` follows the name. */
  readonly replace: (name: string, definition: string) => readonly string[];
  /** A double above zero as a text of as many digits as tell it from its neighbours. */
  readonly digits: (sql: string) => string;
  /** In what replaces a match of a regular expression: what its first group has matched. */
  readonly group: string;
  /** An element of a JSON list, as a text. */
  readonly element: (list: string, index: string) => string;
  /** How the characters of a class are found one after the other. */
  readonly find: (characters: string) => Finding;
}

/** In a text `rest`, of which what has been dealt with is cut off. */
export interface Finding {
  /** What is done once, before. */
  readonly prepare: string;
  /** An expression: where the next character is, or the mark that stands before and behind it; 0 where there is none. */
  readonly place: string;
  /** Empty where nothing is marked. */
  readonly mark: string;
}

export interface Queries {
  /** As the dialect has it. */
  readonly lastNumber: string | null;
  /** The texts of rows in their order, with commas between them, out of FROM and what follows; null where there are none. */
  readonly gather: (rows: Listed) => Gathered;
  readonly documents: Documents;
  /** Where a text stands in another that may be of any collation; zero where it does not, letter by letter. */
  readonly locate: (part: string, whole: string) => string;
}

export interface Gathered {
  readonly sql: string;
  /** From the word FROM on. */
  readonly from: string;
}

export interface Tables {
  /** The type of whole numbers, as the catalogue says it. */
  readonly integer: string;
  /** A column of texts without a bound, as parts of a unique index; null where it is one by itself. */
  readonly longParts: ((column: string) => readonly string[]) | null;
  /** Of `information_schema.statistics s`: the part of an index that is no column. */
  readonly expression: string;
  /**
   * What rows that are there get in a new column of that type, as a constant, out of SQL; null where it can be none, and the table is
   * copied. Null as a whole where any expression will do.
   */
  readonly constant: ((type: string, fill: string) => string | null) | null;
  /** A document's column has a condition of its own: that it is JSON. */
  readonly checksDocuments: boolean;
  /** Out of the name of a table made LIKE another and the number of CHECK constraints that it has got: what drops them, where their names would stand in the way. */
  readonly dropChecks: ((table: string, count: number) => readonly string[]) | null;
  /** A definition as the server takes it, which may hang on what is there; null where it takes it as it is. */
  readonly spell: ((text: string, read: Reader) => Promise<string>) | null;
}

/** How the server's catalogue says what was written in a definition. */
export interface CatalogWords {
  /** A query for the CHECK constraints that hold in the current database: `table_name`, `constraint_name`, `check_clause`, and `of_column`: 1 where it is part of a column. */
  readonly checks: string;
  /** A condition, as it can be written again. */
  readonly condition: (said: string) => string;
  /** A column's default, out of what its row says; null for none. */
  readonly fill: (said: string | null, column: Described) => Filled | null;
}

/** A default: its value as SQL, and as it follows the word DEFAULT. */
export interface Filled {
  readonly sql: string;
  readonly written: string;
}

/** What a row of `information_schema.columns` says besides. */
export interface Described {
  readonly type: string;
  readonly extra: string;
}
