/** The steps that tie and untie tables, where references stand apart from them: untied before anything is renamed, tied at the end. */
import type { Phased, References, ReferenceShape } from "../../../drivers/ddl.ts";
import { referencesOf } from "../../../drivers/ddl.ts";
import { guardEntry } from "../journal/journal.ts";
import { tableOf } from "../snapshot/snapshot.ts";
import type { Snapshot, SnapshotField, SnapshotModel } from "../snapshot/snapshot-types.ts";
import { tableAfter } from "./after.ts";
import type { DiffContext } from "./kept.ts";
import { type Check, createStep, isCopied, lockOf, type Step } from "./step.ts";

/** A reference by what it ties: the same before and after a migration where nothing about it, or about its columns, changes. */
interface Tie {
  readonly model: SnapshotModel;
  /** What it leads to. */
  readonly target: SnapshotModel | undefined;
  readonly shape: ReferenceShape;
  readonly identity: string;
}

/** References that go, or whose columns change; those of tables that are dropped as well, since each may stand in the other's way. */
export function dropReferenceSteps({ from, to, ddl }: DiffContext): Step[] {
  const { references } = ddl;
  if (references === null) return [];
  const stay = new Set(tiesOf(to, from, references).map(({ identity }) => identity));
  return tiesOf(from, to, references)
    .filter(({ identity }) => !stay.has(identity))
    .map(({ model, shape }) =>
      createStep({
        kind: "drop-references",
        model: model.name,
        table: model.table,
        sql: [references.drop(model.table, shape)],
        ...lockOf(ddl, "alter", { table: tableOf(model, [from]), indexes: model.indexes }),
        does: [`Drops the reference ${spell(model, shape)}.`],
      }),
    );
}

export function addReferenceSteps(context: DiffContext): Step[] {
  const { from, to, ddl } = context;
  const { references } = ddl;
  if (references === null) return [];
  const there = new Set(tiesOf(from, to, references).map(({ identity }) => identity));
  return tiesOf(to, from, references)
    .filter(({ identity }) => !there.has(identity))
    .map((tie) => {
      const { model, shape } = tie;
      const before = from.models.find(({ id }) => id === model.id);
      const { sql, later } = tying(tie, before, { ...context, references });
      // A table that is new has no rows to be looked at.
      const lock = lockOf(ddl, "refer", { table: tableOf(model, [to]), indexes: model.indexes });
      return createStep({
        kind: "add-references",
        model: model.name,
        table: before?.table ?? null,
        sql,
        later,
        ...lock,
        ...(before === undefined || (later.length > 0 && !isCopied(lock)) ? { work: "moment" } : {}),
        checks: before === undefined || ddl.manner.transactional ? [] : orphanChecks(tie, before, context),
        does: [`Adds the reference ${spell(model, shape)}.`],
      });
    });
}

/** What is declared of rows to come, and how it is proved of those that are there. */
function tying(
  { model, shape }: Tie,
  before: SnapshotModel | undefined,
  { ddl, large, references }: DiffContext & { readonly references: References },
): Phased {
  const online = before !== undefined && large.has(before.table) ? ddl.manner.online : null;
  if (online !== null) return online.addReference(model.table, shape);
  const sql = [references.add(model.table, shape)];
  if (before === undefined || references.orphans === null) return { sql, later: [] };
  const proof = guardEntry(references.orphans(model.table, shape), ddl);
  return { sql, later: [{ sql: [proof], alone: false, clean: null, unless: null }] };
}

/** Rows that will lead nowhere, asked beforehand, since what commits by itself cannot undo what came before it. */
function orphanChecks({ model, target, shape }: Tie, before: SnapshotModel, context: DiffContext): readonly Check[] {
  if (target === undefined) return [];
  const quote = (name: string) => context.ddl.quote(name);
  const fieldsNamed = (of: SnapshotModel, columns: readonly string[]) =>
    of.fields.filter(({ column }) => columns.includes(column));
  const rows = tableAfter({ before, after: model }, fieldsNamed(model, shape.columns), context);
  const targetBefore = context.from.models.find(({ id }) => id === target.id);
  const given = shape.columns.map((column) => `c.${quote(column)} IS NOT NULL`);
  const same = shape.columns.map((column, at) => `p.${quote(shape.key[at] as string)} = c.${quote(column)}`).join(" AND ");
  const there =
    targetBefore === undefined
      ? []
      : [
          `NOT EXISTS (SELECT 1 FROM ${tableAfter({ before: targetBefore, after: target }, fieldsNamed(target, shape.key), context)} AS p WHERE ${same})`,
        ];
  return [
    {
      query: `SELECT count(*) FROM (SELECT 1 FROM ${rows} AS c WHERE ${[...given, ...there].join(" AND ")} LIMIT 1) AS found`,
      counted: false,
      why: `Adds the reference ${spell(model, shape)}.`,
      mend: "Some rows refer to rows that do not exist. Mend or remove them first.",
    },
  ];
}

function spell({ table }: SnapshotModel, { columns, table: target, key }: ReferenceShape): string {
  return `of ${table}.${columns.join(", ")} to ${target} (${key.join(", ")})`;
}

function tiesOf(snapshot: Snapshot, other: Snapshot, { named }: References): readonly Tie[] {
  return snapshot.models.flatMap((model) =>
    referencesOf(tableOf(model, [snapshot, other])).map((shape) => {
      const target = snapshot.models.find(({ table }) => table === shape.table);
      const columns = [...fieldsOf(model, shape.columns), ...(target ? fieldsOf(target, shape.key) : [])];
      const held = named ? [model.table, shape, leaningOn(model, shape), columns.map(({ length }) => length)] : [];
      return {
        model,
        target,
        shape,
        identity: JSON.stringify([model.id, target?.id ?? shape.table, columns.map(tiedBy), ...held]),
      };
    }),
  );
}

/** The indexes that may serve a reference: they begin with its columns. */
function leaningOn({ indexes }: SnapshotModel, { columns }: ReferenceShape): unknown[] {
  return indexes.filter((index) => columns.every((column, at) => index.columns[at]?.column === column));
}

function fieldsOf({ fields }: SnapshotModel, columns: readonly string[]): readonly Partial<SnapshotField>[] {
  return columns.map((column) => fields.find((one) => one.column === column) ?? {});
}

function tiedBy({ id, storage, precision, scale, native }: Partial<SnapshotField>): unknown[] {
  return [id, storage, precision, scale, native?.type];
}
