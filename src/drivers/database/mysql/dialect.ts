/** MariaDB's dialect: JSON is written as text, value by value, so that it is to the byte what the other databases write. */
import type { Storage } from "../../../schema/fields/field-type.ts";
import type { Bucket, Dialect, Form, JsonWriter, Matching, Numbers, Sorting, SortTerm, Texts } from "../../dialect.ts";
import { bind, bindStored } from "./bind.ts";
import { documents } from "./documents.ts";
import { functionName } from "./server/functions.ts";
import { collation, literal, quote } from "./text.ts";

export const mysqlDialect: Dialect = Object.freeze<Dialect>({
  name: "mysql",
  quote,
  bind,
  among,
  not: (condition) => `(${condition}) is not true`,
  distinct: (_, left, right) => `not (${left} <=> ${right})`,
  bucket,
  sorting: Object.freeze<Sorting>({
    term,
    resume: ({ storage, scale }, parameter) =>
      storage === "decimal" ? `cast(${parameter} as decimal(${digitsMax},${scale}))` : bindStored(storage, parameter),
    comparesRows: false,
    keepsOrder: false,
  }),
  texts: Object.freeze<Texts>({
    matches,
    length: (sql) => `char_length(${sql})`,
    lower: (sql) => `${functionName("lower")}(${sql})`,
    upper: (sql) => `${functionName("upper")}(${sql})`,
  }),
  json: Object.freeze<JsonWriter>({
    value: jsonValue,
    text: textOf,
    object: (pairs) =>
      whole(
        `'{' || ${pairs.map(([name, sql], index) => `${literal(`${index > 0 ? "," : ""}${JSON.stringify(name)}:`)} || ${sql}`).join(" || ")} || '}'`,
      ),
    when: (condition, object) => `case when ${condition} then ${object} else 'null' end`,
    // A derived table cannot speak of the row around it, so the function itself sorts and cuts.
    array: ({ object, from, order, limit }) =>
      whole(
        `(select '[' || coalesce(group_concat(${object} order by ${order.map(termInside).join(", ")} separator ',' limit ${limit}), '') || ']' ${from})`,
      ),
  }),
  documents,
  numbers: Object.freeze<Numbers>({
    rescale: (sql, from, to) => (to >= from ? sql : `round(${sql}, ${to})`),
    real: (sql) => `cast(${sql} as double)`,
    exact: (_, sql) => sql,
    plus: (form, sql, parameter) => `${sql} + ${bind(form, parameter)}`,
    sum,
    average: ({ storage, scale }, sql) => {
      if (storage === "real") return `avg(${sql})`;
      const units = scale > 0 ? `${sql} * 1${"0".repeat(scale)}` : sql;
      return `(cast(sum(${units}) as double) / count(${sql})${scale > 0 ? ` / 1${"0".repeat(scale)}` : ""})`;
    },
    extreme: (name, _, sql) => `${name}(${sql})`,
    limit: (parameter) => parameter,
  }),
});

function term({ sql, descending }: SortTerm): string {
  return descending ? `${sql} desc` : sql;
}

/** There null counts as zero, or as the empty text. */
function termInside(by: SortTerm): string {
  if (!by.nullable) return term(by);
  return `${by.sql} is ${by.descending ? "" : "not "}null, ${term(by)}`;
}

/** Digits of an exact number on its way: those of 64 bits, and as many behind the point. */
const digitsMax = 60;

/** A text of more than max_allowed_packet bytes becomes null, with a warning that nobody reads: it is an error instead. */
function whole(json: string): string {
  return `coalesce(${json}, ${functionName("fail")}('a result is larger than max_allowed_packet'))`;
}

/** The types in which elements of a list are read: of short ones the server can make a table that it looks up. */
const elements: Readonly<Partial<Record<Storage, string>>> = {
  integer: "bigint",
  bigint: "bigint",
  decimal: "bigint",
  boolean: "bigint",
  real: "double",
  uuid: `char(36) character set utf8mb4 collate ${collation}`,
  datetime: "varchar(24)",
  date: "varchar(24)",
  time: "varchar(24)",
};

function among(form: Form, left: string, parameter: string): string {
  const { storage } = form;
  const value = storage === "bytes" ? "from_base64(e.v)" : bind(form, "e.v");
  const type = elements[storage] ?? `longtext character set utf8mb4 collate ${collation}`;
  return `${left} in (select ${value} from json_table(${parameter}, '$[*]' columns (v ${type} path '$')) e)`;
}

function matches(operator: Matching, left: string, parameter: string): string {
  switch (operator) {
    case "contains":
      return `locate(${parameter}, ${left}) > 0`;
    case "startsWith":
      return `left(${left}, char_length(${parameter})) = ${parameter}`;
    case "endsWith":
      return `right(${left}, char_length(${parameter})) = ${parameter}`;
    case "like":
      return `${left} like ${parameter} escape '\\'`;
    case "search":
      return `${functionName("finds")}(${left}, ${parameter})`;
  }
}

/** A value as a text by itself; null stays null. */
function textOf({ storage, scale }: Form, sql: string): string {
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
      return `${functionName("real")}(${sql})`;
    case "boolean":
      return `case when ${sql} then 'true' when not ${sql} then 'false' end`;
    case "bytes":
      return `replace(to_base64(${sql}), '\n', '')`;
    default:
      return `cast(${sql} as char)`;
  }
}

const column = /^(?:\w+\.)?"(?:[^"]|"")+"$/;

function jsonValue(form: Form, sql: string): string {
  if (form.storage === "text") return `coalesce(${quoted(sql)}, 'null')`;
  const text = textOf(form, sql);
  return `coalesce(${isQuoted(form.storage) ? `'"' || ${text} || '"'` : text}, 'null')`;
}

// The server's own function writes some rare characters in another way; to call ours costs more than to look for them.
function quoted(sql: string): string {
  const ours = `${functionName("quote")}(${sql})`;
  const theirs = `json_quote(${sql}) collate ${collation}`;
  return column.test(sql) ? `case when locate('\\u00', ${theirs}) = 0 then ${theirs} else ${ours} end` : ours;
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
function sum({ storage, scale }: Form, sql: string): string {
  if (storage === "real") return `sum(${sql})`;
  const units = scale > 0 ? `sum(${sql}) * 1${"0".repeat(scale)}` : `sum(${sql})`;
  const value = scale > 0 ? `sum(${sql})` : `cast(sum(${sql}) as signed)`;
  return `case when ${units} between -9223372036854775808 and 9223372036854775807 then ${value} when sum(${sql}) is not null then ${functionName("fail")}('a sum is over 64 bits: ' || sum(${sql})) end`;
}
