/** The steps that tie and untie tables, where references stand apart from them: untied before anything is renamed, tied at the end. */
import type { ReferenceShape } from "../../../drivers/ddl.ts";
import { referencesOf } from "../../../drivers/ddl.ts";
import { tableOf } from "../snapshot.ts";
import type { Snapshot, SnapshotModel } from "../snapshot-types.ts";
import type { DiffContext } from "./kept.ts";
import { createStep, lockOf, type Step } from "./step.ts";

/** A reference by what it ties: the same before and after a migration where nothing about it, or about its columns, changes. */
interface Tie {
  readonly model: SnapshotModel;
  readonly shape: ReferenceShape;
  readonly identity: string;
}

/** References that go, or whose columns change; those of tables that are dropped as well, since each may stand in the other's way. */
export function dropReferenceSteps({ from, to, ddl }: DiffContext): Step[] {
  const { references } = ddl;
  if (references === null) return [];
  const stay = new Set(tiesOf(to, from).map(({ identity }) => identity));
  return tiesOf(from, to)
    .filter(({ identity }) => !stay.has(identity))
    .map(({ model, shape }) =>
      createStep({
        kind: "drop-references",
        model: model.name,
        table: model.table,
        sql: [references.drop(model.table, shape)],
        ...lockOf(ddl, "alter"),
        does: [`Drops the reference ${spell(model, shape)}.`],
      }),
    );
}

export function addReferenceSteps({ from, to, ddl, large }: DiffContext): Step[] {
  const { references, manner } = ddl;
  if (references === null) return [];
  const there = new Set(tiesOf(from, to).map(({ identity }) => identity));
  return tiesOf(to, from)
    .filter(({ identity }) => !there.has(identity))
    .map(({ model, shape }) => {
      const before = from.models.find(({ id }) => id === model.id);
      const online = before !== undefined && large.has(before.table) ? manner.online : null;
      const { sql, later } = online?.addReference(model.table, shape) ?? {
        sql: [references.add(model.table, shape)],
        later: [],
      };
      // A table that is new has no rows to be looked at.
      const lock = lockOf(ddl, "refer");
      return createStep({
        kind: "add-references",
        model: model.name,
        table: before?.table ?? null,
        sql,
        later,
        ...lock,
        ...(before === undefined || later.length > 0 ? { work: "moment" } : {}),
        does: [`Adds the reference ${spell(model, shape)}.`],
      });
    });
}

function spell({ table }: SnapshotModel, { columns, table: target, key }: ReferenceShape): string {
  return `of ${table}.${columns.join(", ")} to ${target} (${key.join(", ")})`;
}

function tiesOf(snapshot: Snapshot, other: Snapshot): readonly Tie[] {
  return snapshot.models.flatMap((model) =>
    referencesOf(tableOf(model, [snapshot, other])).map((shape) => {
      const target = snapshot.models.find(({ table }) => table === shape.table);
      const columns = [...fieldsOf(model, shape.columns), ...(target ? fieldsOf(target, shape.key) : [])];
      return { model, shape, identity: JSON.stringify([model.id, target?.id ?? shape.table, columns]) };
    }),
  );
}

function fieldsOf(model: SnapshotModel, columns: readonly string[]): unknown[] {
  return columns.map((column) => {
    const field = model.fields.find((one) => one.column === column);
    return [field?.id, field?.storage, field?.precision, field?.scale, field?.native?.type];
  });
}
