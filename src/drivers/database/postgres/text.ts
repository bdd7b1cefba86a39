/** Identifiers, literals and parameters as PostgreSQL writes them. */
import { createHash } from "node:crypto";
import type { Value } from "../../../schema/value.ts";

/** Longest identifier in bytes (NAMEDATALEN − 1); the server would cut a longer one off, and two might meet. */
export const identifierBytesMax = 63;

/** An identifier, quoted. A name that is too long keeps its beginning and ends in a hash of the whole. */
export function quote(name: string): string {
  return `"${shorten(name).replaceAll('"', '""')}"`;
}

export function shorten(name: string): string {
  if (Buffer.byteLength(name) <= identifierBytesMax) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${Buffer.from(name)
    .subarray(0, identifierBytesMax - 9)
    .toString()
    .replace(/\uFFFD+$/, "")}_${hash}`;
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
  let count = 0;
  return text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g, (part) => (part === "?" ? `$${++count}` : part));
}
