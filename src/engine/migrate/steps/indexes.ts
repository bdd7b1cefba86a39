/** Which indexes of a model a migration drops, creates and leaves as they are. */
import type { Altered, Ddl, IndexShape } from "../../../drivers/ddl.ts";
import { tableAfter } from "./after.ts";
import type { DiffContext, Kept } from "./kept.ts";
import type { SnapshotField, SnapshotModel } from "../snapshot/snapshot-types.ts";
import { tableOf } from "../snapshot/snapshot.ts";
import { type Check, createStep, lockOf, type Step } from "./step.ts";

export function dropIndexSteps(kept: Kept, context: DiffContext): Step[] {
  const { before, after } = kept;
  const { ddl } = context;
  const stays = new Set(after.indexes.map((index) => indexIdentity(index, after, ddl)));
  const renamed = new Set(renamedIndexes(kept, context).map(({ from }) => from));
  return before.indexes
    .filter((index) => !stays.has(indexIdentity(index, before, ddl)) && !renamed.has(index))
    .map((index) =>
      createStep({
        kind: "drop-index",
        model: before.name,
        sql: [ddl.dropIndex(index)],
        ...lockOf(ddl, "alter"),
        does: [`Drops the index ${index.name}.`],
      }),
    );
}

interface RenamedIndex {
  readonly from: IndexShape;
  readonly to: IndexShape;
}

/** Indexes that only bear other names, for their tables or columns do. One with a condition that names such a column is another. */
function renamedIndexes(kept: Kept, { from, ddl }: DiffContext): readonly RenamedIndex[] {
  const { before, after } = kept;
  if (ddl.manner.renameIndex === null) return [];
  const taken = new Set(from.models.flatMap(({ indexes }) => indexes.map(({ name }) => name.toLowerCase())));
  const moved = before.fields.filter(({ id, column }) => !after.fields.some((one) => one.id === id && one.column === column));
  const sameness = ({ columns, unique, where }: IndexShape, { fields, key }: SnapshotModel) => {
    const parts = columns.map(({ column, descending }) => {
      const field = fields.find((one) => one.column === column);
      return [field?.id, descending, unique || field?.optional];
    });
    return JSON.stringify([parts, unique, where, unique || key]);
  };
  return before.indexes.flatMap((index): RenamedIndex[] => {
    const { where } = index;
    const isMoved = where !== null && moved.some(({ column }) => where.includes(ddl.quote(column)));
    const to = after.indexes.find((one) => sameness(one, after) === sameness(index, before));
    return to && !isMoved && to.name !== index.name && !taken.has(to.name.toLowerCase()) ? [{ from: index, to }] : [];
  });
}

export function renameIndexSteps(kept: Kept, context: DiffContext): Step[] {
  const { ddl } = context;
  return renamedIndexes(kept, context).map(({ from, to }) =>
    createStep({
      kind: "rename-index",
      model: kept.after.name,
      sql: [ddl.manner.renameIndex?.(from, to) ?? ""],
      ...lockOf(ddl, "alter"),
      does: [`Renames the index ${from.name} to ${to.name}.`],
    }),
  );
}

export function createIndexSteps(kept: Kept, context: DiffContext): Step[] {
  const renamed = new Set(renamedIndexes(kept, context).map(({ to }) => to));
  const made = newIndexes(kept, context.ddl);
  const there = keptIndexes(kept, context.ddl);
  return made
    .filter((index) => !renamed.has(index))
    .map((index) => createIndexStep({ ...kept, indexes: [...there, ...made.slice(0, made.indexOf(index) + 1)] }, index, context));
}

function createIndexStep(kept: Kept & Pick<Altered, "indexes">, index: IndexShape, context: DiffContext): Step {
  const { ddl, large, to } = context;
  const { before, after } = kept;
  const table = tableOf(after, [to]);
  const refuses = index.unique ? " Refused when two rows have the same values." : "";
  const phase = large.has(before.table) ? ddl.manner.online?.createIndex(index, table) : undefined;
  return createStep({
    kind: "create-index",
    model: after.name,
    table: before.table,
    ...lockOf(ddl, "index", { table, indexes: kept.indexes }),
    ...(phase === undefined ? { sql: [ddl.createIndex(index, table)] } : { later: [phase], work: "none" }),
    // What came before an index that is built by itself cannot be undone.
    checks: phase !== undefined || !ddl.manner.transactional ? likes(kept, index, context) : [],
    does: [`Creates the ${index.unique ? "unique " : ""}index ${index.name}.${refuses}`],
  });
}

/** Whether two rows will have the same values, asked beforehand, since an index that is built later cannot undo what came before it. */
function likes(kept: Kept, { name, columns, unique, where }: IndexShape, context: DiffContext): readonly Check[] {
  if (!unique) return [];
  const quote = (name: string) => context.ddl.quote(name);
  const isNamed = (column: string) => columns.some((one) => one.column === column) || where?.includes(quote(column)) === true;
  const fields = kept.after.fields.filter(({ column }) => isNamed(column));
  // Where the whole is undone, what is not asked is found by the building of the index.
  if (context.ddl.manner.transactional && !fields.every((field) => staysAsItIs(field, kept))) return [];
  const names = columns.map(({ column }) => quote(column));
  const conditions = [...names.map((one) => `${one} IS NOT NULL`), ...(where === null ? [] : [`(${where})`])].join(" AND ");
  return [
    {
      query: `SELECT count(*) FROM (SELECT 1 FROM ${tableAfter(kept, fields, context)} AS then_there WHERE ${conditions} GROUP BY ${names.join(", ")} HAVING count(*) > 1 LIMIT 1) AS found`,
      counted: false,
      why: `Creates the unique index ${name}. Refused when two rows have the same values.`,
      mend: "Two rows have the same values. Make them differ first.",
    },
  ];
}

function staysAsItIs(field: SnapshotField, { before }: Kept): boolean {
  const was = before.fields.find(({ id }) => id === field.id);
  return was?.type === field.type && was.scale === field.scale;
}

function newIndexes({ before, after }: Kept, ddl: Ddl): readonly IndexShape[] {
  const present = new Set(before.indexes.map((index) => indexIdentity(index, before, ddl)));
  return after.indexes.filter((index) => !present.has(indexIdentity(index, after, ddl)));
}

/** Indexes that go through a migration unchanged. */
export function keptIndexes({ before, after }: Kept, ddl: Ddl): readonly IndexShape[] {
  const added = new Set(newIndexes({ before, after }, ddl));
  return after.indexes.filter((index) => !added.has(index));
}

/**
 * A column of the same name may be another field, so ids count. A condition may name any column, so then all of them do. And what
 * the database makes of it may hang on the key and on what is optional; a unique one stays all the same, for it is held to.
 */
function indexIdentity(index: IndexShape, model: SnapshotModel, ddl: Ddl): string {
  const { name, table, columns, unique, where } = index;
  const ids = model.fields
    .filter(({ column }) => where !== null || columns.some((one) => one.column === column))
    .map(({ id, column }) => `${id} ${column}`);
  const made = unique ? "" : ddl.createIndex(index, tableOf(model, []));
  return JSON.stringify([name, table, columns, unique, where, ids.toSorted(), made]);
}
