/** How both servers spell columns, references and indexes: in statements, and in what it says of itself. */
import type { ColumnShape, IndexShape, ReferenceShape, TableShape } from "../../../ddl.ts";
import { quote, shorten } from "../text.ts";
import type { Variant } from "../variants/variant.ts";

const plainTypes: Readonly<Record<Exclude<ColumnShape["storage"], "decimal" | "text" | "uuid" | "integer" | "bigint">, string>> =
  {
    datetime: "datetime(3)",
    date: "date",
    time: "time",
    json: "longtext",
    boolean: "tinyint(1)",
    real: "double",
    bytes: "longblob",
  };

/** The type as statements and the catalogue name it; character set and collation are the table's. */
export function typeOf({ storage, precision, scale, length, native }: ColumnShape, { integer }: Variant["tables"]): string {
  if (native) return native.type;
  if (storage === "decimal") return `decimal(${precision ?? 18},${scale ?? 0})`;
  if (storage === "uuid") return "char(36)";
  if (storage === "text") return typeof length === "number" ? `varchar(${length})` : "longtext";
  return storage === "integer" || storage === "bigint" ? integer : plainTypes[storage];
}

/** A text of the product's own without a bound, of which an index holds the beginning. */
export function isUnbounded({ column }: IndexShape["columns"][number], { columns }: Pick<TableShape, "columns">): boolean {
  const held = columns.find(({ name }) => name === column);
  return held?.storage === "text" && !held.native && typeof held.length !== "number";
}

export function listNames(names: readonly string[]): string {
  return names.map(quote).join(", ");
}

export function referenceName(table: string, { columns, tie }: ReferenceShape): string {
  return tie ?? shorten(`${table}_${columns.join("_")}_fkey`);
}

/** A column of an index, in its direction and as far as the index holds it. */
export function indexedColumn({ column, descending, prefix }: IndexShape["columns"][number]): string {
  return `${quote(column)}${prefix === undefined ? "" : `(${prefix})`}${descending ? " DESC" : ""}`;
}

/** The column that keeps the condition of a unique index. */
export function hiddenColumn({ name }: Pick<IndexShape, "name">): string {
  return shorten(`holdfast_${name}`);
}
