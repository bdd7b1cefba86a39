/** What a value of one storage is in another, in PostgreSQL's own types: a decimal is its value, whatever its digits. */
import type { ColumnShape, Forms, NativeForm, ValueForm } from "../../../ddl.ts";
import { bindNative, isMade, readNative } from "../catalog/forms.ts";
import { postgresDialect } from "../dialect.ts";
import { catalogued } from "./types.ts";

const exact: ReadonlySet<ColumnShape["storage"]> = new Set(["integer", "bigint", "decimal"]);
const wordy: ReadonlySet<ColumnShape["storage"]> = new Set(["uuid", "datetime", "date", "time", ...exact]);

const scaleOf = ({ storage, scale }: ValueForm) => (storage === "decimal" ? (scale ?? 0) : 0);
const power = (exponent: number) => `1${"0".repeat(exponent)}`;

function convert(sql: string, from: ValueForm, to: ValueForm): string {
  if (from.storage === to.storage || (exact.has(from.storage) && exact.has(to.storage))) return sql;
  const nothing = `NULL::${catalogued(to)}`;
  switch (to.storage) {
    case "boolean":
      return exact.has(from.storage) ? `(${sql} <> 0)` : nothing;
    case "integer":
    case "bigint":
    case "decimal":
      return toExact(sql, from, to) ?? nothing;
    case "real":
      return exact.has(from.storage) ? `${sql}::double precision` : nothing;
    case "text":
      return wordy.has(from.storage) ? textOf(sql, from) : nothing;
    case "date":
      return from.storage === "datetime" ? `timezone('UTC', ${sql})::date` : nothing;
    case "datetime":
      return from.storage === "date" ? `timezone('UTC', ${sql}::timestamp)` : nothing;
    default:
      return nothing;
  }
}

function toExact(sql: string, from: ValueForm, to: ValueForm): string | null {
  if (from.storage === "boolean") return `${sql}::integer`;
  if (from.storage === "text") return scaleOf(to) === 0 ? `${sql}::bigint` : null;
  return from.storage === "real" ? roundReal(sql, scaleOf(to)) : null;
}

/** round() of a double rounds to even, and a cast to numeric keeps 15 digits; from 2^52 on there is nothing to round. */
function roundReal(sql: string, scale: number): string {
  const units = scale === 0 ? sql : `(${sql} * ${power(scale)})`;
  const whole = `(CASE WHEN abs(${units}) < 4503599627370496 THEN trunc(${units} + sign(${units}) * 0.5) ELSE ${units} END)::bigint`;
  return scale === 0 ? whole : `${whole} * 0.${"0".repeat(scale - 1)}1`;
}

function textOf(sql: string, { storage, scale }: ValueForm): string {
  return postgresDialect.json.text(
    { storage, scale: scale ?? 0, isPlain: false, isRequired: false, isColumn: true, native: null },
    sql,
  );
}

/** The longest have as many digits as a number of 64 bits, and are compared as numbers that have no such bound. */
function isWhole(sql: string): string {
  const fits = `${sql}::numeric BETWEEN -9223372036854775808 AND 9223372036854775807`;
  return `CASE WHEN ${sql} ~ '^(0|-?[1-9][0-9]{0,18})$' THEN ${fits} ELSE ${sql} IS NULL END`;
}

function heldAs({ storage, scale, spelt }: NativeForm) {
  return { storage, scale: scale ?? 0, native: spelt, isRequired: false, isPlain: false, isColumn: true };
}

export const postgresForms: Forms = Object.freeze<Forms>({
  boundsTexts: false,
  convert,
  isWhole,
  read: (sql, native) => readNative(heldAs(native), sql),
  write: (sql, native) => bindNative(heldAs(native), sql),
  declare: (native) => ({ type: native, refers: true, isMade: isMade(native) }),
});
