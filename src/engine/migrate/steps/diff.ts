/** The ordered steps from one snapshot to another. Works both ways: what undoes a migration is the same function, turned around. */
import { type ColumnChange, type Ddl, dropTable, renameTable, type TableShape } from "../../../drivers/ddl.ts";
import { partsOfTable } from "../../../schema/table-name.ts";
import { alterSteps, unfilled } from "./alter.ts";
import type { DiffContext, Kept } from "./kept.ts";
import { createIndexSteps, dropIndexSteps, renameIndexSteps } from "./indexes.ts";
import { orderRenames } from "./renames.ts";
import { tableOf } from "../snapshot/snapshot.ts";
import type { SnapshotModel } from "../snapshot/snapshot-types.ts";
import { addReferenceSteps, dropReferenceSteps } from "./references.ts";
import { count, createStep, lockOf, type Step } from "./step.ts";
import { changesTable, commitColumn } from "../../write/change.ts";
import { journalTable, orderedSince, systemShapes } from "../journal/system-tables.ts";

/**
 * Drops come before renames and renames before what is new, so that every name is free when it is taken. References are untied before
 * the indexes they may lean on go, and tied after those are there.
 */
export function diffSnapshots(context: DiffContext): readonly Step[] {
  const { from, to } = context;
  const byId = new Map(to.models.map((model) => [model.id, model]));
  const known = new Set(from.models.map(({ id }) => id));
  const kept = from.models.flatMap((before): Kept[] => {
    const after = byId.get(before.id);
    return after ? [{ before, after }] : [];
  });
  const dropped = from.models.filter(({ id }) => !byId.has(id));
  const created = to.models.filter(({ id }) => !known.has(id));
  return Object.freeze([
    ...systemSteps(context),
    ...dropReferenceSteps(context),
    ...kept.flatMap((pair) => dropIndexSteps(pair, context)),
    ...dropped.map((model) => dropTableStep(model, context)),
    ...renameSteps(kept, context),
    ...created.map((model) => createTableStep(model, context)),
    ...kept.flatMap((pair) => alterSteps(pair, context)),
    ...kept.flatMap((pair) => renameIndexSteps(pair, context)),
    ...kept.flatMap((pair) => createIndexSteps(pair, context)),
    ...addReferenceSteps(context),
  ]);
}

/** The engine's own tables only grow: what a later version has more is made, and nothing of it goes. */
function systemSteps({ from, to, ddl }: DiffContext): Step[] {
  if (from.system >= to.system) return [];
  const [before, after] = [systemShapes(ddl, from.system), systemShapes(ddl, to.system)];
  const known = new Map(before.tables.map((table) => [table.name, table]));
  const indexed = new Set(before.indexes.map(({ name }) => name));
  const tables = after.tables.flatMap((table) => {
    const old = known.get(table.name);
    if (old) return ddl.alterTable({ from: old, to: table, columns: columnsAdded(old, table) }).statements;
    // The journal is made before its row is written, which comes before every step.
    return table === journalTable ? [] : [ddl.createTable(table)];
  });
  const tableOfIndex = (table: string) => after.tables.find(({ name }) => name === table) as TableShape;
  const indexes = after.indexes
    .filter(({ name }) => !indexed.has(name))
    .map((index) => ddl.createIndex(index, tableOfIndex(index.table)));
  const creates = "Creates the tables in which the engine keeps changes and idempotency keys.";
  const raises = `Brings the tables that the engine keeps for itself from version ${from.system} to version ${to.system}. Every row stays.`;
  const does = [from.system === 0 ? creates : raises];
  const deed = from.system === 0 || indexes.length === 0 ? "create" : "index";
  return [
    createStep({
      kind: "system",
      model: "",
      ...lockOf(ddl, deed),
      sql: [...tables, ...settleStatements(from.system, ddl), ...indexes],
      does,
    }),
  ];
}

/** Rows that are there get their place among those to come. */
function settleStatements(system: number, ddl: Ddl): readonly string[] {
  const { commits } = ddl.catalogue;
  const isOrdered = system === 0 || system >= orderedSince;
  return commits === null || isOrdered ? [] : commits.settle((name) => ddl.quote(name), changesTable, commitColumn);
}

function columnsAdded(from: TableShape, to: TableShape): ColumnChange[] {
  const known = new Set(from.columns.map(({ name }) => name));
  return to.columns.filter(({ name }) => !known.has(name)).map((column) => ({ kind: "add", column, fill: null }));
}

function createTableStep(model: SnapshotModel, { from, to, ddl }: DiffContext): Step {
  const table = tableOf(model, [to, from]);
  const refusal = model.fields.map((field) => unfilled(field, model.name).refusal).find((why) => why !== undefined) ?? null;
  const indexes = model.indexes.length === 0 ? "" : ` and ${count(model.indexes.length, "index", "indexes")}`;
  return createStep({
    kind: "create-table",
    model: model.name,
    ...lockOf(ddl, "create"),
    refusal,
    does: [`Creates the table ${table.name} with ${count(table.columns.length, "column")}${indexes}.`],
    sql: [
      ...(ddl.manner.prepare?.(table) ?? []),
      ddl.createTable(table),
      ...model.indexes.map((index) => ddl.createIndex(index, table)),
    ],
  });
}

function dropTableStep(model: SnapshotModel, { ddl }: DiffContext): Step {
  return createStep({
    kind: "drop-table",
    model: model.name,
    ...lockOf(ddl, "drop"),
    table: model.table,
    sql: [dropTable(ddl, model.table)],
    does: [`Drops the table ${model.table}.`],
    loses: [`All rows of ${model.name}.`],
    confirm: [`drop ${model.name}`],
  });
}

const isMoved = (from: string, to: string) => partsOfTable(from).schema !== partsOfTable(to).schema;

// Other programs look for it where it is.
function moving(from: string, to: string): string {
  return `The table ${from} would move to another schema as ${to}. Leave it to others with adopted() and migrate, move it with ALTER TABLE … SET SCHEMA, and take it over from there.`;
}

function renameSteps(kept: readonly Kept[], { ddl }: DiffContext): Step[] {
  const present = new Map(kept.map(({ before }) => [before.id, before.table]));
  const wanted = new Map(kept.map(({ after }) => [after.id, after.table]));
  const { renames } = orderRenames(present, wanted);
  const tables = renames.map(({ from, to }) =>
    createStep({
      kind: "rename-table",
      model: "",
      ...lockOf(ddl, "alter"),
      sql: [renameTable(ddl, from, to)],
      refusal: isMoved(from, to) ? moving(from, to) : null,
      does: [`Renames the table ${from} to ${to}. Every row stays.`],
    }),
  );
  const notes = kept
    .filter(({ before, after }) => before.name !== after.name && before.table === after.table)
    .map(({ before, after }) =>
      createStep({
        kind: "note",
        model: after.name,
        work: "none",
        does: [`The model ${before.name} is called ${after.name} from now on. The table stays as it is.`],
      }),
    );
  return [...tables, ...notes];
}
