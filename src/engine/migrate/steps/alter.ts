/** The steps that change the columns of one table: renames, then what is added, dropped and changed, by ALTER or by rebuilding. */
import {
  type Altered,
  type ColumnChange,
  type ColumnShape,
  type Ddl,
  renameColumn,
  type TableShape,
} from "../../../drivers/ddl.ts";
import { declaredName } from "../plan/hints.ts";
import { fillOf } from "./after.ts";
import { convert } from "./conversion.ts";
import type { DiffContext, Kept } from "./kept.ts";
import { keptIndexes } from "./indexes.ts";
import { orderRenames } from "./renames.ts";
import { columnOf, tableOf } from "../snapshot/snapshot.ts";
import type { SnapshotField, SnapshotModel } from "../snapshot/snapshot-types.ts";
import { type Check, createStep, lockOf, type Step } from "./step.ts";

/** One column's change with all there is to say of it. */
interface Part {
  readonly kind: "add-column" | "drop-column" | "change-column";
  /** Why it cannot be done whatever the data. */
  readonly refusal?: string;
  readonly change: ColumnChange;
  readonly does: string;
  readonly loses: string | null;
  readonly confirm: string | null;
  readonly checks: readonly Check[];
}

export function alterSteps(kept: Kept, context: DiffContext): readonly Step[] {
  const { before, after } = kept;
  const { ddl, from, to } = context;
  const { renames, names } = orderRenames(columnsById(before), columnsById(after));
  const renamed = {
    ...before,
    table: after.table,
    fields: before.fields.map((field) => ({ ...field, column: names.get(field.id) as string })),
  };
  const tables = { from: tableOf(renamed, [to, from]), to: tableOf(after, [to, from]) };
  const parts = partsOf(kept, renamed, context);
  const noted = renames.map((rename) =>
    createStep({
      kind: "rename-column",
      model: after.name,
      ...lockOf(ddl, "alter", standing(kept, tables.from, ddl)),
      sql: [renameColumn(ddl, after.table, rename)],
      does: [`Renames the column ${after.table}.${rename.from} to ${rename.to}. Every value stays.`],
    }),
  );
  return [...noted, ...nameNotes(kept), ...stepsOf({ kept, parts, tables, refusal: keyRefusal(kept, context) }, context)];
}

function columnsById(model: SnapshotModel): ReadonlyMap<string, string> {
  return new Map(model.fields.map(({ id, column }) => [id, column]));
}

interface Changing {
  readonly kept: Kept;
  readonly parts: readonly Part[];
  readonly tables: { readonly from: TableShape; readonly to: TableShape };
  readonly refusal: string | null;
}

/** One step for each column where the database alters in place, one for all where it rebuilds the table. */
function stepsOf(altered: Changing, context: DiffContext): Step[] {
  const { kept, parts, tables } = altered;
  const { ddl } = context;
  const whole = ddl.alterTable({ ...tables, columns: parts.map(({ change }) => change) });
  if (whole.rebuilds)
    return [
      rebuildStep(
        altered,
        [
          ...whole.statements,
          ...keptIndexes(kept, ddl)
            .filter(({ found }) => found !== "constraint")
            .map((one) => ddl.createIndex(one, tables.to)),
        ],
        ddl,
      ),
    ];
  const [drops, others] = [
    parts.filter(({ kind }) => kind === "drop-column"),
    parts.filter(({ kind }) => kind !== "drop-column"),
  ];
  // What becomes a key takes the form of one first.
  const [early, late] = [others.filter((part) => becomesKey(part, tables)), others.filter((part) => !becomesKey(part, tables))];
  return [
    ...early.map((part) => partStep(part, altered, context)),
    ...keySteps(altered, context),
    ...[...drops, ...late].map((part) => partStep(part, altered, context)),
  ];
}

function becomesKey({ change }: Part, { from, to }: Changing["tables"]): boolean {
  if (change.kind !== "change" || change.to.serial) return false;
  return to.key.includes(change.to.name) && !from.key.includes(change.to.name);
}

