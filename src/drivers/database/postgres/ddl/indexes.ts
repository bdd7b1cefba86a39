/** Indexes as PostgreSQL has them: with the key at their end, and null where queries order it. */
import { indexColumns, type IndexShape, type TableShape } from "../../../ddl.ts";
import { partsOfTable } from "../../../../schema/table-name.ts";
import { quote, quoteOwn } from "../text.ts";

/** An index ends with the key, as lists do: their order is total, and the index has all of it. A unique one has no need. */
export function indexed({ columns, unique, found }: IndexShape, { key }: TableShape): IndexShape["columns"] {
  if (unique || found !== undefined) return columns;
  const named = new Set(columns.map(({ column }) => column));
  return [...columns, ...key.filter((column) => !named.has(column)).map((column) => ({ column, descending: false }))];
}

/** What comes with a constraint goes with it. */
export function dropIndex({ name, table, found }: IndexShape): string {
  return found === "constraint" ? `ALTER TABLE ${quote(table)} DROP CONSTRAINT ${quoteOwn(name)}` : `DROP INDEX ${quote(name)}`;
}

// Null comes first, as queries order it; where there is none they do not say so, and neither does the index.
export function createIndex(index: IndexShape, table: TableShape, how = ""): string {
  if (index.found === "constraint") {
    const names = index.columns.map(({ column }) => quote(column)).join(", ");
    return `ALTER TABLE ${quote(index.table)} ADD CONSTRAINT ${quoteOwn(index.name)} UNIQUE (${names})`;
  }
  // It stands in the schema of its table, whatever is said.
  const { name } = partsOfTable(index.name);
  const optional = new Set(table.columns.filter((one) => one.optional).map(({ name }) => name));
  const columns = indexColumns({ quote }, { ...index, name, columns: indexed(index, table) }, ({ column, descending }) => {
    if (!optional.has(column) || index.found !== undefined) return descending ? " DESC" : "";
    return descending ? " DESC NULLS LAST" : " NULLS FIRST";
  });
  return `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${how}${columns}`;
}
