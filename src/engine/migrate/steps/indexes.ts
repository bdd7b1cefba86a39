/** Which indexes of a model a migration drops, creates and leaves as they are. */
import type { IndexShape } from "../../../drivers/ddl.ts";
import type { DiffContext, Kept } from "./kept.ts";
import type { SnapshotModel } from "../snapshot-types.ts";
import { tableOf } from "../snapshot.ts";
import { createStep, type Step } from "./step.ts";

export function dropIndexSteps({ before, after }: Kept, { ddl }: DiffContext): Step[] {
  const stays = new Set(after.indexes.map((index) => indexIdentity(index, after)));
  return before.indexes
    .filter((index) => !stays.has(indexIdentity(index, before)))
    .map((index) =>
      createStep({
        kind: "drop-index",
        model: before.name,
        sql: [ddl.dropIndex(index)],
        does: [`Drops the index ${index.name}.`],
      }),
    );
}

export function createIndexStep({ before, after }: Kept, index: IndexShape, { ddl, to }: DiffContext): Step {
  const refuses = index.unique ? " Refused when two rows have the same values." : "";
  return createStep({
    kind: "create-index",
    model: after.name,
    table: before.table,
    work: "rows",
    sql: [ddl.createIndex(index, tableOf(after, [to]))],
    does: [`Creates the ${index.unique ? "unique " : ""}index ${index.name}.${refuses}`],
  });
}

export function newIndexes({ before, after }: Kept): readonly IndexShape[] {
  const present = new Set(before.indexes.map((index) => indexIdentity(index, before)));
  return after.indexes.filter((index) => !present.has(indexIdentity(index, after)));
}

/** Indexes that go through a migration unchanged. */
export function keptIndexes({ before, after }: Kept): readonly IndexShape[] {
  const added = new Set(newIndexes({ before, after }));
  return after.indexes.filter((index) => !added.has(index));
}

// A column of the same name may be another field, so ids count. A condition may name any column, so then all of them do.
function indexIdentity({ name, table, columns, unique, where }: IndexShape, model: SnapshotModel): string {
  const ids = model.fields
    .filter(({ column }) => where !== null || columns.some((one) => one.column === column))
    .map(({ id, column }) => `${id} ${column}`);
  return JSON.stringify([name, table, columns, unique, where, ids.toSorted()]);
}