function rebuildStep({ kept, parts, tables, refusal: told }: Changing, sql: readonly string[], ddl: Ddl): Step {
  const { before, after } = kept;
  const refusal = told ?? copyRefusal(before, parts);
  const copies = `Rebuilds the table ${after.table}: copies every row into a new table, which takes its place.`;
  return createStep({
    kind: "rebuild-table",
    model: after.name,
    table: before.table,
    ...lockOf(ddl, "rewrite"),
    sql,
    refusal,
    does: [...parts.map(({ does }) => does), ...describeReferences(tables), copies],
    loses: parts.flatMap(({ loses }) => loses ?? []),
    confirm: parts.flatMap(({ confirm }) => confirm ?? []),
    checks: parts.flatMap(({ checks }) => checks),
    ...refusedBy(parts),
  });
}

/** The table with the indexes that go through the migration: others are dropped before, or made after. */
function standing(kept: Kept, table: TableShape, ddl: Ddl): Altered {
  return { table, indexes: keptIndexes(kept, ddl) };
}

/** What the journal does not know of a table, a copy of it would not have. */
function copyRefusal({ table, adopted }: SnapshotModel, parts: readonly Part[]): string | null {
  if (!adopted || adopted.beyond.length === 0) return null;
  const lost = adopted.beyond.slice(0, 3).join(", ");
  return `${parts.map(({ does }) => does).join(" ")} The table ${table} would have to be copied for that, and ${lost} would be lost. Remove it from the table first, or leave the field as it is.`;
}

function partStep(
  { kind, change, does, loses, confirm, checks, refusal: reason }: Part,
  altered: Changing,
  context: DiffContext,
): Step {
  const { kept, tables, refusal } = altered;
  const { ddl, large } = context;
  const to = { ...tables.to, key: tables.from.key };
  const online = large.has(kept.before.table);
  const { statements: sql, deed, later = [] } = ddl.alterTable({ from: tables.from, to, columns: [change], online });
  const isNothing = sql.length === 0 && later.length === 0;
  return createStep({
    kind: isNothing ? "note" : kind,
    model: kept.after.name,
    table: kept.before.table,
    sql,
    later,
    ...(isNothing ? { work: "none" } : lockOf(ddl, deed, standing(kept, tables.from, ddl))),
    does: [does],
    loses: loses === null ? [] : [loses],
    confirm: confirm === null ? [] : [confirm],
    checks,
    refusal: refusal ?? reason ?? null,
  });
}

// The table's own refusal comes first.
function refusedBy(parts: readonly Part[]): { readonly refusal?: string } {
  const refusal = parts.find((part) => part.refusal !== undefined)?.refusal;
  return refusal === undefined ? {} : { refusal };
}

// Before what is dropped, for a column of the old key would take the key along; and before what is changed, which may be no longer of it.
function keySteps({ kept, tables: { from, to }, refusal }: Changing, context: DiffContext): Step[] {
  const { ddl } = context;
  if (from.key.join("\n") === to.key.join("\n")) return [];
  return [
    createStep({
      kind: "change-key",
      model: kept.after.name,
      table: kept.before.table,
      sql: ddl.alterTable({ from, to, columns: [] }).statements,
      ...lockOf(ddl, "key", standing(kept, from, ddl)),
      does: [`Makes ${to.key.join(", ")} the key of ${to.name}. Refused when two rows have the same values.`],
      checks: ddl.manner.transactional || refusal !== null ? [] : [keyCheck(kept, context)],
      refusal,
    }),
  ];
}

/** What commits by itself is asked beforehand. */
function keyCheck(kept: Kept, { ddl }: DiffContext): Check {
  const { before, after } = kept;
  const columns = after.key.map((id) => ddl.quote(before.fields.find((field) => field.id === id)?.column ?? "")).join(", ");
  return {
    query: `SELECT count(*) FROM (SELECT 1 FROM ${ddl.quote(before.table)} GROUP BY ${columns} HAVING count(*) > 1 LIMIT 1) AS found`,
    counted: false,
    why: `The key of ${after.name} changes.`,
    mend: "Two rows have the same values. Make them differ first.",
  };
}

function nameNotes({ before, after }: Kept): Step[] {
  const earlier = new Map(before.fields.map((field) => [field.id, field]));
  return after.fields.flatMap(({ id, name, column }) => {
    const was = earlier.get(id);
    if (!was || was.name === name || was.column !== column) return [];
    return [
      createStep({
        kind: "note",
        model: after.name,
        work: "none",
        does: [`${after.name}.${was.name} is called ${name} from now on. The column stays as it is.`],
      }),
    ];
  });
}

