/** Tells of new relations that the database does not hold, for a column of such a type can refer only to one of its own table's making. */
import { isMigrated, type Schema } from "../../../schema/schema.ts";
import { shownTable } from "../../../schema/table-name.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";

/** One hint for each. */
export function findUnheld(schema: Schema, from: Snapshot, to: Snapshot): readonly string[] {
  const known = new Set(from.models.flatMap(({ fields }) => fields.map(({ id }) => id)));
  return to.models.flatMap((model) => {
    const declared = schema.models.get(model.name);
    return [...(declared?.fields.values() ?? [])].flatMap((field) => {
      const target = field.relation ? schema.models.get(field.relation.target) : undefined;
      if (!target || target.readOnly || isMigrated(target)) return [];
      const columns = (field.parts ?? [field]).map(({ column }) => column);
      const held = model.fields.filter(({ column }) => columns.includes(column));
      const isHeld =
        held.some(({ references }) => references !== null) || (model.references ?? []).some(({ name }) => name === field.name);
      if (isHeld || held.some(({ id }) => known.has(id))) return [];
      return [
        `${model.name}.${field.name} gets no foreign key: it would have to have the collation of ${shownTable(target.table)}, which the file does not say. Links are checked all the same.`,
      ];
    });
  });
}
