/** Tells what field type a column of an adopted PostgreSQL table is, by its type; a domain is what it is made of. */
import type { CatalogColumn, CatalogType } from "../../../catalog.ts";

const plain: Readonly<Record<string, CatalogType>> = {
  smallint: { name: "integer" },
  integer: { name: "integer" },
  bigint: { name: "bigint" },
  real: { name: "float" },
  "double precision": { name: "float" },
  boolean: { name: "boolean" },
  uuid: { name: "uuid" },
  date: { name: "date" },
  "time without time zone": { name: "time" },
  "timestamp without time zone": { name: "datetime" },
  "timestamp with time zone": { name: "datetime" },
  json: { name: "json" },
  jsonb: { name: "json" },
  bytea: { name: "bytes" },
  text: { name: "text", max: null },
  name: { name: "text", max: null },
  citext: { name: "text", max: null },
  inet: { name: "text", max: null },
  cidr: { name: "text", max: null },
  macaddr: { name: "text", max: null },
};

type Judged = Pick<CatalogColumn, "type" | "why">;

const digitsMax = 18;

/** @param base as format_type spells it; `labels` are those of an enum */
export function typeOf(base: string, labels: readonly string[] | null): Judged {
  if (labels !== null && labels.length > 0) return { type: { name: "choice", choices: labels }, why: null };
  const [, word = base, first, second] = /^([a-z ]+?)\((\d+)(?:,(-?\d+))?\)(?: with(?:out)? time zone)?$/.exec(base) ?? [];
  if (word === "character varying" || word === "character")
    return { type: { name: "text", max: first === undefined ? null : Number(first) }, why: null };
  if (word === "numeric") return numeric(first, second);
  // What stands in parentheses is the digits of a second.
  const known = plain[base.replace(/\(\d+\)/, "")];
  return known ? { type: known, why: null } : { type: null, why: `no field type holds ${base}` };
}

function numeric(precision: string | undefined, scale = "0"): Judged {
  if (precision === undefined) return { type: { name: "float" }, why: "is numeric without digits: served as a double" };
  const isFit = Number(precision) <= digitsMax && Number(scale) >= 0 && Number(scale) <= Number(precision);
  if (isFit) return { type: { name: "decimal", precision: Number(precision), scale: Number(scale) }, why: null };
  return { type: { name: "float" }, why: `has more than ${digitsMax} digits: served as a double` };
}
