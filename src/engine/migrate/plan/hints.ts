/** Tells what looks like a rename that was not declared: one thing gone and a like one new, which would lose its values. */
import { count } from "../steps/step.ts";
import type { Snapshot, SnapshotField, SnapshotModel } from "../snapshot/snapshot-types.ts";

/** What two models must share to be taken for one. */
const likenessMin = 0.5;
// Every model has these, so they say nothing.
const common: ReadonlySet<string> = new Set(["id", "version", "createdAt", "updatedAt", "deletedAt"]);

export function findHints(from: Snapshot, to: Snapshot): string[] {
  const gone = from.models.filter(({ id }) => !to.models.some((model) => model.id === id));
  const fresh = to.models.filter(({ id }) => !from.models.some((model) => model.id === id));
  const models = fresh.flatMap((model) => {
    const likest = gone.map((old) => ({ old, shared: likeness(old, model) })).toSorted((a, b) => b.shared - a.shared)[0];
    if (!likest || likest.shared < likenessMin) return [];
    const fields = own(model).filter((field) =>
      own(likest.old).some((other) => isAlike(field, other) && field.name === other.name),
    ).length;
    return [
      `${model.name} is new, ${likest.old.name} is gone, and they share ${count(fields, "field")}. It looks like a rename: add .was("${likest.old.name}") to ${model.name}, and every row stays.`,
    ];
  });
  const fields = to.models.flatMap((model) => {
    const before = from.models.find(({ id }) => id === model.id);
    return before ? fieldHints(before, model) : [];
  });
  return [...models, ...fields];
}

function fieldHints(before: SnapshotModel, after: SnapshotModel): string[] {
  const gone = before.fields.filter(({ id }) => !after.fields.some((field) => field.id === id));
  const fresh = after.fields.filter(({ id }) => !before.fields.some((field) => field.id === id));
  const hints = fresh.flatMap((field) => {
    const alike = gone.filter((other) => isAlike(field, other));
    if (alike.length === 0) return [];
    const which = alike.map((other) => declaredName(other.name));
    const names = which.map((name) => `.was("${name}")`).join(" or ");
    const type = field.references || field.name.includes(".") ? "references" : field.type;
    const name = declaredName(field.name);
    return [
      `${after.name}.${name} is new and ${which.join(", ")} ${which.length === 1 ? "is gone, both" : "are gone, all"} ${type}. It looks like a rename: add ${names} to ${name}, and every value stays.`,
    ];
  });
  return [...new Set(hints)];
}

// A part of a key is named for the relation that holds it.
export function declaredName(name: string): string {
  return name.split(".")[0] as string;
}

function own(model: SnapshotModel): readonly SnapshotField[] {
  return model.fields.filter(({ name }) => !common.has(name));
}

function likeness(a: SnapshotModel, b: SnapshotModel): number {
  const [ours, theirs] = [own(a), own(b)];
  const shared = ours.filter((field) => theirs.some((other) => other.name === field.name && isAlike(field, other))).length;
  return shared / Math.max(ours.length, theirs.length, 1);
}

function isAlike(a: SnapshotField, b: SnapshotField): boolean {
  return a.type === b.type && targetOf(a) === targetOf(b);
}

function targetOf({ references }: SnapshotField): string | undefined {
  return references === null ? undefined : "model" in references ? references.model : references.table;
}
