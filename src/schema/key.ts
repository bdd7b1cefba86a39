/** Keys as text: one value as it is, or the parts of a composite key with commas between them. */
import { equality, type FieldType, isMisfit, misfit, wireOf } from "./fields/field-type.ts";
import type { Field } from "./schema.ts";
import type { Value } from "./value.ts";

/** What is needed to know of a key's part. */
type Part = Pick<Field, "type" | "params">;

/** The stored parts of a key, or null where no row can have it. */
export function parseKeyText(key: readonly Part[], text: string): readonly Value[] | null {
  const parts = key.length === 1 ? [text] : text.split(",").map(decodePart);
  if (parts.length !== key.length) return null;
  const values: Value[] = [];
  for (const [index, field] of key.entries()) {
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
export function formatKeyText(key: readonly Part[], values: readonly Value[]): string {
  const texts = key.map((field, index) => String(wireOf(field, values[index] as Value) as string | number));
  return texts.length === 1
    ? (texts[0] as string)
    : texts.map((text) => text.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

function decodePart(part: string): string | null {
  return /%(?!25|2C)/.test(part) ? null : part.replaceAll("%2C", ",").replaceAll("%25", "%");
}

/** The type of a belongsTo that holds a composite key: on the wire its text, which two spellings of one key share. */
export function createKeyType(key: readonly Part[]): FieldType {
  return Object.freeze<FieldType>({
    name: "key",
    storage: "text",
    operators: equality,
    ordered: false,
    numeric: false,
    parse(value) {
      const parts = typeof value === "string" ? parseKeyText(key, value) : null;
      return parts ? formatKeyText(key, parts) : misfit("type", `must be a key of ${key.length} parts with commas between them`);
    },
    jsonSchema: () => ({ type: "string" }),
  });
}
