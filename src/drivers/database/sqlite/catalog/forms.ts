/**
 * How columns of adopted SQLite tables hold values, and how those are turned into the product's own form and back. What the
 * declared type does not tell stands behind it, as in `DATETIME unix`: the catalog finds it out.
 */
import type { Form } from "../../../dialect.ts";

/** One way to hold an instant. */
export interface DatetimeForm {
  /** What is added to the column's declared type; empty for SQLite's own spelling. */
  readonly suffix: string;
  /** SQL: the value is of this form. */
  readonly holds: (column: string) => string;
  /** SQL of the ISO text. */
  readonly read: (column: string) => string;
  /** SQL of the column's value for an ISO text. */
  readonly bind: (iso: string) => string;
}

const digits = (count: number) => "[0-9]".repeat(count);
const day = `${digits(4)}-${digits(2)}-${digits(2)}`;
const time = `${digits(2)}:${digits(2)}:${digits(2)}`;
// Up to the year 9999; the same in milliseconds lies above it but for eight years around 1970.
const secondsMax = 253_402_300_799;
const isoText = "'%Y-%m-%dT%H:%M:%fZ'";

const plain: DatetimeForm = Object.freeze<DatetimeForm>({
  suffix: "",
  holds: (column) => `typeof(${column}) = 'text' AND ${column} GLOB '${day} ${time}'`,
  // A fraction is written only where there is one, and then compares as it should with texts that have none.
  read: (column) => `substr(replace(${column}, ' ', 'T') || '.000', 1, 23) || 'Z'`,
  bind: (iso) => `replace(substr(${iso}, 1, case when substr(${iso}, 20, 4) = '.000' then 19 else 23 end), 'T', ' ')`,
});

/** In the order in which they are tried: the first that every value has. */
export const datetimeForms: readonly DatetimeForm[] = Object.freeze([
  plain,
  {
    suffix: " iso",
    holds: (column) => `typeof(${column}) = 'text' AND ${column} GLOB '${day}T${time}.${digits(3)}Z'`,
    read: (column) => column,
    bind: (iso) => iso,
  },
  {
    suffix: " unix",
    holds: (column) => `typeof(${column}) = 'integer' AND abs(${column}) <= ${secondsMax}`,
    read: (column) => `strftime(${isoText}, ${column}, 'unixepoch')`,
    bind: (iso) => `unixepoch(${iso}, 'subsec')`,
  },
  {
    suffix: " unixms",
    holds: (column) => `typeof(${column}) = 'integer' AND abs(${column}) > ${secondsMax}`,
    read: (column) => `strftime(${isoText}, ${column} / 1000.0, 'unixepoch')`,
    bind: (iso) => `cast(round(unixepoch(${iso}, 'subsec') * 1000) as integer)`,
  },
]);

/** What stands behind the declared type of a column that holds the words true and false. */
export const wordsSuffix = " words";

/** A column's value as the product's own columns hold it. */
export function readNative(form: Form, sql: string): string {
  const { storage, native, scale } = form;
  if (native === null) return sql;
  if (storage === "decimal") return `cast(round(${sql}${scale > 0 ? ` * ${unitOf(scale)}` : ""}) as integer)`;
  if (storage === "datetime") return datetimeForm(native).read(sql);
  return storage === "boolean" && native.endsWith(wordsSuffix) ? `(${sql} = 'true')` : sql;
}

/** A value in the product's own form as the column holds it. */
export function bindNative(form: Form, sql: string): string {
  const { storage, native, scale } = form;
  if (native === null) return sql;
  // A division of whole numbers below 2^53 gives the double that is nearest to the decimal, and so does reading its text.
  if (storage === "decimal") return scale > 0 ? `((${sql}) / ${unitOf(scale)}.0)` : `(${sql})`;
  if (storage === "datetime") return datetimeForm(native).bind(sql);
  return storage === "boolean" && native.endsWith(wordsSuffix) ? `case ${sql} when 1 then 'true' when 0 then 'false' end` : sql;
}

/** The type without what stands behind it. */
export function declaredType(native: string): string {
  const suffix = [...datetimeForms.map((one) => one.suffix), wordsSuffix].find((one) => one !== "" && native.endsWith(one));
  return suffix === undefined ? native : native.slice(0, -suffix.length);
}

function datetimeForm(native: string): DatetimeForm {
  return datetimeForms.find(({ suffix }) => suffix !== "" && native.endsWith(suffix)) ?? plain;
}

function unitOf(scale: number): string {
  return `1${"0".repeat(scale)}`;
}
