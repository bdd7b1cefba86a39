/** References between models of a snapshot: by id where both are in it, and else by the names of the table and its key. */
import type { SnapshotField, SnapshotModel, SnapshotReference } from "../snapshot/snapshot-types.ts";

/** @param before models by which references to those that are gone are named */
export function linkModels(models: readonly SnapshotModel[], before: readonly SnapshotModel[]): readonly SnapshotModel[] {
  const byId = new Map([...before, ...models].map((model) => [model.id, model]));
  const linking: Linking = {
    present: new Set(models.map(({ id }) => id)),
    byId,
    byTable: new Map(models.map((model) => [model.table, model])),
  };
  return models.map((model) => ({
    ...model,
    fields: model.fields.map((field) => ({ ...field, references: linkOne(field.references, linking) })),
    ...(model.references ? { references: model.references.map((reference) => linkSeveral(reference, linking)) } : {}),
  }));
}

interface Linking {
  readonly present: ReadonlySet<string>;
  readonly byId: ReadonlyMap<string, SnapshotModel>;
  readonly byTable: ReadonlyMap<string, SnapshotModel>;
}

const columnOf = (model: SnapshotModel | undefined, id: string) => model?.fields.find((field) => field.id === id)?.column ?? "";
const idOf = (model: SnapshotModel, column: string) => model.fields.find((field) => field.column === column)?.id ?? "";

function linkOne(target: SnapshotField["references"], { present, byId, byTable }: Linking): SnapshotField["references"] {
  if (target === null) return null;
  if ("model" in target) {
    const { model, field, ...details } = target;
    if (present.has(model)) return target;
    const gone = byId.get(model);
    return { table: gone?.table ?? "", column: columnOf(gone, field), ...details };
  }
  const { table, column, ...details } = target;
  const there = byTable.get(table);
  return there ? { model: there.id, field: idOf(there, column), ...details } : target;
}

function linkSeveral(reference: SnapshotReference, { present, byId, byTable }: Linking): SnapshotReference {
  const { isOutside, ...inside } = reference;
  if (isOutside) {
    const there = byTable.get(reference.model);
    return there ? { ...inside, model: there.id, key: reference.key.map((column) => idOf(there, column)) } : reference;
  }
  if (present.has(reference.model)) return reference;
  const gone = byId.get(reference.model);
  return { ...inside, model: gone?.table ?? "", key: reference.key.map((id) => columnOf(gone, id)), isOutside: true };
}
