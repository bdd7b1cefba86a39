/** One statement for many of the same text: each parameter is an array, and each row says by number whose it is. */
import type { Step, Value } from "../../database.ts";
import { columnsKept, isOwn, type Params, type Parts, type Place, type Shared, sharedSteps } from "../alike.ts";
import { isRef } from "../steps.ts";
import { rememberTexts, replaceMarks } from "../texts.ts";
import { placeOfWhere } from "../words.ts";
import type { Query } from "./flight.ts";
import { functionName, placeOf } from "./functions.ts";
import { literal } from "./text.ts";
import { toSent } from "./values.ts";

/** Where a parameter comes from: an array of the parts' values, a step before them, or what each part has returned. */
type Source = "value" | "before" | "own";

/** A text over rows of arrays: `from` yields them as `u`, `inner` is the text with its parameters in them. */
interface Spread {
  readonly from: string;
  readonly inner: string;
}

/** What looks back to an earlier step is the same for all, and is recalled once, as `v`; what is each part's own is recalled as an array. */
function spread(text: string, sources: readonly Source[]): Spread {
  const own: number[] = [];
  const before: number[] = [];
  const inner = replaceMarks(text, (index) => {
    const isBefore = sources[index] === "before";
    (isBefore ? before : own).push(index);
    return `${isBefore ? "v" : "u"}.p${index}`;
  });
  const arrays = own.map((index) => (sources[index] === "own" ? `${functionName("recall")}(?)::text[]` : "?::text[]"));
  const rows = `unnest(${arrays.join(", ")}) with ordinality u(${[...own.map((index) => `p${index}`), "o"].join(", ")})`;
  if (before.length === 0) return { from: rows, inner };
  const recalled = before.map(() => `${functionName("recall")}(?)`).join(", ");
  const values = `(select ${recalled}) v(${before.map((index) => `p${index}`).join(", ")})`;
  return { from: own.length === 0 ? values : `${rows} cross join ${values}`, inner };
}

/** Rows of a query, each with the number of whose it is before its own columns. */
function queryAll(text: string, sources: readonly Source[] = [], kept = 0): string {
  const { from, inner } = spread(text, sources);
  if (kept === 0) return `select u.o, r.* from ${from} cross join lateral (${inner}) r`;
  const names = namesOf(kept);
  return `with s as (select u.o, r.* from ${from} cross join lateral (${inner}) r(${names.join(", ")})) ${keeping(names)}`;
}

function namesOf(kept: number): readonly string[] {
  return Array.from({ length: kept }, (_, column) => `c${column}`);
}

/** The rows `s`, of which columns are remembered as arrays in the order of the parts; where not each part has one row, nothing is. */
function keeping(names: readonly string[]): string {
  const kept = names.map(
    (name) =>
      `(select case when count(*) = ? then ${functionName("remember")}(?, array_agg(s.${name}::text order by s.o)::text) end from s) is not null`,
  );
  return `select s.* from s${kept.length > 0 ? " where " : ""}${kept.join(" and ")}`;
}

/** The first column of a query's rows, where it is not null, of all together. */
function checkAll(text: string, sources: readonly Source[]): string {
  const { from, inner } = spread(text, sources);
  return `select r.c from ${from} cross join lateral (${inner}) r(c) where r.c is not null`;
}

const insertPattern =
  /^insert into ((?:"(?:[^"]|"")*"\.)?"(?:[^"]|"")*") \(([^()]*)\) (?:values \(([\s\S]*)\)|(select [\s\S]*))$/;

/** An insert of all rows; null where the text is another statement. */
function insertAll(text: string, sources: readonly Source[]): string | null {
  const parts = insertPattern.exec(text);
  if (!parts) return null;
  const [, table, columns, values, query] = parts;
  const { from, inner } = spread(values ?? (query as string), sources);
  if (values === undefined) return `insert into ${table} (${columns}) select r.* from ${from} cross join lateral (${inner}) r`;
  // The arrays are bound before what is recalled, in the order of the text.
  return `insert into ${table} (${columns}) select ${inner} from ${from}`;
}

const numberedPattern = /^([\s\S]*) returning ("(?:[^"]|"")*")$/;

/**
 * An insert of all rows whose numbers the database counts. They are drawn beforehand, each for its row: nothing says in which order
 * rows are returned. Null where the text is another statement.
 */
