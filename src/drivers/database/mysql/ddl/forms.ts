/** What a value of one storage is in another, for both servers: most of it MODIFY COLUMN does by itself, for every row or for none. */
import type { ColumnShape, Forms, NativeForm, ValueForm } from "../../../ddl.ts";
import { createForms, declareNative } from "../catalog/forms.ts";

const exact: ReadonlySet<ColumnShape["storage"]> = new Set(["integer", "bigint", "decimal", "boolean"]);
const wordy: ReadonlySet<ColumnShape["storage"]> = new Set(["uuid", "date", "time", "integer", "bigint", "decimal"]);

function convert(sql: string, from: ValueForm, to: ValueForm): string {
  if (from.storage === to.storage || (exact.has(from.storage) && exact.has(to.storage))) return sql;
  if (from.storage === "real") return exact.has(to.storage) ? roundReal(sql, to) : "NULL";
  if (to.storage === "real") return exact.has(from.storage) ? sql : "NULL";
  if (to.storage === "text" && from.storage === "datetime") return `concat(replace(${sql}, ' ', 'T'), 'Z')`;
  if (to.storage === "text" && wordy.has(from.storage)) return sql;
  const isDay = (storage: ColumnShape["storage"]) => storage === "date" || storage === "datetime";
  if (isDay(from.storage) && isDay(to.storage)) return sql;
  return from.storage === "text" && (to.storage === "integer" || to.storage === "bigint") ? `CAST(${sql} AS SIGNED)` : "NULL";
}

/** round() of a double rounds to even; from 2^52 on there is nothing to round. */
function roundReal(sql: string, { storage, scale }: ValueForm): string {
  const unit = storage === "decimal" && scale ? `1${"0".repeat(scale)}` : "";
  const units = unit === "" ? sql : `(${sql} * ${unit})`;
  const whole = `CAST(CASE WHEN abs(${units}) < 4503599627370496 THEN truncate(${units} + sign(${units}) * 0.5e0, 0) ELSE ${units} END AS SIGNED)`;
  return unit === "" ? whole : `${whole} / ${unit}`;
}

function isWhole(sql: string): string {
  const fits = `CAST(${sql} AS DECIMAL(20, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807`;
  return `CASE WHEN ${sql} REGEXP '^(0|-?[1-9][0-9]{0,18})$' THEN ${fits} ELSE ${sql} IS NULL END`;
}

function heldAs({ storage, scale, spelt }: NativeForm) {
  return { storage, scale: scale ?? 0, native: spelt, isRequired: false, isPlain: false, isColumn: true };
}

// A text is referred to by one of its own collation alone, which only the table's definition tells.
const isText = /^(char|varchar|\w*text|enum|set)\b/i;

export function createDdlForms(collation: string): Forms {
  const native = createForms(collation);
  return Object.freeze<Forms>({
    boundsTexts: true,
    convert,
    isWhole,
    read: (sql, form) => native.read(heldAs(form), sql),
    // Where it is assigned the server turns it into the column's type, or refuses it.
    write: (sql) => sql,
    declare: (type) => ({ ...declareNative(type), refers: !isText.test(type) }),
  });
}
