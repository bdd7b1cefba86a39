/** Identifiers, literals and parameters as PostgreSQL writes them. */
import type { Value } from "../../../schema/value.ts";
import { replaceMarks, shortenName } from "../texts.ts";

/** Longest identifier in bytes (NAMEDATALEN − 1); the server would cut a longer one off, and two might meet. */
export const identifierBytesMax = 63;

/** An identifier, quoted. A name that is too long keeps its beginning and ends in a hash of the whole. */
export function quote(name: string): string {
  return `"${shorten(name).replaceAll('"', '""')}"`;
}

export function shorten(name: string): string {
  return shortenName(name, identifierBytesMax);
}

/** A value as SQL text; standard_conforming_strings is on. */
export function literal(value: Value): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString("hex")}'::bytea`;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a literal must be finite");
  return String(value);
}

/** Turns each `?` outside of quotes into $1, $2 … */
export function toPositional(text: string): string {
  return replaceMarks(text, (index) => `$${index + 1}`);
}
