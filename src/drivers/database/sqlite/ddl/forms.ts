/** What a value of one storage is in another: SQLite keeps decimals as whole numbers of the smallest unit, and dates as texts. */
import type { ColumnShape, Forms, NativeForm, ValueForm } from "../../../ddl.ts";
import { bindNative, declaredType, readNative } from "../catalog/forms.ts";

const exact: ReadonlySet<ColumnShape["storage"]> = new Set(["integer", "bigint", "decimal", "boolean"]);
const wordy: ReadonlySet<ColumnShape["storage"]> = new Set(["text", "uuid", "datetime", "date", "time", "json"]);

const power = (exponent: number) => `1${"0".repeat(exponent)}`;
const scaleOf = ({ storage, scale }: ValueForm) => (storage === "decimal" ? (scale ?? 0) : 0);
const cast = (sql: string, type: "TEXT" | "INTEGER" | "REAL") => `CAST(${sql} AS ${type})`;

function convert(sql: string, from: ValueForm, to: ValueForm): string {
  if (from.storage === to.storage && scaleOf(from) === scaleOf(to)) return sql;
  if (exact.has(from.storage)) return convertExact(sql, from, to);
  if (from.storage === "real" && exact.has(to.storage)) return roundReal(sql, scaleOf(to));
  if (from.storage === "date" && to.storage === "datetime") return `${sql} || 'T00:00:00.000Z'`;
  if (from.storage === "datetime" && to.storage === "date") return `substr(${sql}, 1, 10)`;
  if (wordy.has(from.storage) && wordy.has(to.storage)) return sql;
  return from.storage === "text" && scaleOf(to) === 0 && exact.has(to.storage) ? cast(sql, "INTEGER") : "NULL";
}

function convertExact(sql: string, from: ValueForm, to: ValueForm): string {
  const change = scaleOf(to) - scaleOf(from);
  if (exact.has(to.storage)) return change === 0 ? sql : change > 0 ? `${sql} * ${power(change)}` : `${sql} / ${power(-change)}`;
  // By its text, so that the double is the one nearest to it.
  if (to.storage === "real") return cast(scaleOf(from) === 0 ? sql : decimalText(sql, power(scaleOf(from))), "REAL");
  if (to.storage !== "text") return "NULL";
  return scaleOf(from) === 0 ? cast(sql, "TEXT") : decimalText(sql, power(scaleOf(from)));
}

function roundReal(sql: string, scale: number): string {
  return cast(`round(${scale === 0 ? sql : `${sql} * ${power(scale)}`})`, "INTEGER");
}

function decimalText(sql: string, unit: string): string {
  const whole = cast(`abs(${sql}) / ${unit}`, "TEXT");
  // 10^s + rest, without its first digit, is the rest with its leading zeros.
  const rest = `substr(${cast(`${unit} + abs(${sql}) % ${unit}`, "TEXT")}, 2)`;
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE (CASE WHEN ${sql} < 0 THEN '-' ELSE '' END) || ${whole} || '.' || ${rest} END`;
}

function heldAs({ storage, scale, spelt }: NativeForm) {
  return { storage, scale: scale ?? 0, native: spelt, isRequired: false, isPlain: false, isColumn: true };
}

export const sqliteForms: Forms = Object.freeze({
  boundsTexts: false,
  convert,
  isWhole: (sql: string) => `${cast(cast(sql, "INTEGER"), "TEXT")} = ${sql}`,
  read: (sql: string, native: NativeForm) => readNative(heldAs(native), sql),
  write: (sql: string, native: NativeForm) => bindNative(heldAs(native), sql),
  declare: (native: string) => ({ type: declaredType(native), refers: true }),
});
