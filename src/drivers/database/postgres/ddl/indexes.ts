/** Indexes as PostgreSQL has them: with the key at their end, and null where queries order it. */
import { indexColumns, type IndexShape, type TableShape } from "../../../ddl.ts";
import { quote } from "../text.ts";

/** An index ends with the key, as lists do: their order is total, and the index has all of it. A unique one has no need. */
export function indexed({ columns, unique }: IndexShape, { key }: TableShape): IndexShape["columns"] {
  if (unique) return columns;
  const named = new Set(columns.map(({ column }) => column));
  return [...columns, ...key.filter((column) => !named.has(column)).map((column) => ({ column, descending: false }))];
}

// Null comes first, as queries order it; where there is none they do not say so, and neither does the index.
export function createIndex(index: IndexShape, table: TableShape, how = ""): string {
  const optional = new Set(table.columns.filter((one) => one.optional).map(({ name }) => name));
  const columns = indexColumns({ quote }, { ...index, columns: indexed(index, table) }, ({ column, descending }) => {
    if (!optional.has(column)) return descending ? " DESC" : "";
    return descending ? " DESC NULLS LAST" : " NULLS FIRST";
  });
  return `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${how}${columns}`;
}
