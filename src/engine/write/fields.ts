/** The fields of a model as its table holds them, and as the wire names them: a composite key of a relation is the difference. */
import { parseKeyText } from "../../schema/key.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";

const stored = new WeakMap<Model, readonly Field[]>();

/** Fields that have a column, in order. */
export function storedFields(model: Model): readonly Field[] {
  const known = stored.get(model);
  if (known) return known;
  const fields = [...model.fields.values()].filter((field) => field.column !== "");
  stored.set(model, fields);
  return fields;
}

/** Fields whose values are stored, as the wire names them: a relation in place of the parts of its key. */
export function namedFields(model: Model): readonly Field[] {
  return [...model.fields.values()].filter((field) => field.partOf === null && field.computed === null);
}

/** Fields with a column, the parts of a relation's key in its place. */
export function columnFields(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => field.parts ?? [field]);
}

/** The stored values of a field, by the names of the stored fields that hold them. */
export function spread(field: Field, value: Value): readonly (readonly [name: string, value: Value])[] {
  if (!field.parts) return [[field.name, value]];
  if (value !== null) {
    const parts = parseKeyText(field.parts, String(value));
    return field.parts.map((part, index) => [part.name, parts?.[index] ?? null]);
  }
  // What it shares with another field is that field's own.
  return field.parts.flatMap((part) => (part.partOf === field.name ? [[part.name, null] as const] : []));
}

/** The relation that shares the column of this field, or null. */
export function sharedBy(model: Model, field: Field): string | null {
  for (const other of model.fields.values()) if (field.partOf !== other.name && other.parts?.includes(field)) return other.name;
  return null;
}
