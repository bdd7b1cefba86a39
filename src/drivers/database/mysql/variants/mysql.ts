/** MySQL, from 8.4 on: what it says in other words than MariaDB. */
import type { Reader } from "../../../ddl.ts";
import type { Listed } from "../../../dialect.ts";
import { literal, quote, unquote } from "../text.ts";
import { mysqlCatalog } from "./mysql-catalog.ts";
import { createMysqlDocuments } from "./mysql-documents.ts";
import type { Finding, Gathered, Variant } from "./variant.ts";

const collation = "utf8mb4_0900_bin";

/**
 * A derived table may speak of the row around it, so it sorts and cuts. What gathers the rows goes by their numbers alone: sorted by
 * whether a value is null, it has been seen to turn them round.
 */
function gather({ object, from, order, limit }: Listed): Gathered {
  const keys = order.map(({ sql }, index) => `${sql} as "o${index}"`).join(", ");
  const by = (table: string) =>
    order.map(({ descending }, index) => `${table}"o${index}"${descending ? " desc" : ""}`).join(", ");
  const rows = `select ${object} as "j", ${keys} ${from} order by ${by("")} limit ${limit}`;
  const numbered = `select a."j", row_number() over (order by ${by("a.")}) as "o" from (${rows}) a`;
  return { sql: `group_concat(b."j" order by b."o" separator ',')`, from: `from (${numbered}) b` };
}

const mark = "\u0001";

/** It compiles an expression at every call: so that is asked once, and sets what it finds between marks, marks of the text's own too. */
function find(characters: string): Finding {
  return {
    prepare: `set rest = regexp_replace(rest, '([${characters}\\x{1}])', '${mark}$1${mark}');`,
    place: `locate('${mark}', rest)`,
    mark,
  };
}

/** Characters of a long text by which an index finds it; the hash that follows them compares all of it. */
const foundBy = 160;

const optional = /^ALTER TABLE ("(?:[^"]|"")+") .*(, DROP INDEX IF EXISTS ("(?:[^"]|"")+"))$/;

/** It drops no index "if it exists": so that is asked. */
async function spell(text: string, read: Reader): Promise<string> {
  const [, table = "", clause = "", index = ""] = optional.exec(text) ?? [];
  if (clause === "") return text;
  const named = `table_name = ${literal(unquote(table))} and index_name = ${literal(unquote(index))}`;
  const [found] = await read(`select 1 from information_schema.statistics where table_schema = database() and ${named} limit 1`);
  return `${text.slice(0, -clause.length)}${found ? `, DROP INDEX ${index}` : ""}`;
}

const plain = /^(?:-?\d+(?:\.\d+)?|'(?:[^']|'')*')$/;

/** Of what the data definition says of values. Long columns have no constant, and an expression is not the quick way. */
function constant(type: string, fill: string): string | null {
  if (/^(?:long|json)/.test(type)) return null;
  if (plain.test(fill)) return fill;
  const [, instant] = /^CAST\(('[^']*') AS DATETIME\(3\)\)$/.exec(fill) ?? [];
  if (instant !== undefined) return instant.replace("T", " ");
  const [, sign = "", units = "", places = ""] = /^\((-?)(\d+) \* 0\.(0*1)\)$/.exec(fill) ?? [];
  const digits = units.padStart(places.length + 1, "0");
  return units === "" ? null : `${sign}${digits.slice(0, -places.length)}.${digits.slice(-places.length)}`;
}

const texts = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`/g;

/** Backslashes in texts, twice; in names they stand for themselves. */
function escaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(texts, (part) => (part.startsWith("'") ? part.replaceAll("\\", "\\\\") : part));
}

export const mysql: Variant = Object.freeze<Variant>({
  title: "MySQL",
  oldest: [8, 4],
  collation,
  sessions: Object.freeze({
    modes: [],
    // Of an EXISTS within an outer join that it makes a join of, it has been seen to leave out conditions: an access rule may be one.
    settings: ["cte_max_recursion_depth = 4294967295", "optimizer_switch = 'semijoin=off'"],
    // Of reads alone: a write that takes longer is given up with its connection.
    limit: (timeoutMs: number) => `max_execution_time = ${timeoutMs}`,
    // Under NO_BACKSLASH_ESCAPES it cannot open a table of whose expressions one has a quote or a backslash in a text.
    escaped,
    hasBlocks: false,
  }),
  routines: Object.freeze({
    // For a moment there is none.
    replace: (name: string, definition: string) => [`drop function if exists ${name}`, `create function ${name}${definition}`],
    // As a text alone it has 22 characters at most.
    digits: (sql: string) =>
      `trim(trailing '.0' from trim(leading '[' from trim(trailing ']' from cast(json_array(${sql}) as char))))`,
    group: "$1",
    element: (list: string, index: string) => `json_unquote(json_extract(${list}, '$[' || ${index} || ']'))`,
    find,
  }),
  queries: Object.freeze({
    lastNumber: "select last_insert_id()",
    gather,
    documents: createMysqlDocuments(collation),
    // It goes by the collation of what it looks into, whatever the other one says of itself.
    locate: (part: string, whole: string) => `locate(${part}, convert(${whole} using utf8mb4) collate ${collation})`,
  }),
  tables: Object.freeze({
    integer: "bigint",
    longParts: (column: string) => [`${quote(column)}(${foundBy})`, `(UNHEX(SHA2(${quote(column)}, 256)))`],
    expression: "s.expression",
    constant,
    // A condition is the table's, not the column's: it would stay when the column changes, and not let it be renamed.
    checksDocuments: false,
    // It counts them anew, under names that are the whole database's even where the table is temporary.
    dropChecks: (table: string, count: number) =>
      Array.from({ length: count }, (_, at) => `ALTER TABLE ${quote(table)} DROP CHECK ${quote(`${table}_chk_${at + 1}`)}`),
    spell,
  }),
  catalog: mysqlCatalog,
});
