/** Tells what field type a column of an adopted SQLite table is: by its declared type, and by what is found in it. */
import type { CatalogColumn, CatalogType } from "../../../catalog.ts";
import type { Value } from "../../../database.ts";
import type { Reader } from "../../../ddl.ts";
import { datetimeForms, wordsSuffix } from "./forms.ts";

/** Rows of a table that are looked at, from its start. */
export const sampledRowsMax = 100_000;
// A statement's result has at most 2,000 columns (sqlite.org/limits.html).
const columnsAtOnce = 100;
const textMax = 65_536;

/** What is found in a column: rows of each kind of value, and of those how many have each form that matters. */
interface Found {
  readonly integers: number;
  readonly reals: number;
  readonly texts: number;
  readonly blobs: number;
  /** Integers beyond what a JSON reader keeps. */
  readonly large: number;
  /** Integers that are 0 or 1. */
  readonly bits: number;
  /** Texts that are a lower-case UUID, a day, a time, or JSON. */
  readonly uuids: number;
  readonly days: number;
  readonly times: number;
  readonly documents: number;
  readonly words: number;
  /** Numbers that have more digits after the point than declared. */
  readonly finer: number;
  readonly longest: number;
  /** Values of each form of a datetime, in the order of `datetimeForms`. */
  readonly forms: readonly number[];
}

type Judged = Pick<CatalogColumn, "native" | "type" | "why">;

/** The field type of every column, in order. */
export async function judgeValues(
  { table, columns }: { readonly table: string; readonly columns: readonly (readonly [name: string, declared: string])[] },
  read: Reader,
): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  for (let start = 0; start < columns.length; start += columnsAtOnce) {
    const some = columns.slice(start, start + columnsAtOnce);
    const each = some.flatMap(([name, declared]) => countsOf(quote(name), scaleOf(declared)));
    const [row] = await read(`SELECT ${each.join(", ")} FROM (SELECT * FROM ${quote(table)} LIMIT ${sampledRowsMax})`);
    const perColumn = each.length / some.length;
    for (const [index, [, declared]] of some.entries())
      judged.push(judge(declared, toFound((row ?? []).slice(index * perColumn, (index + 1) * perColumn))));
  }
  return judged;
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

function countsOf(column: string, scale: number): readonly string[] {
  const hex = (count: number) => "[0-9a-f]".repeat(count);
  const digits = (count: number) => "[0-9]".repeat(count);
  const day = `${digits(4)}-${digits(2)}-${digits(2)}`;
  const time = `${digits(2)}:${digits(2)}:${digits(2)}`;
  const count = (condition: string) => `coalesce(sum(${condition}), 0)`;
  const isText = `typeof(${column}) = 'text'`;
  return [
    count(`typeof(${column}) = 'integer'`),
    count(`typeof(${column}) = 'real'`),
    count(isText),
    count(`typeof(${column}) = 'blob'`),
    count(`typeof(${column}) = 'integer' AND ${column} NOT BETWEEN -9007199254740991 AND 9007199254740991`),
    count(`typeof(${column}) = 'integer' AND ${column} IN (0, 1)`),
    count(`${isText} AND ${column} GLOB '${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}'`),
    count(`${isText} AND ${column} GLOB '${day}'`),
    count(`${isText} AND ${column} GLOB '${time}'`),
    count(`${isText} AND json_valid(${column})`),
    count(`${isText} AND ${column} IN ('true', 'false')`),
    count(
      `typeof(${column}) = 'real' AND abs(${column} * 1e${scale} - round(${column} * 1e${scale})) > 1e-6 * max(1, abs(${column}))`,
    ),
    `coalesce(max(length(CAST(${column} AS TEXT))), 0)`,
    ...datetimeForms.map(({ holds }) => count(holds(column))),
  ];
}

function toFound(counts: readonly Value[]): Found {
  const numbers = counts.map(Number);
  const [integers, reals, texts, blobs, large, bits, uuids, days, times, documents, words, finer, longest] = numbers;
  return {
    integers,
    reals,
    texts,
    blobs,
    large,
    bits,
    uuids,
    days,
    times,
    documents,
    words,
    finer,
    longest,
    forms: numbers.slice(13),
  } as Found;
}

const scaleOf = (declared: string) => Number(/\(\s*\d+\s*,\s*(\d+)\s*\)/.exec(declared)?.[1] ?? 0);

