/** SQLite's dialect. The functions named hf_… are registered by the driver on every connection. */
import type { Storage } from "../../../schema/fields/field-type.ts";
import type { Bucket, Dialect, Inside, Matching, Numeric } from "../../dialect.ts";

export const sqliteDialect: Dialect = Object.freeze<Dialect>({
  name: "sqlite",
  quote,
  json,
  jsonObject: (pairs) => `json_object(${pairs.map(([name, sql]) => `${literal(name)},${sql}`).join(",")})`,
  // json(): the mark that says "this text is JSON" does not pass out of a subquery.
  jsonArray: (subquery) => `(select json_group_array(json("j")) from (${subquery}))`,
  // Binding a bare parameter of a limit makes SQLite plan the statement anew, at every run; a sum it takes as it comes.
  limit: (parameter) => `${parameter} + 0`,
  among: (left, parameter) => `${left} in (select "value" from json_each(${parameter}))`,
  not: (condition) => `(${condition}) is not true`,
  distinct: (left, right) => `${left} is not ${right}`,
  matches,
  inside,
  bucket,
});

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const whole: Numeric = Object.freeze({ scale: 0, isPlain: false });

function json(storage: Storage | "object", sql: string, number: Numeric = whole): string {
  switch (storage) {
    case "boolean":
      return `case ${sql} when 1 then json('true') when 0 then json('false') end`;
    case "bigint":
      return `cast(${sql} as text)`;
    case "decimal":
      return number.scale === 0 ? `cast(${sql} as text)` : decimal(sql, number);
    case "json":
      return `json(${sql})`;
    // The mark that says "this text is JSON" does pass out of a case; a test holds SQLite to that.
    case "object":
      return sql;
    case "real":
      return `json(hf_real(${sql}))`;
    case "bytes":
      return `hf_base64(${sql})`;
    default:
      return sql;
  }
}

// printf of null gives a text, so null is kept apart.
function decimal(sql: string, { scale, isPlain }: Numeric): string {
  const unit = `1${"0".repeat(scale)}`;
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
    case "holds":
      return `exists (select 1 from json_each(${left}) where "value" = ${parameter})`;
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

function bucket(unit: Bucket, storage: Storage, sql: string): string {
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
