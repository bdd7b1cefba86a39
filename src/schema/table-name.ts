/** Names of tables that stand in a schema other than the current one: both names as one text, which is taken apart where it is quoted or shown. */

// No identifier of any database holds it, so nothing else is taken for such a name.
const mark = "\u0000";

/** `orders` alone, where it stands in the current schema (`null`). */
export function tableIn(schema: string | null, name: string): string {
  return schema === null ? name : `${schema}${mark}${name}`;
}

/** The schema is null where it is the current one. */
export function partsOfTable(table: string): { readonly schema: string | null; readonly name: string } {
  const at = table.indexOf(mark);
  return at < 0 ? { schema: null, name: table } : { schema: table.slice(0, at), name: table.slice(at + 1) };
}

/** As people write it: `sales.orders`. In any text that names tables. */
export function shownTable(text: string): string {
  return text.replaceAll(mark, ".");
}

/** The schemas, but for the current one, in which the tables stand. */
export function schemasOf(tables: Iterable<string>): readonly string[] {
  return [...new Set([...tables].flatMap((table) => partsOfTable(table).schema ?? []))].toSorted();
}