function numberAll(text: string, { sources, kept }: Form): string | null {
  const [, insert = "", column = ""] = numberedPattern.exec(text) ?? [];
  const parts = insertPattern.exec(insert);
  const [, table = "", columns = "", values] = parts ?? [];
  if (values === undefined || kept > 1) return null;
  const { from, inner } = spread(values, sources);
  const name = literal(column.slice(1, -1).replaceAll('""', '"'));
  const drawn = `select *, nextval(pg_get_serial_sequence(${literal(table)}, ${name})) k from ${from}`;
  const both = sources.includes("before") ? "u cross join lateral (select u.*) v" : "u";
  const made = `insert into ${table} (${column}, ${columns}) select u.k, ${inner} from ${both} order by u.o`;
  return `with u as (${drawn}), w as (${made}), s as (select u.o, u.k c0 from u) ${keeping(namesOf(kept))}`;
}

const changePattern = /^(update|delete from) ("(?:[^"]|"")*") /;
/** A name without a table before it would be of either. */
const nameOfRows = /"(?:[pv]\d+|o)"/;

/** A change of all rows, each by its own values; null where the text is another statement. */
function changeAll(text: string, sources: readonly Source[]): string | null {
  const verb = changePattern.exec(text)?.[1];
  const { from, inner } = spread(text, sources);
  const where = placeOfWhere(inner);
  if (verb === undefined || where === null || nameOfRows.test(text)) return null;
  return `${inner.slice(0, where)} ${verb === "update" ? "from" : "using"} ${from}${inner.slice(where)}`;
}

interface Form {
  readonly sources: readonly Source[];
  /** How many of its columns later steps look back at. */
  readonly kept: number;
}

function write({ kind, text, changes }: Step, { sources, kept }: Form): string | null {
  if (kind === "rows") return numberedPattern.test(text) ? numberAll(text, { sources, kept }) : queryAll(text, sources, kept);
  if (kind === "check") return `select ${functionName("refuse")}(a.c::text) from (${checkAll(text, sources)}) a(c) limit 1`;
  const joined = insertAll(text, sources) ?? changeAll(text, sources);
  if (joined === null || !changes) return joined;
  return `with w as (${joined} returning 1), n as (select count(*) c from w) select n.c, case when n.c <> ? then ${functionName("refuse")}(?) end from n`;
}

const textFor = rememberTexts<string | null>();

/** The queries that run all parts at once, one for each step; null where one of them cannot be made. */
export function joinParts(parts: Parts, place: Place): readonly Query[] | null {
  const shared = sharedSteps(parts, place);
  if (shared === null) return null;
  const kept = columnsKept(shared);
  const queries: Query[] = [];
  for (const one of shared) {
    const query = joinStep(one, kept.get(one.place) ?? 0, place.from);
    if (query === null) return null;
    queries.push(query);
  }
  return queries;
}

function joinStep({ step, place, all }: Shared, kept: number, from: number): Query | null {
  const [first = []] = all;
  const sources = first.map((param): Source => (isRef(param) ? "before" : isOwn(param) ? "own" : "value"));
  const arrays = toArrays(all, { sources, from });
  if (arrays === null) return null;
  const shape = `${step.kind}${step.changes ? "!" : ""}${kept}${sources.map((source) => source[0]).join("")}`;
  const text = textFor(step.text, shape, () => write(step, { sources, kept }));
  if (text === null) return null;
  const params = [...arrays, ...first.filter(isRef).map(placeOf)];
  if (step.changes) return { text, params: [...params, all.length, step.changes.reason] };
  const places = Array.from({ length: kept }, (_, column) => [all.length, placeOf({ step: from + place, column })]);
  return { text, params: [...params, ...places.flat()] };
}

const readFor = rememberTexts<string>();

/** The query that asks a read for all; null where a parameter is bytes. */
export function joinReads(text: string, all: readonly (readonly Value[])[]): Query | null {
  const params = toArrays(all, { sources: [], from: 0 });
  return params === null ? null : { text: readFor(text, "", () => queryAll(text)), params };
}

interface Sources {
  readonly sources: readonly Source[];
  /** Steps of the unit before the parts. */
  readonly from: number;
}

/**
 * The arrays of the parameters, without those that look back before the parts; what is each part's own is remembered under its first
 * step. Null where one of them is bytes, which no array of texts holds.
 */
function toArrays(all: readonly Params[], { sources, from }: Sources): readonly (string | readonly (string | null)[])[] | null {
  const [first = []] = all;
  const arrays: (string | (string | null)[])[] = [];
  for (const [index, param] of first.entries()) {
    if (sources[index] === "before") continue;
    if (isOwn(param)) {
      arrays.push(placeOf({ step: from + param.own, column: param.column }));
      continue;
    }
    const array = all.map((params) => toSent(params[index] as Value));
    if (array.some((value) => value instanceof Uint8Array)) return null;
    arrays.push(array as (string | null)[]);
  }
  return arrays;
}
