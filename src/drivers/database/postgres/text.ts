/** Identifiers, literals and parameters as PostgreSQL writes them. */
import { partsOfTable, tableIn } from "../../../schema/table-name.ts";
import type { Value } from "../../../schema/value.ts";
import { replaceMarks, shortenName } from "../texts.ts";

/** Longest identifier in bytes (NAMEDATALEN − 1); the server would cut a longer one off, and two might meet. */
export const identifierBytesMax = 63;

/** An identifier, quoted, with its schema where it has one. A name that is too long keeps its beginning and ends in a hash of the whole. */
export function quote(name: string): string {
  const { schema, name: own } = partsOfTable(name);
  return schema === null ? quoteOne(own) : `${quoteOne(schema)}.${quoteOne(own)}`;
}

/** Without its schema: as a statement names what it makes beside a table. */
export function quoteOwn(name: string): string {
  return quoteOne(partsOfTable(name).name);
}

function quoteOne(name: string): string {
  return `"${shortenName(name, identifierBytesMax).replaceAll('"', '""')}"`;
}

export function shorten(name: string): string {
  const { schema, name: own } = partsOfTable(name);
  const [home, short] = [schema, own].map((one) => (one === null ? null : shortenName(one, identifierBytesMax)));
  return tableIn(home ?? null, short ?? "");
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

/** An anonymous block of PL/pgSQL. What it quotes may hold any name, and must not end it. */
export function block(body: string): string {
  let tag = "do";
  while (body.includes(`$${tag}`)) tag += "_";
  return `DO $${tag}$ ${body} $${tag}$`;
}