function judge(declared: string, found: Found): Judged {
  const { integers, reals, texts, blobs } = found;
  const kinds = [integers + reals, texts, blobs].filter((count) => count > 0).length;
  const native = declared.trim();
  if (kinds > 1) return { native, type: null, why: "holds numbers, texts or bytes, one here and another there" };
  const count = integers + reals + texts + blobs;
  const given = count === 0 ? byDeclaration(native, found) : byValues(native, found, count);
  return { native, why: null, ...given };
}

type Given = Partial<Judged> & Pick<Judged, "type">;

/** By sqlite.org/datatype3.html#determination_of_column_affinity, and by the words that people use beside it. */
function byDeclaration(declared: string, found: Found): Given {
  const word = declared.toUpperCase();
  const exact = exactType(word);
  if (exact) return { type: exact };
  if (/DATETIME|TIMESTAMP/.test(word)) return { type: { name: "datetime" } };
  if (/^DATE\b/.test(word)) return { type: { name: "date" } };
  if (/^TIME\b/.test(word)) return { type: { name: "time" } };
  if (word.startsWith("BOOL")) return { type: { name: "boolean" } };
  if (word.startsWith("JSON")) return { type: { name: "json" } };
  if (word.includes("INT")) return { type: { name: "integer" } };
  if (/CHAR|CLOB|TEXT|^STRING/.test(word)) return { type: textType(word, found) };
  if (/BLOB|BINARY/.test(word)) return { type: { name: "bytes" } };
  if (/REAL|FLOA|DOUB/.test(word)) return { type: { name: "float" } };
  if (word === "") return { type: textType(word, found), why: "has no declared type and no values: taken for a text" };
  return { type: { name: "float" } };
}

function byValues(declared: string, found: Found, count: number): Given {
  const { integers, reals, texts, blobs } = found;
  const said = byDeclaration(declared, found);
  if (blobs > 0) return { type: { name: "bytes" } };
  const wanted = said.type?.name;
  if (wanted === "datetime" || wanted === "date") {
    const form = datetimeForms.findIndex((_, index) => found.forms[index] === count);
    if (wanted === "date" && found.days === count) return { type: { name: "date" } };
    const chosen = datetimeForms[form];
    if (chosen) return { type: { name: "datetime" }, native: `${declared}${chosen.suffix}` };
  }
  if (texts > 0) return byTexts(said, found, declared);
  if (wanted === "boolean" && found.bits === count) return said;
  if (wanted === "decimal" && found.finer === 0) return said;
  if (reals > 0)
    return {
      type: { name: "float" },
      ...(wanted === "decimal" ? { why: "holds more digits than it declares: served as a double" } : {}),
    };
  if (wanted === "float") return said;
  return integers > 0 && found.large > 0 ? { type: { name: "bigint" } } : { type: { name: "integer" } };
}

function byTexts({ type }: Given, found: Found, declared: string): Given {
  const { texts } = found;
  const wanted = type?.name;
  if (wanted === "time" && found.times === texts) return { type: { name: "time" } };
  if (wanted === "json" && found.documents === texts) return { type: { name: "json" } };
  if (wanted === "boolean" && found.words === texts) return { type: { name: "boolean" }, native: `${declared}${wordsSuffix}` };
  if (found.uuids === texts && wanted !== "choice") return { type: { name: "uuid" } };
  const isExpected = wanted === "text" || declared === "";
  const why = isExpected ? null : `is declared ${declared} and holds texts of several forms: served as it is`;
  return { type: textType(declared.toUpperCase(), found), why };
}

function exactType(word: string): CatalogType | null {
  const [, digits, scale = "0"] = /^(?:NUMERIC|DECIMAL|DEC|NUMBER|MONEY)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(word) ?? [];
  if (digits === undefined || Number(digits) > 15) return null;
  return { name: "decimal", precision: Number(digits), scale: Number(scale) };
}

function textType(word: string, { longest }: Found): CatalogType {
  const declared = Number(/\(\s*(\d+)\s*\)/.exec(word)?.[1] ?? 0);
  // SQLite holds nobody to it.
  if (declared > 0 && declared >= longest) return { name: "text", max: declared };
  return { name: "text", max: longest > textMax ? longest * 2 : null };
}
