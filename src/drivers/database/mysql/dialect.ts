/** The dialect of MariaDB and MySQL: JSON is written as text, value by value, so that it is to the byte what the other databases write. */
import type { Storage } from "../../../schema/fields/field-type.ts";
import type { Bucket, Dialect, Form, JsonWriter, Matching, Numbers, Sorting, Texts } from "../../dialect.ts";
import { addend, createForms, type NativeForms, ranked, yielding } from "./catalog/forms.ts";
import { functionName } from "./server/functions.ts";
import { termOf } from "./sorting.ts";
import { literal, quote } from "./text.ts";
import type { Variant } from "./variants/variant.ts";

/** What the parts of the dialect are made with. */
interface Words extends NativeForms {
  /** How a function of the product is called: by its name alone where it stands in the database itself. */
  readonly call: typeof functionName;
  readonly collation: string;
  readonly locate: Variant["queries"]["locate"];
}

/** The dialect where the functions stand in the database of that name, or in the database itself. */
export function createDialect({ collation, queries }: Variant, place: string | null): Dialect {
  const call: Words["call"] = place === null ? functionName : (name) => `${quote(place)}.${functionName(name)}`;
  const words: Words = { ...createForms(collation), call, collation, locate: queries.locate };
  const { bind, read, resume } = words;
  return Object.freeze<Dialect>({
    lastNumber: queries.lastNumber,
    quote,
    bind,
    among: (form, left, parameter) => among(words, form, { left, parameter }),
    not: (condition) => `(${condition}) is not true`,
    distinct: (_, left, right) => `not (${left} <=> ${right})`,
    bucket,
    sorting: Object.freeze<Sorting>({
      term: termOf,
      resume: (form, parameter) =>
        form.storage === "decimal" ? `cast(${parameter} as decimal(${digitsMax},${form.scale}))` : resume(form, parameter),
      first: (query, parameter) => `${query} limit ${parameter}`,
      comparesRows: false,
      keepsOrder: false,
    }),
    texts: Object.freeze<Texts>({
      matches: matches(words),
      length: (sql) => `char_length(${sql})`,
      lower: (sql) => `${call("lower")}(${sql})`,
      upper: (sql) => `${call("upper")}(${sql})`,
    }),
    json: Object.freeze<JsonWriter>({
      value: (form, sql) => jsonValue(words, form, sql),
      element: (form, sql) => jsonValue(words, form, sql),
      text: (form, sql) => textOf(words, form, sql),
      // One call: each || would stand within the next, and five hundred are more than a thread's stack takes.
      object: (pairs) =>
        whole(
          words,
          `concat('{', ${pairs.map(([name, sql], index) => `${literal(`${index > 0 ? "," : ""}${JSON.stringify(name)}:`)}, ${sql}`).join(", ")}, '}')`,
        ),
      when: (condition, object) => `case when ${condition} then ${object} else 'null' end`,
      array(rows) {
        const { sql, from } = queries.gather(rows);
        return whole(words, `(select '[' || coalesce(${sql}, '') || ']' ${from})`);
      },
    }),
    documents: queries.documents,
    numbers: Object.freeze<Numbers>({
      rescale: (sql, from, to) => (to >= from ? sql : `round(${sql}, ${to})`),
      real: (sql) => `cast(${sql} as double)`,
      exact: (_, sql) => sql,
      plus: (form, sql, parameter) => `${addend(form, sql)} + ${bind(form, parameter)}`,
      sum: (form, sql) => sum(words, form, sql),
      average: (form, given) => {
        const { storage, scale } = form;
        const sql = read(form, given);
        if (storage === "real") return `avg(${sql})`;
        const units = scale > 0 ? `${sql} * 1${"0".repeat(scale)}` : sql;
        return `(cast(sum(${units}) as double) / count(${sql})${scale > 0 ? ` / 1${"0".repeat(scale)}` : ""})`;
      },
      extreme: (name, form, sql) => `${name}(${ranked(form, sql)})`,
    }),
  });
}

/** Digits of an exact number on its way: those of 64 bits, and as many behind the point. */
const digitsMax = 60;

/**
 * A text of more than max_allowed_packet bytes becomes null, with a warning that nobody reads: it is an error instead. Beside the
 * LONGTEXT of a function it has no length by which MySQL, which takes a long concatenation for a short text, would cut it on the way.
 */
function whole({ call }: Words, json: string): string {
  return `coalesce(${json}, ${call("quote")}(${call("fail")}('a result is larger than max_allowed_packet')))`;
}

