/** How both servers read what a JSON document has within it, once it is found. */
import type { Inside } from "../../dialect.ts";

/** Digits before and behind the point of an exact number in a document. */
const exact = "decimal(60,20)";

/** A place in a document, and what is looked for there. */
export interface Place {
  readonly path: string;
  readonly as: Inside;
  readonly collation: string;
}

/** What is found there, in the words of the server. */
export interface Found {
  /** As a text without its quotes. */
  readonly text: string;
  /** Whether it is true, where it is a boolean. */
  readonly isTrue: string;
  /** The types of JSON that are numbers, as a list of texts. */
  readonly numbers: string;
  /** SQL where what is found is of these types; null elsewhere. */
  readonly only: (types: string, sql: string) => string;
}

/** Reads a value as what a field of that kind stores; null where it is of another type. */
export function readValue(as: Exclude<Inside, "document" | "scalar" | "json">, { text, isTrue, numbers, only }: Found): string {
  switch (as) {
    case "words":
    case "text":
    case "uuid":
      return only("'STRING'", text);
    case "integer":
      return only(numbers, `cast(${text} as ${exact})`);
    case "real":
      return only(numbers, `cast(${text} as double)`);
    case "boolean":
      return only("'BOOLEAN'", isTrue);
    case "decimal":
    case "bigint":
      return only("'STRING'", `cast(${text} as ${exact})`);
    case "bytes":
      return only("'STRING'", `from_base64(${text})`);
    case "datetime":
      return only("'STRING'", `cast(left(${text}, 23) as datetime(3))`);
    default:
      return only("'STRING'", `cast(${text} as ${as})`);
  }
}
