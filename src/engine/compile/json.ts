/** A field's value as it stands in JSON. */
import type { Dialect } from "../../drivers/dialect.ts";
import type { Field } from "../../schema/schema.ts";

/** SQL of the JSON value. `isStored`: `sql` is the column itself, of which the field's bounds hold. */
export function fieldJson(field: Field, sql: string, { dialect, isStored }: { dialect: Dialect; isStored: boolean }): string {
  const { type, params, optional } = field;
  const isPlain = isStored && !optional && params.min !== undefined && Number(params.min) >= 0;
  return dialect.json(type.storage, sql, { scale: params.scale ?? 0, isPlain });
}
