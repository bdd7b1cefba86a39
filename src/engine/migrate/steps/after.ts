/** What the rows that are there will hold after a migration, as SQL over the tables as they are before it. */
import { convert } from "./conversion.ts";
import type { DiffContext, Kept } from "./kept.ts";
import type { SnapshotField } from "../snapshot/snapshot-types.ts";

/** A table as it will be, under the names it will have, to be read from. */
export function tableAfter(kept: Kept, fields: readonly SnapshotField[], context: DiffContext): string {
  const quote = (name: string) => context.ddl.quote(name);
  const columns = fields.map((field) => `${valueAfter(kept, field, context)} AS ${quote(field.column)}`);
  return `(SELECT ${columns.join(", ")} FROM ${quote(kept.before.table)})`;
}

/** One field's value. */
function valueAfter({ before }: Kept, field: SnapshotField, context: DiffContext): string {
  const { ddl } = context;
  const was = before.fields.find(({ id }) => id === field.id);
  if (was === undefined) return (field.optional ? null : fillOf(field, context)) ?? "NULL";
  const column = ddl.quote(was.column);
  const value = convert({ from: was, to: field, ddl }).value?.(column) ?? column;
  const fill = was.optional && !field.optional ? fillOf(field, context) : null;
  return fill === null ? value : `coalesce(${value}, ${fill})`;
}

/** What rows that exist get for a field; null where it has no default that could be given to them. */
export function fillOf(
  { fill, native, storage, scale }: SnapshotField,
  { ddl, nowMs }: Pick<DiffContext, "ddl" | "nowMs">,
): string | null {
  if (fill === null) return null;
  if (fill !== "now") return fill.literal;
  const literal = ddl.literal(new Date(nowMs).toISOString(), { storage: "datetime" });
  return native?.spelt === undefined ? literal : ddl.forms.write(literal, { storage, scale, spelt: native.spelt });
}
