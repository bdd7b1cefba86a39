/** How a row forgets that it leads to itself: some databases take it for another row that still refers to it, and do not delete it. */
import type { Dialect } from "../../drivers/dialect.ts";
import type { Field, Model } from "../../schema/schema.ts";

/** For each reference of a model to itself that may be null: what is set, and the condition that it leads home. */
export function selfReferences(
  model: Model,
  { quote }: Pick<Dialect, "quote">,
): readonly { readonly set: string; readonly holds: string }[] {
  return [...model.fields.values()].flatMap((field) => {
    const parts = field.parts ?? [field];
    // A column that another field holds as well may have to keep its value.
    const free = parts.filter(({ optional }) => optional);
    if (field.relation?.target !== model.name || free.length === 0) return [];
    const holds = parts.map(({ column }, at) => `${quote(column)} = ${quote((model.key[at] as Field).column)}`);
    return [{ set: free.map(({ column }) => `${quote(column)} = null`).join(", "), holds: holds.join(" and ") }];
  });
}
