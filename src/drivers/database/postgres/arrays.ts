/** One statement for many of the same text: each parameter is an array, and each row says by number whose it is. */
import type { Value } from "../../database.ts";
import { replaceMarks } from "../texts.ts";
import { toSent } from "./values.ts";

/** A text over rows of arrays: `from` yields them as `u`, `inner` is the text with its parameters in them. */
interface Spread {
  readonly from: string;
  readonly inner: string;
}

function spread(text: string): Spread {
  let count = 0;
  const inner = replaceMarks(text, (index) => {
    count = index + 1;
    return `u.p${index}`;
  });
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  // Without a parameter, of which every statement here has one, there would be nothing to count the rows by.
  const arrays = names.map(() => "?::text[]").join(", ");
  return { from: `unnest(${arrays}) with ordinality u(${[...names, "o"].join(", ")})`, inner };
}

/** Rows of a query, each with the number of whose it is before its own columns. */
export function queryAll(text: string): string {
  const { from, inner } = spread(text);
  return `select u.o, r.* from ${from} cross join lateral (${inner}) r`;
}

/** The first column of a query's rows, where it is not null, of all together. */
export function checkAll(text: string): string {
  const { from, inner } = spread(text);
  return `select r.c from ${from} cross join lateral (${inner}) r(c) where r.c is not null`;
}

const insertPattern = /^insert into ("(?:[^"]|"")*") \(([^()]*)\) (?:values \(([\s\S]*)\)|(select [\s\S]*))$/;

/** An insert of all rows; null where the text is another statement. */
export function insertAll(text: string): string | null {
  const parts = insertPattern.exec(text);
  if (!parts) return null;
  const [, table, columns, values, query] = parts;
  const { from, inner } = spread(values ?? (query as string));
  const rows = values === undefined ? `select r.* from ${from} cross join lateral (${inner}) r` : `select ${inner} from ${from}`;
  return `insert into ${table} (${columns}) ${rows}`;
}

/** The arrays of the parameters; null where one of them is bytes, which no array of texts holds. */
export function toArrays(all: readonly (readonly Value[])[]): readonly (readonly (string | null)[])[] | null {
  const first = all[0] ?? [];
  const arrays = first.map((_, index) => all.map((params) => toSent(params[index] as Value)));
  return arrays.some((array) => array.some((value) => value instanceof Uint8Array)) ? null : (arrays as (string | null)[][]);
}
