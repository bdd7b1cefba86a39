/** How structures of tables are put together, from what a catalogue says and from what it should say: the same words for every product. */
import { type ReferenceShape, referencesOf, type Structure, type TableShape } from "../ddl.ts";
import { shownTable } from "../../schema/table-name.ts";
import type { Row } from "../database.ts";

/** The references that a column is in: ` → people(id) ON DELETE CASCADE`, ` → lines(order, number) by (line_order, line_number)`. */
export function tiesOf(
  references: readonly ReferenceShape[],
  column: string,
  spell: (name: string) => string = (name) => name,
): string {
  const list = (names: readonly string[]) => names.map(spell).join(", ");
  return references
    .filter(({ columns }) => columns.includes(column))
    .map(({ columns, table, key, rule = "" }) => {
      const by = columns.length > 1 ? ` by (${list(columns)})` : "";
      return ` → ${shownTable(spell(table))}(${list(key)})${by}${rule}`;
    })
    .toSorted()
    .join("");
}

/** A row for each column of an index, in order. */
export interface IndexRows {
  readonly rows: readonly Row[];
  readonly nameOf: (row: Row) => string;
  readonly columnOf: (row: Row) => string;
  readonly isKey: (row: Row) => boolean;
  readonly describe: (rows: readonly Row[]) => string;
}

/** A table as a server's catalogue has it. */
export function toStructure(
  name: string,
  columns: readonly (readonly [name: string, text: string])[],
  { rows, nameOf, columnOf, isKey, describe }: IndexRows,
): Structure {
  const others = Map.groupBy(
    rows.filter((row) => !isKey(row)),
    nameOf,
  );
  return {
    name,
    traits: [],
    key: rows.filter(isKey).map(columnOf),
    columns: new Map(columns),
    indexes: new Map([...others].map(([index, parts]) => [index, describe(parts)])),
  };
}

export interface Spelling {
  readonly shorten: (name: string) => string;
  /** The type and who counts it up, where the product itself has made the column. */
  readonly typeOf: (column: TableShape["columns"][number]) => string;
}

/** The same of a table as it should be. */
export function describeTable(
  table: TableShape,
  indexes: readonly (readonly [name: string, text: string])[],
  { shorten, typeOf }: Spelling,
): Structure {
  const references = referencesOf(table);
  const columns = table.columns.map((column) => {
    const required = column.optional ? "" : " NOT NULL";
    const says = column.native?.says ?? typeOf(column);
    return [shorten(column.name), `${says}${required}${tiesOf(references, column.name, shorten)}`] as const;
  });
  return {
    name: shorten(table.name),
    traits: [],
    key: table.key.map(shorten),
    columns: new Map(columns),
    indexes: new Map(indexes),
  };
}
