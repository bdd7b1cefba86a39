/** Identifiers and literals as both servers write them in statements of ours: names in double quotes, and backslashes stand for themselves. */
import type { Value } from "../../../schema/value.ts";
import { shortenName } from "../texts.ts";

/** Longest identifier: 64 characters, and what is in bytes has no more characters. */
export const identifierBytesMax = 64;

export function shorten(name: string): string {
  return shortenName(name, identifierBytesMax);
}

/** An identifier, quoted. A name that is too long keeps its beginning and ends in a hash of the whole. */
export function quote(name: string): string {
  return `"${shorten(name).replaceAll('"', '""')}"`;
}

/** The name that an identifier quotes. */
export function unquote(identifier: string): string {
  return identifier.slice(1, -1).replaceAll('""', '"');
}

/** A column of texts as if it were a parameter: beside another column it is compared by the other's collation. */
export function yieldingText(sql: string): string {
  return `json_unquote(json_quote(${sql}))`;
}

/** A value as SQL text. */
export function literal(value: Value): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a literal must be finite");
  return String(value);
}
