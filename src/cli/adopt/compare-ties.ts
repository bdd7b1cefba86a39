/** Compares the foreign keys and uniques of a table with the relations and uniques of its model. */
import type { CatalogTable } from "../../drivers/catalog.ts";
import type { Field, Model, Schema } from "../../schema/schema.ts";
import { shownTable } from "../../schema/table-name.ts";
import type { AdoptedKey, AdoptedModel } from "./adopted.ts";
import type { Difference } from "./compare-columns.ts";

/** A model, and its table as it is. */
export interface Compared {
  readonly model: Model;
  readonly schema: Schema;
  readonly table: CatalogTable;
  /** What adopting it now would make of it; undefined where it is left out. */
  readonly now: AdoptedModel | undefined;
}

const columnsOf = (field: Field) => (field.parts ?? [field]).map(({ column }) => column);
const textOf = (columns: readonly string[]) => columns.toSorted().join("\n");

/** A relation to a view is only the file's. */
export function compareTies({ model, schema, now }: Compared): Difference[] {
  if (!now) return [];
  const relations = [...model.fields.values()].filter(({ relation }) => relation !== null);
  const ties = now.members.filter((member) => member.kind === "belongsTo");
  const tieOf = new Map(ties.map((tie) => [textOf(tie.columns.map(({ name }) => name)), tie]));
  const known = new Set(relations.map((field) => textOf(columnsOf(field))));
  const added = ties
    .filter((tie) => !known.has(textOf(tie.columns.map(({ name }) => name))))
    .map(({ columns, reference }) => ({
      columns: columns.map(({ name }) => name),
      text: `has a foreign key to ${shownTable(reference.table)} in the database, and is no relation in the file`,
    }));
  const changed = relations.flatMap((field): Difference[] => {
    const target = schema.models.get(field.relation?.target ?? "");
    if (!target || target.readOnly) return [];
    const tie = tieOf.get(textOf(columnsOf(field)));
    const place = `(${model.name}.${field.name})`;
    const told = (text: string) => ({ columns: columnsOf(field), text: `${place} ${text}` });
    if (!tie) return [told(`is a relation to ${shownTable(target.table)} in the file, and no foreign key in the database`)];
    if (tie.reference.table !== target.table)
      return [told(`leads to ${shownTable(tie.reference.table)} in the database and to ${shownTable(target.table)} in the file`)];
    const [theirs, ours] = [onDeleteOf(tie), field.relation?.onDelete ?? "restrict"];
    // What the database does not do Holdfast may do itself.
    return theirs === null || theirs === ours ? [] : [told(`has ON DELETE ${theirs} in the database and ${ours} in the file`)];
  });
  return [...changed, ...added];
}

function onDeleteOf({ reference: { onDelete }, columns }: AdoptedKey): string | null {
  if (onDelete === "cascade") return onDelete;
  return onDelete === "setNull" && columns.every(({ optional }) => optional) ? onDelete : null;
}

export function compareUniques({ model, table }: Compared): Difference[] {
  const key = textOf(model.key.map(({ column }) => column));
  const stored = new Set([...model.fields.values()].map(({ column }) => column));
  const sets = (all: readonly (readonly string[])[]) => new Map(all.map((columns) => [textOf(columns), columns]));
  const ours = sets(
    model.indexes
      .filter(({ unique, where }) => unique && where === null)
      .map((index) => index.columns.map(({ column }) => column)),
  );
  const theirs = sets(table.uniques.filter((columns) => columns.every((column) => stored.has(column))));
  const missing = [...theirs].filter(([text]) => text !== key && !ours.has(text)).map(([, columns]) => columns);
  const gone = [...ours].filter(([text]) => text !== key && !theirs.has(text)).map(([, columns]) => columns);
  return [
    ...missing.map((columns) => ({ columns, text: "is unique in the database and not in the file" })),
    ...gone.map((columns) => ({ columns, text: "is unique in the file and not in the database" })),
  ];
}
