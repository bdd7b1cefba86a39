/** One statement for many of the same text: their parameters are one JSON text, and each row says by number whose it is. */
import type { Statement, Step, Value } from "../../../database.ts";
import { rememberTexts, replaceMarks } from "../../texts.ts";
import { placeOfWhere } from "../../words.ts";
import { yieldingText } from "../text.ts";
import { toSent } from "../values.ts";

/** A step of all parts. What a check says, and what is counted, is judged where it is answered. */
export interface JoinedStep extends Statement {
  readonly step: Step;
  /** Each row begins with the number of its part; otherwise they are numbers that were counted on from part to part. */
  readonly isNumbered: boolean;
}

// A packet that is too long ends the connection; servers take one of a megabyte at least.
const joinedCharactersMax = 200_000;

/** The rows of parameters as the table `u`: as texts, which the statement casts to what it takes them for. */
function rowsOf(count: number, collation: string): string {
  const texts = Array.from(
    { length: count },
    (_, index) => `p${index} longtext character set utf8mb4 collate ${collation} path '$[${index}]'`,
  );
  return `json_table(?, '$[*]' columns (o for ordinality, ${texts.join(", ")})) u`;
}

interface Spread {
  /** How many parameters there are. */
  readonly count: number;
  readonly from: string;
  readonly inner: string;
}

function spread(text: string, collation: string): Spread {
  let count = 0;
  const inner = replaceMarks(text, (index) => {
    count = index + 1;
    return yieldingText(`u.p${index}`);
  });
  return { count, from: rowsOf(count, collation), inner };
}

const insertPattern = /^insert into ("(?:[^"]|"")*") \(([^()]*)\) (?:values \(([\s\S]*)\)|(select [\s\S]*))$/;

/** An insert of all rows, in their order; null where the text is another statement. */
function insertAll(text: string, collation: string): string | null {
  const parts = insertPattern.exec(text);
  if (!parts) return null;
  const [, table, columns, values, query] = parts;
  const selected = selectAll(values === undefined ? (query as string) : `select ${values}`, { numbered: "", collation });
  return selected === null ? null : `insert into ${table} (${columns}) ${selected}`;
}

const countedPattern = /^(insert into "(?:[^"]|"")*" \([^()]*\) values )(\([\s\S]*\))( returning "(?:[^"]|"")*")$/;
const countedMax = 64;

/**
 * An insert of rows whose numbers the server counts on in their order, as many as it is told beforehand: of a query it would not know
 * how many, and leave a gap. Of so many rows as a power of two, since each number of rows is a text of its own.
 */
function countAll(step: Step, all: readonly (readonly Value[])[]): JoinedStep | null {
  const [, insert, values, returning] = countedPattern.exec(step.text) ?? [];
  if (values === undefined || all.length > countedMax || !Number.isInteger(Math.log2(all.length))) return null;
  if (lengthOf(all) > joinedCharactersMax) return null;
  const text = stepFor(step.text, String(all.length), () => `${insert}${all.map(() => values).join(", ")}${returning}`);
  return text === null ? null : { text, params: all.flat(), step, isNumbered: false };
}

function lengthOf(all: readonly (readonly Value[])[]): number {
  let length = 0;
  for (const value of all.flat()) if (typeof value === "string" || value instanceof Uint8Array) length += value.length;
  return length;
}

const changePattern = /^(update|delete from) ("(?:[^"]|"")*") /;
/** A name without a table before it would be of either. */
const nameOfRows = /"(?:p\d+|o)"/i;

/** A change of all rows, each by its own values; null where the text is another statement. */
function changeAll(text: string, collation: string): string | null {
  const [, verb, table] = changePattern.exec(text) ?? [];
  const { count, from, inner } = spread(text, collation);
  const where = placeOfWhere(inner);
  if (table === undefined || where === null || count === 0 || nameOfRows.test(text)) return null;
  if (verb === "delete from") return `delete ${table} from ${from} straight_join ${table}${inner.slice(where)}`;
  return `update ${from} straight_join ${table} ${inner.slice(`update ${table} `.length)}`;
}

