/** The snapshot of a schema that the journal keeps: only what the database knows of, with a stable id for each model and field. */
import { createHash } from "node:crypto";
import type { ColumnShape, Ddl, IndexShape, ReferenceShape, TableShape } from "../../../drivers/ddl.ts";
import { type Field, isMigrated, type Model, type Schema } from "../../../schema/schema.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { identify } from "./identity.ts";
import {
  type Snapshot,
  type SnapshotField,
  snapshotFormat,
  type SnapshotModel,
  type SnapshotReference,
} from "./snapshot-types.ts";
import { carryAdopted, carryIndex, carryNative, enumeratedBy } from "../adopted/carry.ts";
import { writePredicate } from "./predicate.ts";
import { systemVersion } from "../journal/system-tables.ts";

/** The empty snapshot: a database in which nothing has been made, not even the engine's own tables. */
export const emptySnapshot: Snapshot = Object.freeze({ format: snapshotFormat, system: 0, lastId: 0, models: Object.freeze([]) });

/** The snapshot of a schema, with the ids that its models and fields have in the snapshot before it. */
export function takeSnapshot(schema: Schema, before: Snapshot, ddl: Ddl): Snapshot {
  const { ids, lastId } = identify(schema, before);
  const models = ownModels(schema).map((model): SnapshotModel => {
    const bounds = boundsOf(model, ddl);
    const found = ids.get(model.name) as NonNullable<ReturnType<typeof ids.get>>;
    const earlier = before.models.find(({ id }) => id === found.id);
    const fields = storedFields(model).map((field): SnapshotField => {
      const id = found.fields.get(field.name) as string;
      const was = earlier?.fields.find((one) => one.id === id);
      const { native: _, ...shape } = shapeOf(field, bounds);
      return {
        id,
        ...shape,
        ...carryNative(field, was, ddl),
        references: targetOf(field, was, { schema, ids, ddl }),
        fill: fillOf(field, ddl),
        choices: field.params.choices ?? null,
      };
    });
    return {
      id: found.id,
      name: model.name,
      table: model.table,
      fields,
      indexes: indexesOf(model, ddl, bounds).map((index) => carryIndex(index, fields, earlier)),
      key: model.key.map((field) => found.fields.get(field.name) as string),
      ...referencesOf(model, earlier, { schema, ids, ddl }),
      ...(model.takenOver ? { adopted: carryAdopted(fields, earlier) } : {}),
    };
  });
  return Object.freeze({ format: snapshotFormat, system: systemVersion, lastId, models: Object.freeze(models) });
}

interface Knowing {
  readonly schema: Schema;
  readonly ids: ReturnType<typeof identify>["ids"];
  readonly ddl: Ddl;
}

/** What a field refers to; nothing where it is a view, or of a type by which nothing can be referred to. */
function targetOf(field: Field, was: SnapshotField | undefined, { schema, ids, ddl }: Knowing): SnapshotField["references"] {
  const target = field.relation ? schema.models.get(field.relation.target) : undefined;
  const key = target?.key[0];
  if (!target || !key || field.parts !== null || (target.adopted && target.readOnly)) return null;
  const found = ids.get(target.name);
  const lead = found
    ? { model: found.id, field: found.fields.get(key.name) as string }
    : { table: target.table, column: key.column };
  const isSame = was?.references && JSON.stringify(lead) === JSON.stringify(withoutDetails(was.references));
  if (isSame) return was.references;
  return mayRefer(field, key, ddl) ? lead : null;
}

function withoutDetails(target: NonNullable<SnapshotField["references"]>) {
  return "model" in target ? { model: target.model, field: target.field } : { table: target.table, column: target.column };
}

/** Both columns are of the product's own making, or both of one type of which a column can be declared anywhere. */
function mayRefer(field: Field, key: Field, ddl: Ddl): boolean {
  if (field.native === null || key.native === null) return field.native === key.native;
  return ddl.forms.declare(field.native).refers;
}

function referencesOf(
  model: Model,
  earlier: SnapshotModel | undefined,
  { schema, ids, ddl }: Knowing,
): { readonly references?: readonly SnapshotReference[] } {
  const idOf = (field: Field) => ids.get(field.model)?.fields.get(field.name) as string;
  const references = [...model.fields.values()].flatMap(({ name, parts, relation }): SnapshotReference[] => {
    const target = relation ? schema.models.get(relation.target) : undefined;
    if (!parts || !target || (target.adopted && target.readOnly)) return [];
    const found = ids.get(target.name);
    const lead = found
      ? { model: found.id, key: target.key.map(idOf) }
      : { model: target.table, key: target.key.map(({ column }) => column), isOutside: true as const };
    const fields = parts.map(idOf);
    const was = earlier?.references?.find(
      (one) => JSON.stringify([one.fields, one.model, one.key]) === JSON.stringify([fields, lead.model, lead.key]),
    );
    if (was) return [{ ...was, name }];
    return parts.every((part, index) => mayRefer(part, target.key[index] as Field, ddl)) ? [{ name, fields, ...lead }] : [];
  });
  return references.length === 0 ? {} : { references };
}

/** The models whose tables migrations make and change: all but the adopted ones that are not taken over. */
export function ownModels(schema: Schema): readonly Model[] {
  return [...schema.models.values()].filter(isMigrated);
}

