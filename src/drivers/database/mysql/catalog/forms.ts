/** How columns of adopted tables hold values, and how those are turned into the types of the product's own columns and back. */
import type { Form } from "../../../dialect.ts";
import { bind, bindStored, timeOf } from "../bind.ts";
import { literal, yieldingText } from "../text.ts";
import { readTexts } from "./words.ts";

const isEnum = (native: string) => native.startsWith("enum(");
const foreign = / collate ((\w+?)_\w+)$/;
const isSet = (native: string) => native.startsWith("set(");

/** Three ways between a column of somebody else's and the product's own. */
export interface NativeForms {
  /** A column's value as the product's own columns hold it. */
  readonly read: (form: Form, sql: string) => string;
  /** A value of the product's own type as the column holds it. */
  readonly bind: (form: Form, parameter: string) => string;
  /** A value that a query has answered, as it is compared with the column that it is of: to its last digit. */
  readonly resume: (form: Form, parameter: string) => string;
}

/** Texts are the product's own by that collation. */
export function createForms(collation: string): NativeForms {
  return Object.freeze<NativeForms>({
    read: (form, sql) => readNative(form, sql, collation),
    bind: (form, parameter) => bindNative(form, parameter, collation),
    resume: (form, parameter) => resumeNative(form, parameter, collation),
  });
}

function readNative({ storage, native }: Form, sql: string, collation: string): string {
  if (native === null) return sql;
  switch (storage) {
    case "text":
    case "uuid":
    case "json":
      return `(convert(${labelled(native, sql)} using utf8mb4) collate ${collation})`;
    case "integer":
    case "bigint":
      // What is filled up with zeros is no number in JSON, and a year has four digits.
      return native.endsWith("zerofill") || native.startsWith("year") ? `(${sql} + 0)` : sql;
    case "time":
      return `cast(${sql} as time)`;
    case "real":
      return native.startsWith("float") ? shortest(sql) : `cast(${sql} as double)`;
    default:
      return sql;
  }
}

// The least and the greatest are numbers of members, as in the column.
function labelled(native: string, sql: string): string {
  if (isEnum(native)) return `elt((${sql}) + 0, ${membersOf(native)})`;
  return isSet(native) ? `make_set((${sql}) + 0, ${membersOf(native)})` : sql;
}

/** The text of four bytes has six digits: where they say it all it is the number, and else their value in eight is. */
function shortest(sql: string): string {
  return `case when cast(cast(${sql} as char) as float) = ${sql} then cast(cast(${sql} as char) as double) else cast(${sql} as double) end`;
}

function bindNative(form: Form, parameter: string, collation: string): string {
  const { native, storage } = form;
  if (native === null) return bind(form, parameter);
  if (storage === "real" && native.startsWith("float")) return `cast(${parameter} as float)`;
  if (storage !== "text") return bind(form, parameter);
  // These sort by their members' numbers, and compare so with numbers alone.
  if (isEnum(native)) return `nullif(field(${parameter}, ${membersOf(native)}), 0)`;
  return isSet(native) ? bindSet(native, parameter) : bindText(native, parameter, collation);
}

/** What the catalog writes behind the type of a text that is not of utf8mb4: beside a parameter it would be compared as that is. */
export function collated(native: string, collationName: string): string {
  return `${native} collate ${collationName}`;
}

/** The same as definitions have it. */
export function declareNative(native: string): { readonly type: string; readonly collation?: string } {
  const [suffix, name, set] = foreign.exec(native) ?? [];
  if (suffix === undefined) return { type: native };
  return { type: native.slice(0, -suffix.length), collation: ` CHARACTER SET ${set} COLLATE ${name}` };
}

/** Characters that the column's set has not are refused where they are written, and found nowhere. */
function bindText(native: string, parameter: string, collation: string): string {
  const [, name, set] = foreign.exec(native) ?? [];
  if (name === undefined) return parameter;
  const told = `convert(${parameter} using ${set})`;
  const none = `convert(cast('?' as date) using ${set})`;
  return `((case when ${parameter} is null then null when convert(${told} using utf8mb4) collate ${collation} = ${parameter} then ${told} else ${none} end) collate ${name})`;
}

/** What has other members than the set is a number that no set has. */
function bindSet(native: string, parameter: string): string {
  const members = readTexts(native).map(literal);
  const number = members
    .map((member, index) => `(find_in_set(${member}, ${parameter}) > 0) * ${2n ** BigInt(index)}`)
    .join(" + ");
  return `case when char_length(make_set(${number}, ${members.join(", ")})) = char_length(${parameter}) then ${number} when ${parameter} is not null then -1 end`;
}

function resumeNative(form: Form, parameter: string, collation: string): string {
  const { native, storage } = form;
  if (native === null) return bindStored(storage, parameter);
  if (storage === "datetime") return `cast(${parameter} as datetime(6))`;
  if (storage === "time") return timeOf(parameter, 6);
  if (native.endsWith("unsigned") && storage === "bigint") return `cast(${parameter} as unsigned)`;
  if (storage === "real" && native.startsWith("decimal")) return `cast(${parameter} as ${/^[^ ]+/.exec(native)?.[0] ?? native})`;
  return storage === "text" ? bindNative(form, parameter, collation) : bindStored(storage, parameter);
}

/** A text of a list as a parameter would be: it is compared by the column's collation. */
export function yielding({ native }: Form, sql: string): string {
  const isBound = native === null || isEnum(native) || isSet(native) || foreign.test(native);
  return isBound ? sql : yieldingText(sql);
}

/** The column in sums: signed where a result below zero may be, whoever then refuses it. */
export function addend({ native }: Form, sql: string): string {
  return native !== null && /^(?:tiny|small|medium|big)?int\b.* unsigned/.test(native) ? `cast(${sql} as signed)` : sql;
}

/** The least or greatest goes by what the column sorts by. */
export function ranked({ native }: Form, sql: string): string {
  return native !== null && (isEnum(native) || isSet(native)) ? `${sql} + 0` : sql;
}

const membersOf = (native: string) => readTexts(native).map(literal).join(", ");