// Drops come first: what is added may take the name that a dropped one has given up.
function partsOf({ before, after }: Kept, renamed: SnapshotModel, context: DiffContext): readonly Part[] {
  const ids = new Set(after.fields.map(({ id }) => id));
  const earlier = new Map(before.fields.map((field) => [field.id, field]));
  const places = { before, after, context };
  return [
    ...renamed.fields
      .filter(({ id }) => !ids.has(id))
      .map((field) => dropPart(field, earlier.get(field.id) as SnapshotField, places)),
    ...after.fields.filter(({ id }) => !earlier.has(id)).map((field) => addPart(field, places)),
    ...after.fields.flatMap((field) => {
      const was = earlier.get(field.id);
      return was ? changePart({ ...was, column: field.column }, field, { ...places, column: was.column }) : [];
    }),
  ];
}

interface Places extends Kept {
  readonly context: DiffContext;
}

function dropPart(field: SnapshotField, was: SnapshotField, { before, context }: Places): Part {
  return {
    kind: "drop-column",
    change: { kind: "drop", column: shape(field, context) },
    does: `Drops the column ${before.table}.${was.column}.`,
    checks: [],
    loses: `All values of ${before.name}.${was.name}.`,
    confirm: `drop ${before.name}.${was.name}`,
  };
}

function addPart(field: SnapshotField, { before, after, context }: Places): Part {
  const { ddl } = context;
  const fill = field.optional ? null : fillOf(field, context);
  const told = field.optional
    ? "rows that exist hold null"
    : fill === null
      ? "possible only while there are no rows"
      : `rows that exist get ${fill}`;
  const place = `${after.name}.${field.name}`;
  const check: Check = {
    query: `SELECT count(*) FROM (SELECT 1 FROM ${ddl.quote(before.table)} LIMIT 1) AS found`,
    counted: false,
    why: `${place} is required and has no default that the rows there are could get.`,
    mend: `Make ${declaredName(field.name)} optional(), or give it a default().`,
  };
  return {
    kind: "add-column",
    change: { kind: "add", column: shape(field, context), fill },
    does: `Adds the column ${after.table}.${field.column}: ${told}.`,
    loses: null,
    confirm: null,
    checks: field.optional || fill !== null || field.serial ? [] : [check],
    ...unfilled(field, after.name),
  };
}

function changePart(from: SnapshotField, to: SnapshotField, places: Places & { readonly column: string }): Part[] {
  const { before, after, context } = places;
  const { ddl } = context;
  const shapes = { from: shape(from, context), to: shape(to, context) };
  const typed =
    from.type !== to.type ||
    from.scale !== to.scale ||
    from.precision !== to.precision ||
    from.native?.spelt !== to.native?.spelt;
  const requires = from.optional && !to.optional;
  const bounded =
    from.length === to.length
      ? []
      : [`to ${to.length === undefined ? "a text of any length" : `${to.length} characters at most`}`];
  const parts = [...(typed ? [`from ${spell(from)} to ${spell(to)}`] : []), ...describeFlags(shapes.from, shapes.to), ...bounded];
  if (parts.length === 0) return [];
  const place = `${after.name}.${to.name}`;
  const conversion = convert({ from, to, ddl });
  const fill = requires ? fillOf(to, context) : null;
  const column = ddl.quote(to.column);
  const converted = conversion.value === null ? null : conversion.value(column);
  const value = fill === null ? converted : `coalesce(${converted ?? column}, ${fill})`;
  const counting = (condition: string) => `SELECT count(*) FROM ${ddl.quote(before.table)} WHERE ${condition}`;
  const mend = "Change those rows first, or add a new field, copy what fits into it, and then remove this one.";
  const checks = conversion.misfits.map(
    ({ condition, why }): Check => ({
      query: counting(condition(ddl.quote(places.column))),
      counted: true,
      why: `${place}: ${why}.`,
      mend,
    }),
  );
  if (requires && fill === null) {
    const query = counting(`${ddl.quote(places.column)} IS NULL`);
    checks.push({
      query,
      counted: true,
      why: `${place} becomes required and some rows hold null.`,
      mend: `Give ${declaredName(to.name)} a default(), or fill those rows first.`,
    });
  }
  const filled = fill === null ? "" : ` Rows that hold null get ${fill}.`;
  return [
    {
      kind: "change-column",
      change: { kind: "change", ...shapes, value },
      does: `Changes ${place} ${parts.join(" and ")}.${filled}`,
      checks,
      ...fixedBy(from, to, place),
      loses: conversion.loses === null ? null : `Of ${place}: ${conversion.loses}.`,
      confirm: conversion.loses === null ? null : `convert ${place}`,
    },
  ];
}

