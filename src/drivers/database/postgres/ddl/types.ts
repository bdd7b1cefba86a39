/** The column types of PostgreSQL: its own for everything that has one. */
import type { ColumnShape, ValueForm } from "../../../ddl.ts";

const plainTypes: Readonly<Record<Exclude<ColumnShape["storage"], "decimal">, string>> = {
  text: 'text COLLATE "C"',
  uuid: "uuid",
  datetime: "timestamp(3) with time zone",
  date: "date",
  time: "time(0) without time zone",
  json: "json",
  integer: "bigint",
  bigint: "bigint",
  boolean: "boolean",
  real: "double precision",
  bytes: "bytea",
};

export function typeOf({ storage, precision, scale, native }: ValueForm & Pick<ColumnShape, "native">): string {
  if (native) return `${native.type}${native.collation ?? ""}`;
  return storage === "decimal" ? `numeric(${precision ?? 18},${scale ?? 0})` : plainTypes[storage];
}

/** The type as the catalogue names it, which keeps the collation elsewhere. */
export const catalogued = (form: Parameters<typeof typeOf>[0]) => form.native?.type ?? typeOf(form).replace(' COLLATE "C"', "");
