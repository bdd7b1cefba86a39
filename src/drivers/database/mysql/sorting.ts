/** How rows are put in order, in the words of both servers. */
import type { SortTerm } from "../../dialect.ts";

/** A term of ORDER BY. */
export function termOf({ sql, descending }: SortTerm): string {
  return descending ? `${sql} desc` : sql;
}

/** The same within an aggregate function, where null counts as zero, or as the empty text. */
export function termInside(by: SortTerm): string {
  if (!by.nullable) return termOf(by);
  return `${by.sql} is ${by.descending ? "" : "not "}null, ${termOf(by)}`;
}