/** The types in which elements of a list are read: of short ones the server can make a table that it looks up. */
const elements = (collation: string): Readonly<Partial<Record<Storage, string>>> => ({
  integer: "bigint",
  bigint: "bigint",
  decimal: "bigint",
  boolean: "bigint",
  real: "double",
  uuid: `char(36) character set utf8mb4 collate ${collation}`,
  datetime: "varchar(24)",
  date: "varchar(24)",
  time: "varchar(24)",
});

interface Listing {
  readonly left: string;
  readonly parameter: string;
}

function among({ bind, collation }: Words, form: Form, { left, parameter }: Listing): string {
  const { storage } = form;
  const value = storage === "bytes" ? "from_base64(e.v)" : bind(form, storage === "text" ? yielding(form, "e.v") : "e.v");
  const type = elements(collation)[storage] ?? `longtext character set utf8mb4 collate ${collation}`;
  return `${left} in (select ${value} from json_table(${parameter}, '$[*]' columns (v ${type} path '$')) e)`;
}

function matches({ call, collation, locate }: Words): Texts["matches"] {
  const by: Readonly<Record<Matching, (left: string, parameter: string) => string>> = {
    contains: (left, parameter) => `${locate(parameter, left)} > 0`,
    startsWith: (left, parameter) => `left(${left}, char_length(${parameter})) = (${parameter})`,
    endsWith: (left, parameter) => `right(${left}, char_length(${parameter})) = (${parameter})`,
    like: (left, parameter) => `${left} like ${parameter} escape '\\'`,
    search: (left, parameter) => `${call("finds")}(${left}, ${parameter})`,
  };
  // To the letter, whatever the collation of the column is.
  return (operator, left, parameter) => by[operator](left, `${parameter} collate ${collation}`);
}

/** A value as a text by itself; null stays null. */
function textOf({ call, read }: Words, form: Form, given: string): string {
  const { storage, scale } = form;
  const sql = read(form, given);
  switch (storage) {
    case "text":
    case "uuid":
    case "json":
      return sql;
    case "datetime":
      return `(replace(cast(cast(${sql} as datetime(3)) as char(23)), ' ', 'T') || 'Z')`;
    case "decimal":
      return `cast(cast(${sql} as decimal(${digitsMax},${scale})) as char)`;
    case "real":
      return `${call("real")}(${sql})`;
    case "boolean":
      return `case when ${sql} then 'true' when not ${sql} then 'false' end`;
    case "bytes":
      return `replace(to_base64(${sql}), '\n', '')`;
    default:
      return `cast(${sql} as char)`;
  }
}

const column = /^(?:\w+\.)?"(?:[^"]|"")+"$/;

function jsonValue(words: Words, form: Form, sql: string): string {
  if (form.storage === "text") return `coalesce(${quoted(words, form, sql)}, 'null')`;
  const text = textOf(words, form, sql);
  return `coalesce(${isQuoted(form.storage) ? `'"' || ${text} || '"'` : text}, 'null')`;
}

// The server's own function writes some rare characters in another way; to call ours costs more than to look for them.
function quoted({ call, collation, read }: Words, form: Form, given: string): string {
  const sql = read(form, given);
  const ours = `${call("quote")}(${sql})`;
  const theirs = `json_quote(${sql}) collate ${collation}`;
  return column.test(given) ? `case when locate('\\u00', ${theirs}) = 0 then ${theirs} else ${ours} end` : ours;
}

// The others hold nothing that JSON would escape.
function isQuoted(storage: Storage): boolean {
  return ["uuid", "datetime", "date", "time", "bigint", "decimal", "bytes"].includes(storage);
}

function bucket(unit: Bucket, { storage }: Form, sql: string): string {
  const formats: Readonly<Record<Exclude<Bucket, "quarter">, string>> = {
    year: "%Y",
    month: "%Y-%m",
    week: "%x-W%v",
    day: "%Y-%m-%d",
    hour: "%Y-%m-%dT%H",
  };
  if (unit === "hour" && storage !== "datetime") return "cast(null as char)";
  return unit === "quarter"
    ? `(date_format(${sql}, '%Y') || '-Q' || quarter(${sql}))`
    : `date_format(${sql}, ${literal(formats[unit])})`;
}

// A sum that does not fit into 64 bits fails, in units as elsewhere. The reason speaks of the sum, or it would be asked for row by row.
function sum({ call, read }: Words, form: Form, given: string): string {
  const { storage, scale } = form;
  const sql = read(form, given);
  if (storage === "real") return `sum(${sql})`;
  const units = scale > 0 ? `sum(${sql}) * 1${"0".repeat(scale)}` : `sum(${sql})`;
  const value = scale > 0 ? `sum(${sql})` : `cast(sum(${sql}) as signed)`;
  return `case when ${units} between -9223372036854775808 and 9223372036854775807 then ${value} when sum(${sql}) is not null then ${call("fail")}('a sum is over 64 bits: ' || sum(${sql})) end`;
}