interface Selecting {
  readonly numbered: "u.o, " | "";
  readonly collation: string;
}

/**
 * A query of all rows; `numbered` comes before its own columns. Null where it is more than a list and a condition: what sorts, cuts or
 * counts does so for each.
 */
function selectAll(text: string, { numbered, collation }: Selecting): string | null {
  const { from, inner } = spread(text, collation);
  const place = fromIn(inner);
  if (place === null) return null;
  const list = inner.slice("select ".length, place);
  // The rows come first and in their order, whatever the server thinks of the tables' sizes.
  const rest = place === inner.length ? "" : ` straight_join ${inner.slice(place + " from ".length)}`;
  return `select ${numbered}${list} from ${from}${rest}`;
}

const words =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\(select\b|[()]|\s(?:from|order|limit|group|having|union|window|for|offset)\s|\b(?:count|sum|avg|min|max|std\w*|var\w*|bit_\w+|group_concat|json_\w+agg|over) ?(?=\()/gi;

/** Where a query's own ` from ` stands, or its end; null where it is more than a list and a condition, or counts its rows. */
function fromIn(text: string): number | null {
  if (!/^select (?!distinct\b)/i.test(text)) return null;
  /** Of each open bracket: whether it is a query within. */
  const open: boolean[] = [];
  let place: number | null = null;
  for (const { 0: found, index } of text.matchAll(words)) {
    const word = found.toLowerCase();
    if (word.startsWith("(")) open.push(word !== "(");
    else if (word === ")") open.pop();
    else if (word.startsWith("'") || word.startsWith('"') || open.includes(true)) continue;
    else if (!word.startsWith(" ") && /^\w/.test(word)) return null;
    else if (open.length > 0) continue;
    else if (place !== null || word !== " from ") return null;
    else place = index;
  }
  return place ?? text.length;
}

const stepFor = rememberTexts<string | null>();
const readFor = rememberTexts<string | null>();

/** Texts that the server has not taken in this form. */
const unfit = new Set<string>();
const unfitMax = 1_000;

/** The server has refused a joined statement as such: from now on it is run for each. */
export function noteUnfit({ text }: Step): void {
  if (unfit.size >= unfitMax) unfit.clear();
  unfit.add(text);
}

/** The statement that runs a step for all; null where it is not of a kind that this can do. What looked back is known by now. */
export function joinStep(step: Step, all: readonly (readonly Value[])[], collation: string): JoinedStep | null {
  if (unfit.has(step.text)) return null;
  if (countedPattern.test(step.text)) return countAll(step, all);
  const text = stepFor(step.text, `${step.kind === "run" ? "run" : "rows"} ${collation}`, () => {
    if (step.kind === "run") return insertAll(step.text, collation) ?? changeAll(step.text, collation);
    return selectAll(step.text, { numbered: "u.o, ", collation });
  });
  const params = text === null ? null : toJson(all);
  return text === null || params === null ? null : { text, params: [params], step, isNumbered: true };
}

/** The statement that asks a read for all; null where there is none. */
export function joinReads(text: string, all: readonly (readonly Value[])[], collation: string): Statement | null {
  const joined = readFor(text, collation, () => selectAll(text, { numbered: "u.o, ", collation }));
  const params = joined === null ? null : toJson(all);
  return joined === null || params === null ? null : { text: joined, params: [params] };
}

/** A row of texts for each; null where one is bytes, which are no text, or all of it is too long. */
function toJson(all: readonly (readonly Value[])[]): string | null {
  const rows: (readonly (string | null)[])[] = [];
  for (const params of all) {
    const row: (string | null)[] = [];
    for (const param of params) {
      if (param instanceof Uint8Array) return null;
      const value = toSent(param);
      row.push(value === null ? null : String(value));
    }
    rows.push(row);
  }
  const json = JSON.stringify(rows);
  return json.length > joinedCharactersMax ? null : json;
}
