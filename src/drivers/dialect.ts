/** What differs between databases in the SQL of queries: data and a few functions from text to text. DDL is in ddl.ts. */
import type { Storage } from "../schema/fields/field-type.ts";

/**
 * How a value inside a document is read: as a field of that storage holds it; or, where no type is declared, as its JSON
 * (`document`), as a text or number and else null (`scalar`), or as a text and else null (`words`).
 */
export type Inside = Storage | "document" | "scalar" | "words";

/** What is known of a decimal. */
export interface Numeric {
  /** Digits after the point. */
  readonly scale: number;
  /** Null and below zero do not occur: its text is then made with less. */
  readonly isPlain: boolean;
}

export type Bucket = "year" | "quarter" | "month" | "week" | "day" | "hour";

export type Matching = "contains" | "startsWith" | "endsWith" | "like" | "search" | "holds";

/** Every argument and result is SQL text. A parameter may be used more than once in a result. */
export interface Dialect {
  readonly name: string;
  /** An identifier, quoted. */
  readonly quote: (name: string) => string;
  /**
   * The expression as it stands in a JSON object: exact, and of the right JSON type. An `object` is an expression
   * that makes one, or null. `number` is for decimals.
   */
  readonly json: (storage: Storage | "object", sql: string, number?: Numeric) => string;
  /** A JSON object of names (SQL string literals are made here) and JSON-able expressions. */
  readonly jsonObject: (pairs: readonly (readonly [name: string, sql: string])[]) => string;
  /** A scalar expression: the JSON array of column `j` of a subquery, in the subquery's order; `[]` when it has no rows. */
  readonly jsonArray: (subquery: string) => string;
  /** The number of rows in a limit, out of a parameter. */
  readonly limit: (parameter: string) => string;
  /** `left` is among the elements of a JSON array parameter. */
  readonly among: (left: string, parameter: string) => string;
  /** Complement of a condition: true where it is false or null. */
  readonly not: (condition: string) => string;
  /** Two values differ; null is a value. */
  readonly distinct: (left: string, right: string) => string;
  /**
   * Case-sensitive parts of texts, LIKE with `\` as escape, search for words regardless of case and accents; and a JSON array
   * that `holds` the element.
   */
  readonly matches: (operator: Matching, left: string, parameter: string) => string;
  /** The value at a path in a document; the path is a parameter (as in `$."a"."b"`). */
  readonly inside: (document: string, parameter: string, as: Inside) => string;
  /** The text that names the bucket: 2026, 2026-Q4, 2026-11, 2026-W47, 2026-11-21, 2026-11-21T09. */
  readonly bucket: (bucket: Bucket, storage: Storage, sql: string) => string;
}
