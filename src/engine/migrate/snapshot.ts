/** The snapshot of a schema that the journal keeps: only what the database knows of, with a stable id for each model and field. */
import { createHash } from "node:crypto";
import type { ColumnShape, Ddl, IndexShape, ReferenceShape, TableShape } from "../../drivers/ddl.ts";
import type { Field, Model, Schema } from "../../schema/schema.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { identify } from "./identity.ts";
import {
  type Snapshot,
  type SnapshotField,
  snapshotFormat,
  type SnapshotModel,
  type SnapshotReference,
} from "./snapshot-types.ts";
import { writePredicate } from "./predicate.ts";
import { systemVersion } from "./system-tables.ts";

/** The empty snapshot: a database in which nothing has been made, not even the engine's own tables. */
export const emptySnapshot: Snapshot = Object.freeze({ format: snapshotFormat, system: 0, lastId: 0, models: Object.freeze([]) });

/** The snapshot of a schema, with the ids that its models and fields have in the snapshot before it. */
export function takeSnapshot(schema: Schema, before: Snapshot, ddl: Ddl): Snapshot {
  const { ids, lastId } = identify(schema, before);
  const models = ownModels(schema).map((model): SnapshotModel => {
    const bounds = boundsOf(model, ddl);
    const found = ids.get(model.name) as NonNullable<ReturnType<typeof ids.get>>;
    const fields = storedFields(model).map((field): SnapshotField => {
      const target = field.relation ? ids.get(field.relation.target) : undefined;
      const key = field.relation ? (schema.models.get(field.relation.target) as Model).key[0] : undefined;
      const references = target && key ? { model: target.id, field: target.fields.get(key.name) as string } : null;
      return {
        id: found.fields.get(field.name) as string,
        ...shapeOf(field, bounds),
        references,
        fill: fillOf(field, ddl),
        choices: field.params.choices ?? null,
      };
    });
    return {
      id: found.id,
      name: model.name,
      table: model.table,
      fields,
      indexes: indexesOf(model, ddl, bounds),
      key: model.key.map((field) => found.fields.get(field.name) as string),
      ...referencesOf(model, schema, ids),
    };
  });
  return Object.freeze({ format: snapshotFormat, system: systemVersion, lastId, models: Object.freeze(models) });
}

function referencesOf(
  model: Model,
  schema: Schema,
  ids: ReturnType<typeof identify>["ids"],
): { readonly references?: readonly SnapshotReference[] } {
  const idOf = (field: Field) => ids.get(field.model)?.fields.get(field.name) as string;
  const references = [...model.fields.values()].flatMap(({ name, parts, relation }): SnapshotReference[] => {
    const target = relation ? schema.models.get(relation.target) : undefined;
    if (!parts || !target || target.adopted) return [];
    return [{ name, fields: parts.map(idOf), model: ids.get(target.name)?.id as string, key: target.key.map(idOf) }];
  });
  return references.length === 0 ? {} : { references };
}

/** The models whose tables migrations make and change: all but the adopted ones. */
export function ownModels(schema: Schema): readonly Model[] {
  return [...schema.models.values()].filter(({ adopted }) => !adopted);
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
  };
}

function fillOf({ default: given, type, params }: Field, ddl: Ddl): SnapshotField["fill"] {
  if (given?.from === "now") return "now";
  return given?.from === "value" && given.value !== null
    ? { literal: ddl.literal(given.value, { storage: type.storage, scale: params.scale ?? null }) }
    : null;
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
        .map((field) => ({ ...shapeOf(field, bounds), references: field.relation?.target ?? null }))
        .toSorted(byName),
      references: keysHeld(model),
      indexes: indexesOf(model, ddl, bounds).toSorted(byName),
    };
  });
  return createHash("sha256")
    .update(JSON.stringify([snapshotFormat, systemVersion, models.toSorted(byName)]))
    .digest("hex");
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
  const references = (model.references ?? []).flatMap(({ fields, model: target, key }): ReferenceShape[] => {
    const found = target === model.id ? model : known.flatMap(({ models }) => models).find(({ id }) => id === target);
    return found ? [{ columns: columnsOf(model, fields), table: found.table, key: columnsOf(found, key) }] : [];
  });
  return { name: model.table, columns, key: columnsOf(model, model.key), ...(references.length === 0 ? {} : { references }) };
}

export function columnOf(field: SnapshotField, known: readonly Snapshot[]): ColumnShape {
  const { column: name, storage, precision, scale, length = null, optional, serial, references } = field;
  return {
    name,
    storage,
    precision,
    scale,
    length,
    optional,
    serial,
    references: references ? resolve(references, known) : null,
  };
}

function resolve(reference: NonNullable<SnapshotField["references"]>, known: readonly Snapshot[]): ColumnShape["references"] {
  for (const { models } of known) {
    const model = models.find(({ id }) => id === reference.model);
    const field = model?.fields.find(({ id }) => id === reference.field);
    if (model && field) return { table: model.table, column: field.column };
  }
  return null;
}