/** Fields with a column. */
export function storedFields(model: Model): readonly Field[] {
  return [...model.fields.values()].filter(({ column }) => column !== "");
}

function shapeOf(field: Field, bounds: Bounds) {
  return {
    name: field.name,
    column: field.column,
    type: field.type.name,
    storage: field.type.storage,
    optional: field.optional,
    precision: field.params.precision ?? null,
    scale: field.params.scale ?? null,
    ...bounds.column(field),
    serial: field.params.serial ?? false,
    // Left out where there is none: checksums of before there were any stay what they are.
    ...(field.native === null ? {} : { native: field.native }),
  };
}

export function fillOf({ default: given, type, params, native }: Field, ddl: Ddl): SnapshotField["fill"] {
  if (given?.from === "now") return "now";
  if (given?.from !== "value" || given.value === null) return null;
  const form = { storage: type.storage, scale: params.scale ?? null };
  const literal = ddl.literal(given.value, form);
  return { literal: native === null ? literal : ddl.forms.write(literal, { ...form, spelt: native }) };
}

function indexesOf(model: Model, ddl: Ddl, bounds: Bounds): readonly IndexShape[] {
  return model.indexes.map((index) => {
    const { name, columns, unique, where } = index;
    return {
      name,
      table: model.table,
      columns: columns.map(({ column, descending }) => ({ column, descending, ...bounds.prefix(index, column) })),
      unique,
      where: where === null ? null : writePredicate(where, { ddl, model: model.name, index: name }),
    };
  });
}

/**
 * The checksum of everything in a schema that a migration would act on. Ids, defaults, choices, and the order in which models
 * and fields are declared are no part of it; so it can be had without the snapshot before it.
 */
export function checksumOf(schema: Schema, ddl: Ddl): string {
  const models = ownModels(schema).map((model) => {
    const bounds = boundsOf(model, ddl);
    return {
      name: model.name,
      table: model.table,
      key: model.key.map(({ column }) => column),
      fields: storedFields(model)
        .map((field) => ({ ...shapeOf(field, bounds), ...enumerated(field, ddl), references: field.relation?.target ?? null }))
        .toSorted(byName),
      references: keysHeld(model),
      indexes: indexesOf(model, ddl, bounds).toSorted(byName),
    };
  });
  return createHash("sha256")
    .update(JSON.stringify([snapshotFormat, systemVersion, models.toSorted(byName)]))
    .digest("hex");
}

// The values of other choices are no part of the structure.
function enumerated(field: Field, ddl: Ddl): { readonly values?: readonly string[] } {
  const values = enumeratedBy(field, ddl);
  return values === null ? {} : { values };
}

// Undefined where there are none, and then no part of the text: checksums of before there were any stay what they are.
function keysHeld(model: Model): unknown {
  const held = [...model.relations.values()]
    .filter(({ name }) => model.fields.get(name)?.parts)
    .map(({ name, target, on }) => ({ name, target, on }));
  return held.length === 0 ? undefined : held.toSorted(byName);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The table of a model. References lead to what the named snapshots know, the first that knows it. */
export function tableOf(model: SnapshotModel, known: readonly Snapshot[]): TableShape {
  const columns = model.fields.map((field) => columnOf(field, known));
  const columnsOf = (of: SnapshotModel, ids: readonly string[]) =>
    ids.map((id) => of.fields.find((field) => field.id === id)?.column ?? "");
  const references = (model.references ?? []).flatMap(({ fields, model: target, key, isOutside, ...named }): ReferenceShape[] => {
    const { name: _, ...details } = named;
    if (isOutside) return [{ columns: columnsOf(model, fields), table: target, key, ...details }];
    const found = target === model.id ? model : known.flatMap(({ models }) => models).find(({ id }) => id === target);
    return found ? [{ columns: columnsOf(model, fields), table: found.table, key: columnsOf(found, key), ...details }] : [];
  });
  const { adopted, indexes } = model;
  const held = [...references, ...(adopted?.ties ?? [])];
  const uniques = indexes.filter(({ found }) => found === "constraint").map((index) => index.columns.map(({ column }) => column));
  return {
    name: model.table,
    columns,
    key: columnsOf(model, model.key),
    ...(held.length === 0 ? {} : { references: held }),
    ...(adopted ? { traits: adopted.traits, uniques } : {}),
  };
}

export function columnOf(field: SnapshotField, known: readonly Snapshot[]): ColumnShape {
  const { column: name, storage, precision, scale, length = null, optional, serial, references, native } = field;
  return {
    name,
    storage,
    precision,
    scale,
    length,
    optional,
    serial,
    references: references ? resolve(references, known) : null,
    ...(native ? { native } : {}),
  };
}

function resolve(reference: NonNullable<SnapshotField["references"]>, known: readonly Snapshot[]): ColumnShape["references"] {
  if (!("model" in reference)) return reference;
  const { model: modelId, field: fieldId, ...details } = reference;
  for (const { models } of known) {
    const model = models.find(({ id }) => id === modelId);
    const field = model?.fields.find(({ id }) => id === fieldId);
    if (model && field) return { table: model.table, column: field.column, ...details };
  }
  return null;
}
