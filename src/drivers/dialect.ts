/** What differs between databases in the SQL of queries: data and a few functions from text to text. DDL is in ddl.ts. */
import type { Storage } from "../schema/fields/field-type.ts";

/** How a column, or an expression that stands for one, holds the values of a field. */
export interface Form {
  readonly storage: Storage;
  /** Digits after the point, of a decimal. */
  readonly scale: number;
  /** Null does not occur. */
  readonly isRequired: boolean;
  /** Null and below zero do not occur. */
  readonly isPlain: boolean;
  /** It is the column itself, whose type is the field's to the last digit, and not what an expression made of it. */
  readonly isColumn: boolean;
  /** The database's own type of a column that somebody else has made; null where the product has. */
  readonly native: string | null;
}

/**
 * How a value inside a document is read: as a field of that storage holds it; or, where no type is declared, as its JSON
 * (`document`), as a text or number and else null (`scalar`), or as a text and else null (`words`).
 */
export type Inside = Storage | "document" | "scalar" | "words";

export type Bucket = "year" | "quarter" | "month" | "week" | "day" | "hour";

/** Every argument and result is SQL text. A parameter may be used more than once in a result. */
export interface Dialect {
  /** A query of the number that the INSERT before it was given; null where RETURNING tells it. */
  readonly lastNumber: string | null;
  /** An identifier, quoted. */
  readonly quote: (name: string) => string;
  /** A parameter, or a literal of what it would hold, as a column of that form has it. */
  readonly bind: (form: Form, parameter: string) => string;
  /** `left` is among the elements of a JSON array parameter of values of that form. */
  readonly among: (form: Form, left: string, parameter: string) => string;
  /** Complement of a condition: true where it is false or null. */
  readonly not: (condition: string) => string;
  /** Two values differ; null is a value. */
  readonly distinct: (form: Form, left: string, right: string) => string;
  /** The text that names the bucket: 2026, 2026-Q4, 2026-11, 2026-W47, 2026-11-21, 2026-11-21T09. */
  readonly bucket: (bucket: Bucket, form: Form, sql: string) => string;
  readonly sorting: Sorting;
  readonly texts: Texts;
  readonly json: JsonWriter;
  readonly documents: Documents;
  readonly numbers: Numbers;
}

/** What rows are put in order by. */
export interface SortTerm {
  readonly sql: string;
  readonly descending: boolean;
  /** Null occurs: it comes before every value. */
  readonly nullable: boolean;
}

/** Puts rows in order, and goes on behind one of them. */
export interface Sorting {
  /** A term of ORDER BY. */
  readonly term: (term: SortTerm) => string;
  /** A parameter that a query of that term has answered, as it is compared with the term. */
  readonly resume: (form: Form, parameter: string) => string;
  /** A query's first rows, as many as a parameter says: never more than `most`, where that is known. The parameter comes last. */
  readonly first: (query: string, parameter: string, most: number | null) => string;
  /** An index answers `(a, b) > (x, y)`. */
  readonly comparesRows: boolean;
  /** Rows of a subquery come out of a join with a single row in the subquery's order. */
  readonly keepsOrder: boolean;
}

export type Matching = "contains" | "startsWith" | "endsWith" | "like" | "search";

export interface Texts {
  /** Case-sensitive parts of texts, LIKE with `\` as escape, and search for words regardless of case and accents. */
  readonly matches: (operator: Matching, left: string, parameter: string) => string;
  /** Code points. */
  readonly length: (sql: string) => string;
  /** Of the letters A to Z alone. */
  readonly lower: (sql: string) => string;
  readonly upper: (sql: string) => string;
}

/** The rows of a JSON array. */
export interface Listed {
  /** What the functions here make of a row. */
  readonly object: string;
  /** From the word FROM to the end of the conditions. */
  readonly from: string;
  readonly order: readonly SortTerm[];
  readonly limit: number;
}

/** Makes JSON: exact, and the same to the byte in every database. */
export interface JsonWriter {
  /** A value of that form as it stands in a JSON object: of the right JSON type. */
  readonly value: (form: Form, sql: string) => string;
  /** The same as it stands in a list that a column holds: the text of its JSON. */
  readonly element: (form: Form, sql: string) => string;
  /** The same as a text by itself, as it stands in an address or a concatenation. */
  readonly text: (form: Form, sql: string) => string;
  /** A JSON object of names (SQL string literals are made here) and what the functions here make. */
  readonly object: (pairs: readonly (readonly [name: string, sql: string])[]) => string;
  /** Such an object, or JSON null where the condition does not hold, as it stands in another. */
  readonly when: (condition: string, object: string) => string;
  /** A scalar expression: the JSON array of those rows, in their order; `[]` when there are none. */
  readonly array: (rows: Listed) => string;
}

/** Looks into JSON documents and lists. */
export interface Documents {
  /** The value at a path; the path is a parameter (as in `$."a"."b"`). */
  readonly read: (document: string, path: string, as: Inside) => string;
  /** A parameter where it is compared with a value that was read so. */
  readonly bind: (as: Inside, form: Form, parameter: string) => string;
  /** Orders a `scalar` with its like: a number is neither more nor less than a text. */
  readonly compare: (left: string, sign: string, right: string) => string;
  /** The JSON array holds the element, which is given as JSON. */
  readonly holds: (list: string, parameter: string) => string;
}

/** Arithmetic: exact numbers keep their scale, and what does not fit is rounded half away from zero. */
export interface Numbers {
  /** An exact number of one scale as one of another. */
  readonly rescale: (sql: string, from: number, to: number) => string;
  /** An exact number as a double. */
  readonly real: (sql: string, scale: number) => string;
  /** A column's value as an exact number of its scale. */
  readonly exact: (form: Form, sql: string) => string;
  /** A column and a parameter added to it, of the column's form. */
  readonly plus: (form: Form, sql: string, parameter: string) => string;
  /** The sum over rows, of the same form; fails where it does not fit into 64 bits. */
  readonly sum: (form: Form, sql: string) => string;
  /** The mean over rows, as a double. */
  readonly average: (form: Form, sql: string) => string;
  /** The least or greatest over rows, of the same form. */
  readonly extreme: (name: "min" | "max", form: Form, sql: string) => string;
}
