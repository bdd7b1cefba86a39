/** Values on their way to PostgreSQL and back: its texts become the values of the contract. */
import type { Value } from "../../database.ts";
import { toInteger } from "../texts.ts";

export type Parser = (text: string) => Value;

// Object ids of built-in types (pg_type.dat); every other type stays the text that it arrives as.
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => (text === "t" ? 1 : 0)],
  [17, (text) => Buffer.from(text.slice(2), "hex")],
  [20, toInteger],
  [21, toInteger],
  [23, toInteger],
  [700, Number],
  [701, Number],
]);

const asIs: Parser = (text) => text;

/** How a column of that type is read; columns always arrive as texts. */
export function parserOf(oid: number): Parser {
  return parsers.get(oid) ?? asIs;
}

/** What the library asks for how to read a column. */
export const types = Object.freeze({ getTypeParser: parserOf });

/** A value in the form in which it is sent. */
export function toSent(value: Value): string | Buffer | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return String(value);
}
