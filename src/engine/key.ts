/** Row keys as text, in SQL, and as wire data: the id itself, or the parts of a composite key with commas between them. */
import { wireOf } from "../schema/fields/field-type.ts";
import { formatKeyText, parseKeyText } from "../schema/key.ts";
import type { Field, Model } from "../schema/schema.ts";
import type { Json, Value } from "../schema/value.ts";
import type { Where } from "./call.ts";
import { columnForm } from "./compile/form.ts";
import type { Dialect } from "../drivers/dialect.ts";

/** The stored parts of a key, or null where no row can have it. */
export function parseKey(model: Model, id: string): readonly Value[] | null {
  return parseKeyText(model.key, id);
}

/** The text of a key from its stored parts. */
export function formatKey(model: Model, values: readonly Value[]): string {
  return formatKeyText(model.key, values);
}

/** The same, as SQL over the columns of a row. */
export function keySql(model: Model, alias: string, dialect: Dialect): string {
  return keyTextSql(model.key, (field) => `${alias}.${dialect.quote(field.column)}`, dialect);
}

/** The text of a key from the SQL of its parts; null where one of them is. */
export function keyTextSql(key: readonly Field[], sqlOf: (field: Field) => string, dialect: Dialect): string {
  const parts = key.map((field) => dialect.json.text(columnForm(field), sqlOf(field)));
  return parts.length === 1
    ? (parts[0] as string)
    : parts.map((part) => `replace(replace(${part}, '%', '%25'), ',', '%2C')`).join(" || ',' || ");
}

/** The filter that finds the row of a key. */
export function keyWhere(model: Model, id: string): Where {
  return toWire(model, new Map(model.key.map((field, index) => [field.name, (parseKey(model, id) ?? [])[index] ?? null])));
}

/** Stored values as the wire names them: the parts of a relation's key are one text, under the relation's name. */
export function toWire(model: Model, values: ReadonlyMap<string, Value>): Record<string, Json> {
  const wire: Record<string, Json> = {};
  for (const [name, value] of values) {
    const field = model.fields.get(name);
    if (field && field.partOf === null) wire[name] = wireOf(field, value);
  }
  for (const { name, parts } of model.fields.values()) {
    if (!parts?.some((part) => part.partOf === name && values.has(part.name))) continue;
    const held = parts.map((part) => values.get(part.name) ?? null);
    wire[name] = held.includes(null) ? null : formatKeyText(parts, held);
  }
  return wire;
}
