/** SQLite's dialect. The functions named hf_… are registered by the driver on every connection. */
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
import { shownTable } from "../../../schema/table-name.ts";
import { bindNative, readNative } from "./catalog/forms.ts";

export const sqliteDialect: Dialect = Object.freeze<Dialect>({
  lastNumber: null,
  quote,
  bind: bindNative,
  // JSON has no bytes, so they are compared in the form in which it writes them.
  among: (form, left, parameter) =>
    `${form.storage === "bytes" ? json(form, left) : left} in (select ${bindNative(form, '"value"')} from json_each(${parameter}))`,
  not: (condition) => `(${condition}) is not true`,
  distinct: (_, left, right) => `${left} is not ${right}`,
  bucket,
  sorting: Object.freeze<Sorting>({
    term,
    resume: (_, parameter) => parameter,
    // Binding a bare parameter of a limit makes SQLite plan the statement anew, at every run; a sum it takes as it comes.
    first: (query, parameter) => `${query} limit ${parameter} + 0`,
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
    value: json,
    element: (form, sql) => `json_quote(${json(form, sql)})`,
    text: (form, sql) => (form.storage === "text" || form.storage === "uuid" ? sql : textOf(form, sql)),
    object: jsonObject,
    // The mark that says "this text is JSON" does pass out of a case; a test holds SQLite to that.
    when: (condition, object) => `case when ${condition} then ${object} end`,
    // json(): the mark does not pass out of a subquery.
    array: ({ object, from, order, limit }) =>
      `(select json_group_array(json("j")) from (select ${object} as "j" ${from} order by ${order.map(term).join(", ")} limit ${limit}))`,
  }),
  documents: Object.freeze<Documents>({
    read: inside,
    bind: (as, _, parameter) => (as === "scalar" ? `json_extract(${parameter}, '$')` : parameter),
    compare: (left, sign, right) => `((typeof(${left}) = 'text') = (typeof(${right}) = 'text') and ${left} ${sign} ${right})`,
    holds: (list, parameter) => `exists (select 1 from json_each(${list}) where "value" = json_extract(${parameter}, '$'))`,
  }),
  numbers: Object.freeze<Numbers>({
    rescale,
    real: (sql, scale) => `(${sql} * 1.0 / ${unitOf(scale)})`,
    exact: readNative,
    plus: (form, sql, parameter) => bindNative(form, `${readNative(form, sql)} + ${parameter}`),
    sum: (form, sql) => bindNative(form, `sum(${readNative(form, sql)})`),
    average: (form, sql) =>
      form.scale > 0 ? `avg(${readNative(form, sql)}) / ${unitOf(form.scale)}` : `avg(${readNative(form, sql)})`,
    extreme: (name, _, sql) => `${name}(${sql})`,
  }),
});

function term({ sql, descending }: SortTerm): string {
  return descending ? `${sql} desc` : sql;
}

// A schema, which only PostgreSQL has, is a part of the name: in memory, where a database stands for any.
function quote(name: string): string {
  return `"${shownTable(name).replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function unitOf(scale: number): string {
  return `1${"0".repeat(scale)}`;
}

function rescale(sql: string, from: number, to: number): string {
  const unit = 10n ** BigInt(Math.abs(to - from));
  if (to >= from) return to === from ? sql : `(${sql} * ${unit})`;
  const half = unit / 2n;
  return `((${sql} + case when ${sql} < 0 then -${half} else ${half} end) / ${unit})`;
}

// A function takes 127 arguments (sqlite.org/limits.html); what json_insert adds keeps its place and its type.
const pairsAtOnce = 60;

function jsonObject(pairs: readonly (readonly [name: string, sql: string])[]): string {
  const first = pairs.slice(0, pairsAtOnce).map(([name, sql]) => `${literal(name)},${sql}`);
  let object = `json_object(${first.join(",")})`;
  for (let start = pairsAtOnce; start < pairs.length; start += pairsAtOnce) {
    const more = pairs.slice(start, start + pairsAtOnce).map(([name, sql]) => `${literal(`$."${name}"`)},${sql}`);
    object = `json_insert(${object},${more.join(",")})`;
  }
  return object;
}

function textOf(form: Form, native: string): string {
  const sql = readNative(form, native);
  if (form.storage === "real") return `hf_real(${sql})`;
  return form.storage === "decimal" && form.scale > 0 ? decimal(sql, form) : `cast(${sql} as text)`;
}

function json(form: Form, native: string): string {
  const { storage, ...number } = form;
  const sql = readNative(form, native);
  switch (storage) {
    case "boolean":
      return `case ${sql} when 1 then json('true') when 0 then json('false') end`;
    case "bigint":
      return `cast(${sql} as text)`;
    case "decimal":
      return number.scale === 0 ? `cast(${sql} as text)` : decimal(sql, number);
    case "json":
      return `json(${sql})`;
    case "real":
      return `json(hf_real(${sql}))`;
    case "bytes":
      return `hf_base64(${sql})`;
    default:
      return sql;
  }
}

// printf of null gives a text, so null is kept apart.
function decimal(sql: string, { scale, isPlain }: Pick<Form, "scale" | "isPlain">): string {
  const unit = unitOf(scale);
  if (isPlain) return `printf('%d.%0${scale}d',${sql}/${unit},${sql}%${unit})`;
  return `case when ${sql} is null then null else printf('%s%d.%0${scale}d',case when ${sql}<0 then '-' else '' end,abs(${sql})/${unit},abs(${sql})%${unit}) end`;
}

function matches(operator: Matching, left: string, parameter: string): string {
  switch (operator) {
    case "contains":
      return `instr(${left}, ${parameter}) > 0`;
    case "startsWith":
      return `substr(${left}, 1, length(${parameter})) = ${parameter}`;
    case "endsWith":
      return `(length(${left}) >= length(${parameter}) and substr(${left}, length(${left}) - length(${parameter}) + 1) = ${parameter})`;
    case "like":
      return `${left} glob hf_glob(${parameter})`;
    case "search":
      return `(${left} is not null and not exists (select 1 from json_each(${parameter}) where instr(hf_fold(${left}), "value") = 0))`;
  }
}

function inside(document: string, parameter: string, as: Inside): string {
  const value = `json_extract(${document}, ${parameter})`;
  const only = (types: string) => `case when json_type(${document}, ${parameter}) in (${types}) then ${value} end`;
  switch (as) {
    case "document":
      return `(${document} -> ${parameter})`;
    case "scalar":
      return only("'text', 'integer', 'real'");
    case "words":
      return only("'text'");
    // Both are texts in JSON; a decimal there has all digits of its scale.
    case "decimal":
    case "bigint":
      return `cast(replace(${value}, '.', '') as integer)`;
    case "bytes":
      return `hf_unbase64(${value})`;
    default:
      return value;
  }
}

function bucket(unit: Bucket, form: Form, native: string): string {
  const { storage } = form;
  const sql = readNative(form, native);
  switch (unit) {
    case "year":
      return `substr(${sql}, 1, 4)`;
    case "quarter":
      return `substr(${sql}, 1, 4) || '-Q' || ((cast(substr(${sql}, 6, 2) as integer) + 2) / 3)`;
    case "month":
      return `substr(${sql}, 1, 7)`;
    case "week":
      return `strftime('%G-W%V', ${sql})`;
    case "day":
      return `substr(${sql}, 1, 10)`;
    case "hour":
      return storage === "datetime" ? `substr(${sql}, 1, 13)` : "null";
  }
}
