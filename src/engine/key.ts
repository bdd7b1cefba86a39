/** Row keys as text: the id itself, or the parts of a composite key with commas between them. */
import { isMisfit, wireOf } from "../schema/fields/field-type.ts";
import type { Model } from "../schema/schema.ts";
import type { Value } from "../schema/value.ts";
import type { Where } from "./call.ts";
import { columnForm } from "./compile/form.ts";
import type { Dialect } from "../drivers/dialect.ts";

/** The stored parts of a key, or null where no row can have it. */
export function parseKey(model: Model, id: string): readonly Value[] | null {
  const parts = model.key.length === 1 ? [id] : id.split(",").map(decodePart);
  if (parts.length !== model.key.length) return null;
  const values: Value[] = [];
  for (const [index, field] of model.key.entries()) {
    const part = parts[index];
    if (part === null || part === undefined) return null;
    const given = field.type.fromText ? field.type.fromText(part) : part;
    const value = isMisfit(given)
      ? given
      : field.type.parse(given, { ...field.params, min: undefined, max: undefined, pattern: undefined });
    if (isMisfit(value)) return null;
    values.push(value);
  }
  return values;
}

/** The text of a key from its stored parts. */
export function formatKey(model: Model, values: readonly Value[]): string {
  const texts = model.key.map((field, index) => {
    const value = values[index] as Value;
    return String(wireOf(field, value) as string | number);
  });
  return texts.length === 1
    ? (texts[0] as string)
    : texts.map((text) => text.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

/** The same, as SQL over the columns of a row. */
export function keySql(model: Model, alias: string, dialect: Dialect): string {
  const parts = model.key.map((field) => dialect.json.text(columnForm(field), `${alias}.${dialect.quote(field.column)}`));
  return parts.length === 1
    ? (parts[0] as string)
    : parts.map((part) => `replace(replace(${part}, '%', '%25'), ',', '%2C')`).join(" || ',' || ");
}

/** The filter that finds the row of a key. */
export function keyWhere(model: Model, id: string): Where {
  const values = parseKey(model, id) ?? [];
  return Object.fromEntries(
    model.key.map((field, index) => {
      const value = values[index] ?? null;
      return [field.name, wireOf(field, value)];
    }),
  );
}

function decodePart(part: string): string | null {
  return /%(?!25|2C)/.test(part) ? null : part.replaceAll("%2C", ",").replaceAll("%25", "%");
}