/** Only the table that was adopted knows what fills the column in. */
export function unfilled(field: SnapshotField, model: string): { readonly refusal?: string } {
  if (field.fromDatabase !== true) return {};
  const why = `${model}.${field.name} is filled in by the database, and the file does not say with what.`;
  return { refusal: `${why} Give it another default().` };
}

function fixedBy(from: SnapshotField, to: SnapshotField, place: string): { readonly refusal?: string } {
  const why = from.native?.fixed ?? (from.native && from.serial !== to.serial ? "is counted by the database" : undefined);
  return why === undefined ? {} : { refusal: `${place} ${why}, and stays as it is.` };
}

function describeFlags(from: ColumnShape, to: ColumnShape): string[] {
  const known = from.native?.type === to.native?.type ? from.native?.values : undefined;
  const added = known ? (to.native?.values ?? []).filter((value) => !known.includes(value)) : [];
  const target = (one: ColumnShape) => one.references && `${one.references.table}.${one.references.column}`;
  return [
    ...(from.optional === to.optional ? [] : [to.optional ? "to optional" : "to required"]),
    ...(from.serial === to.serial
      ? []
      : [to.serial ? "to a number that the database counts up" : "to a number that the caller gives"]),
    ...(added.length === 0 ? [] : [`to take ${added.join(", ")} too`]),
    ...(target(from) === target(to)
      ? []
      : [target(to) === null ? "to no longer being a reference" : `to a reference to ${target(to)}`]),
  ];
}

function describeReferences({ from, to }: Changing["tables"]): string[] {
  const texts = ({ references = [] }: TableShape) =>
    references.map(({ columns, table, key }) => `${columns.join(", ")} to ${table} (${key.join(", ")})`);
  const [before, after] = [texts(from), texts(to)];
  return [
    ...before.filter((text) => !after.includes(text)).map((text) => `Drops the reference of ${to.name}.${text}.`),
    ...after.filter((text) => !before.includes(text)).map((text) => `Adds the reference of ${to.name}.${text}.`),
  ];
}

function spell({ type, precision, scale, native }: SnapshotField): string {
  const held = native?.spelt ? ` as ${native.spelt}` : "";
  return `${type === "decimal" ? `decimal(${precision}, ${scale})` : type}${held}`;
}

function shape(field: SnapshotField, { from, to }: DiffContext): ColumnShape {
  return columnOf(field, [to, from]);
}

/** A key may become another only where its values are there already, and nothing refers to it. */
function keyRefusal({ before, after }: Kept, { from, to }: DiffContext): string | null {
  if (before.key.join(" ") === after.key.join(" ")) return null;
  const had = new Map(before.fields.map((field) => [field.id, field]));
  const missing = after.key.find((id) => had.get(id)?.optional !== false);
  const mend = "Declare a new model, copy the rows in an action, and then remove the old one.";
  const nameOf = (id: string | undefined) => after.fields.find((field) => field.id === id)?.name ?? "";
  if (missing !== undefined)
    return `The key of ${after.name} becomes ${nameOf(missing)}, which not every row has a value for. ${mend}`;
  const refers = [...from.models, ...to.models].flatMap((model) => [
    ...model.fields
      .filter(({ references }) => references !== null && "model" in references && references.model === after.id)
      .map((field) => `${model.name}.${field.name}`),
    ...(model.references ?? []).filter((reference) => reference.model === after.id).map(({ name }) => `${model.name}.${name}`),
  ]);
  return refers.length === 0 ? null : `The key of ${after.name} changes, and ${refers[0]} holds its old values. ${mend}`;
}
