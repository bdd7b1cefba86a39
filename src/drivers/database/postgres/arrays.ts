/** One statement for many of the same text: each parameter is an array, and each row says by number whose it is. */
import type { Step, Value } from "../../database.ts";
import type { Params } from "../alike.ts";
import { isRef } from "../steps.ts";
import { rememberTexts, replaceMarks } from "../texts.ts";
import type { Query } from "./flight.ts";
import { functionName, placeOf } from "./functions.ts";
import { toSent } from "./values.ts";

/** A text over rows of arrays: `from` yields them as `u`, `inner` is the text with its parameters in them. */
interface Spread {
  readonly from: string;
  readonly inner: string;
}

/** What looks back to an earlier step is the same for all, and is recalled once, as `v`. */
function spread(text: string, refs: readonly boolean[]): Spread {
  const own: string[] = [];
  const recalled: string[] = [];
  const inner = replaceMarks(text, (index) => {
    (refs[index] === true ? recalled : own).push(`p${index}`);
    return `${refs[index] === true ? "v" : "u"}.p${index}`;
  });
  const rows = `unnest(${own.map(() => "?::text[]").join(", ")}) with ordinality u(${[...own, "o"].join(", ")})`;
  if (recalled.length === 0) return { from: rows, inner };
  const values = `(select ${recalled.map(() => `${functionName("recall")}(?)`).join(", ")}) v(${recalled.join(", ")})`;
  return { from: own.length === 0 ? values : `${rows} cross join ${values}`, inner };
}

/** Rows of a query, each with the number of whose it is before its own columns. */
function queryAll(text: string, refs: readonly boolean[] = []): string {
  const { from, inner } = spread(text, refs);
  return `select u.o, r.* from ${from} cross join lateral (${inner}) r`;
}

/** The first column of a query's rows, where it is not null, of all together. */
function checkAll(text: string, refs: readonly boolean[]): string {
  const { from, inner } = spread(text, refs);
  return `select r.c from ${from} cross join lateral (${inner}) r(c) where r.c is not null`;
}

const insertPattern =
  /^insert into ((?:"(?:[^"]|"")*"\.)?"(?:[^"]|"")*") \(([^()]*)\) (?:values \(([\s\S]*)\)|(select [\s\S]*))$/;

/** An insert of all rows; null where the text is another statement. */
function insertAll(text: string, refs: readonly boolean[]): string | null {
  const parts = insertPattern.exec(text);
  if (!parts) return null;
  const [, table, columns, values, query] = parts;
  const { from, inner } = spread(values ?? (query as string), refs);
  if (values === undefined) return `insert into ${table} (${columns}) select r.* from ${from} cross join lateral (${inner}) r`;
  // The arrays are bound before what is recalled, in the order of the text.
  return `insert into ${table} (${columns}) select ${inner} from ${from}`;
}

function write({ kind, text, changes }: Step, refs: readonly boolean[]): string | null {
  if (kind === "rows") return queryAll(text, refs);
  if (kind === "check") return `select ${functionName("refuse")}(a.c::text) from (${checkAll(text, refs)}) a(c) limit 1`;
  const insert = insertAll(text, refs);
  if (insert === null || !changes) return insert;
  return `with w as (${insert} returning 1), n as (select count(*) c from w) select n.c, case when n.c <> ? then ${functionName("refuse")}(?) end from n`;
}

const textFor = rememberTexts<string | null>();

/** The query that runs a step for all; null where it is not of a kind that this can do. */
export function joinStep(step: Step, all: readonly Params[]): Query | null {
  const [first = []] = all;
  const refs = first.map(isRef);
  const arrays = toArrays(all, refs);
  if (arrays === null) return null;
  const shape = `${step.kind}${step.changes ? "!" : ""}${refs.includes(true) ? refs.map(Number).join("") : ""}`;
  const text = textFor(step.text, shape, () => write(step, refs));
  if (text === null) return null;
  const params = [...arrays, ...first.filter(isRef).map(placeOf)];
  return { text, params: step.changes ? [...params, all.length, step.changes.reason] : params };
}

const readFor = rememberTexts<string>();

/** The query that asks a read for all; null where a parameter is bytes. */
export function joinReads(text: string, all: readonly (readonly Value[])[]): Query | null {
  const params = toArrays(all, []);
  return params === null ? null : { text: readFor(text, "", () => queryAll(text)), params };
}

/** The arrays of the parameters, without those that look back; null where one of them is bytes, which no array of texts holds. */
function toArrays(all: readonly Params[], refs: readonly boolean[]): readonly (readonly (string | null)[])[] | null {
  const [first = []] = all;
  const arrays: (string | null)[][] = [];
  for (const index of first.keys()) {
    if (refs[index] === true) continue;
    const array = all.map((params) => toSent(params[index] as Value));
    if (array.some((value) => value instanceof Uint8Array)) return null;
    arrays.push(array as (string | null)[]);
  }
  return arrays;
}
