/** PostgreSQL's dialect: JSON is written as text, value by value, so that it is to the byte what the other databases write. */
import type { Storage } from "../../../schema/fields/field-type.ts";
import type {
  Bucket,
  Dialect,
  Documents,
  Form,
  Inside,
  JsonWriter,
  Matching,
  Numbers,
  Sorting,
  SortTerm,
  Texts,
} from "../../dialect.ts";
import { literal, quote } from "./text.ts";
import { bindNative, readNative } from "./catalog/forms.ts";
import { functionName } from "./functions.ts";

export const postgresDialect: Dialect = Object.freeze<Dialect>({
  lastNumber: null,
  quote,
  bind,
  among,
  not: (condition) => `(${condition}) is not true`,
  // json has no equality of its own.
  distinct: ({ storage }, left, right) =>
    storage === "json" ? `(${left})::text is distinct from (${right})::text` : `${left} is distinct from ${right}`,
  bucket,
  sorting: Object.freeze<Sorting>({
    term,
    // Its type follows from what it is compared with.
    resume: (_, parameter) => parameter,
    // One plan for all values is kept where it looks no dearer than one for each, and of a bare parameter it is taken to be a tenth
    // of all rows: every page would be planned anew, which costs more than to run it.
    first: (query, parameter, most) =>
      most === null ? `${query} limit ${parameter}` : `select * from (${query} limit ${most}) p limit ${parameter}`,
    comparesRows: true,
    keepsOrder: true,
  }),
  texts: Object.freeze<Texts>({
    matches,
    length: (sql) => `length(${sql})`,
    lower: (sql) => `lower(${sql})`,
    upper: (sql) => `upper(${sql})`,
  }),
  json: Object.freeze<JsonWriter>({
    value: jsonValue,
    element: jsonValue,
    text: textOf,
    object: (pairs) =>
      `('{' || ${pairs.map(([name, sql], index) => `${literal(`${index > 0 ? "," : ""}${JSON.stringify(name)}:`)} || ${sql}`).join(" || ")} || '}')`,
    when: (condition, object) => `case when ${condition} then ${object} else 'null' end`,
    array: ({ object, from, order, limit }) =>
      `(select '[' || coalesce(string_agg("j", ','), '') || ']' from (select ${object} as "j" ${from} order by ${order.map(term).join(", ")} limit ${limit}) a)`,
  }),
  documents: Object.freeze<Documents>({
    read: inside,
    bind: (as, form, parameter) =>
      as === "document" || as === "scalar" || as === "json" ? `(${parameter})::jsonb` : bind(form, parameter),
    compare: compareScalars,
    holds: (list, parameter) =>
      `exists (select 1 from jsonb_array_elements((${list})::jsonb) e(v) where e.v = (${parameter})::jsonb)`,
  }),
  numbers: Object.freeze<Numbers>({
    rescale: (sql, from, to) => (to >= from ? sql : `round(${sql}, ${to})`),
    real: (sql) => `(${sql})::double precision`,
    exact: (_, sql) => sql,
    plus: (form, sql, parameter) => `${sql} + ${bind(form, parameter)}`,
    sum,
    average: ({ storage, scale }, sql) => {
      if (storage === "real") return `avg(${sql})`;
      const units = scale > 0 ? `${sql} * 1${"0".repeat(scale)}` : sql;
      return `(sum(${units})::double precision / count(${sql})${scale > 0 ? ` / 1${"0".repeat(scale)}` : ""})`;
    },
    // PostgreSQL 15 to 17 have no min(uuid); its order is that of its text.
    extreme: (name, { storage }, sql) => (storage === "uuid" ? `${name}((${sql})::text)::uuid` : `${name}(${sql})`),
  }),
});

function term({ sql, descending, nullable }: SortTerm): string {
  if (!nullable) return descending ? `${sql} desc` : sql;
  return descending ? `${sql} desc nulls last` : `${sql} nulls first`;
}

/** The type that a parameter has where it meets a column of that storage. */
const casts: Readonly<Record<Storage, string>> = {
  text: "text",
  uuid: "uuid",
  datetime: "timestamptz",
  date: "date",
  time: "time",
  json: "json",
  integer: "bigint",
  bigint: "bigint",
  decimal: "numeric",
  boolean: "boolean",
  real: "double precision",
  bytes: "bytea",
};

function bind(form: Form, parameter: string): string {
  const { storage, scale } = form;
  const cast = `(${parameter})::${casts[storage]}`;
  return bindNative(form, storage === "decimal" && scale > 0 ? `(${cast} * 0.${"0".repeat(scale - 1)}1)` : cast);
}

function among(form: Form, left: string, parameter: string): string {
  const { storage } = form;
  const value = storage === "bytes" ? "decode(e.v, 'base64')" : storage === "json" ? "e.v::jsonb" : bind(form, "e.v");
  return `${left} = any(array(select ${value} from json_array_elements_text((${parameter})::json) e(v)))`;
}

