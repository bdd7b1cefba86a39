/** Tells what field type a column of an adopted MariaDB table is, by its type as the catalog spells it. */
import type { CatalogColumn, CatalogType } from "../../../catalog.ts";
import { readTexts } from "./words.ts";

type Judged = Pick<CatalogColumn, "type" | "why">;

const plain: Readonly<Record<string, CatalogType>> = {
  tinyint: { name: "integer" },
  smallint: { name: "integer" },
  mediumint: { name: "integer" },
  int: { name: "integer" },
  year: { name: "integer" },
  bigint: { name: "bigint" },
  float: { name: "float" },
  double: { name: "float" },
  uuid: { name: "uuid" },
  json: { name: "json" },
  date: { name: "date" },
  time: { name: "time" },
  datetime: { name: "datetime" },
  timestamp: { name: "datetime" },
  inet4: { name: "text", max: null },
  inet6: { name: "text", max: null },
  binary: { name: "bytes" },
  varbinary: { name: "bytes" },
  tinyblob: { name: "bytes" },
  blob: { name: "bytes" },
  mediumblob: { name: "bytes" },
  longblob: { name: "bytes" },
  tinytext: { name: "text", max: null },
  text: { name: "text", max: null },
  mediumtext: { name: "text", max: null },
  longtext: { name: "text", max: null },
};

const digitsMax = 18;

/** The catalog itself has no characters beyond the basic plane, and writes a ? for each. */
export function isDoubtful(text: string): boolean {
  return text.includes("?");
}

/** @param isJson a CHECK holds it to JSON */
export function typeOf(native: string, isJson: boolean): Judged {
  const [, word = native, inside = ""] = /^(\w+)(?:\((.*)\))?/s.exec(native) ?? [];
  if (isJson && word.endsWith("text")) return { type: { name: "json" }, why: null };
  if (native.startsWith("tinyint(1)") || native === "bit(1)") return { type: { name: "boolean" }, why: null };
  if ((word === "enum" || word === "set") && isDoubtful(native))
    return { type: null, why: "has a member with a ? in it, which the catalog also writes for what it cannot write" };
  if (word === "enum") return { type: { name: "choice", choices: readTexts(native) }, why: null };
  if (word === "set") return { type: { name: "text", max: null }, why: "is a set: served as a text with commas" };
  if (word === "char" || word === "varchar") return { type: { name: "text", max: Number(inside) }, why: null };
  if (word === "decimal") return decimal(inside);
  const known = plain[word];
  return known ? { type: known, why: null } : { type: null, why: `no field type holds ${native}` };
}

function decimal(inside: string): Judged {
  const [precision = 10, scale = 0] = inside.split(",").map(Number);
  if (precision <= digitsMax) return { type: { name: "decimal", precision, scale }, why: null };
  return { type: { name: "float" }, why: `has more than ${digitsMax} digits: served as a double` };
}