function matches(operator: Matching, left: string, parameter: string): string {
  switch (operator) {
    case "contains":
      return `strpos(${left}, ${parameter}) > 0`;
    case "startsWith":
      return `starts_with(${left}, ${parameter})`;
    case "endsWith":
      return `right(${left}, char_length(${parameter})) = ${parameter}`;
    case "like":
      return `${left} like ${parameter} escape '\\'`;
    case "search":
      return `(${left} is not null and not exists (select 1 from json_array_elements_text((${parameter})::json) w(v) where strpos(${functionName("fold")}(${left}), w.v) = 0))`;
  }
}

const instant = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const utc = (sql: string) => `timezone('UTC', ${sql})`;

/** A value as a text by itself; null stays null. */
function textOf(form: Form, given: string): string {
  const { storage, scale, isColumn, native } = form;
  const sql = readNative(form, given);
  switch (storage) {
    case "text":
      return sql;
    case "datetime":
      return `to_char(${utc(sql)}, ${instant})`;
    case "decimal":
      return isColumn && native === null ? `(${sql})::text` : `round(${sql}, ${scale})::text`;
    case "real":
      return `${functionName("real")}(${sql})`;
    case "bytes":
      return `translate(encode(${sql}, 'base64'), E'\\n', '')`;
    default:
      return `(${sql})::text`;
  }
}

function jsonValue(form: Form, sql: string): string {
  const text = form.storage === "text" ? `to_json(${readNative(form, sql)})::text` : textOf(form, sql);
  const value = isQuoted(form.storage) ? `'"' || ${text} || '"'` : text;
  // What a column of others never holds is for others to change.
  return form.isRequired && form.native === null ? value : `coalesce(${value}, 'null')`;
}

// Texts are quoted by to_json; the others hold nothing that JSON would escape.
function isQuoted(storage: Storage): boolean {
  return ["uuid", "datetime", "date", "time", "bigint", "decimal", "bytes"].includes(storage);
}

/** Strict, so that a path does not reach into arrays by itself; what is not there is null. */
function inside(document: string, path: string, as: Inside): string {
  const value = `jsonb_path_query_first((${document})::jsonb, ('strict ' || (${path})::text)::jsonpath, '{}', true)`;
  const text = `(${value} #>> '{}')`;
  const only = (types: string, sql: string) => `case when jsonb_typeof(${value}) in (${types}) then ${sql} end`;
  switch (as) {
    case "document":
      return value;
    case "scalar":
      return only("'string', 'number'", value);
    case "json":
      return `nullif(${value}, 'null'::jsonb)`;
    case "words":
    case "text":
      return only("'string'", `${text} collate "C"`);
    case "integer":
    case "real":
      return only("'number'", `${text}::numeric`);
    case "boolean":
      return only("'boolean'", `${text}::boolean`);
    case "decimal":
    case "bigint":
      return only("'string'", `${text}::numeric`);
    case "bytes":
      return only("'string'", `decode(${text}, 'base64')`);
    default:
      return only("'string'", `${text}::${casts[as]}`);
  }
}

// The casts stand in cases of their own: a parameter's would be worked out before it is known whether the branch is taken.
function compareScalars(left: string, sign: string, right: string): string {
  const number = (sql: string) => `case when jsonb_typeof(${sql}) = 'number' then (${sql} #>> '{}')::numeric end`;
  const text = (sql: string) => `case when jsonb_typeof(${sql}) = 'string' then ${sql} #>> '{}' end collate "C"`;
  return `(${number(left)} ${sign} ${number(right)} or ${text(left)} ${sign} ${text(right)})`;
}

function bucket(unit: Bucket, form: Form, native: string): string {
  const { storage } = form;
  const sql = readNative(form, native);
  const formats: Readonly<Record<Bucket, string>> = {
    year: "YYYY",
    quarter: 'YYYY"-Q"Q',
    month: "YYYY-MM",
    week: 'IYYY"-W"IW',
    day: "YYYY-MM-DD",
    hour: 'YYYY-MM-DD"T"HH24',
  };
  if (unit === "hour" && storage !== "datetime") return "null::text";
  return `(to_char(${storage === "datetime" ? utc(sql) : sql}, ${literal(formats[unit])}) collate "C")`;
}

// A sum that does not fit into 64 bits fails, in units as elsewhere.
function sum({ storage, scale }: Form, sql: string): string {
  if (storage === "real") return `sum(${sql})`;
  if (scale === 0) return `sum(${sql})::bigint`;
  return `((sum(${sql}) * 1${"0".repeat(scale)})::bigint * 0.${"0".repeat(scale - 1)}1)`;
}
