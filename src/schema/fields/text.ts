/** Text: Unicode without NUL and without lone surrogates; min and max count code points. */
import type { FieldParams } from "../schema.ts";
import { type FieldType, type Misfit, misfit, textual } from "./field-type.ts";

/** What a text may hold where the model says nothing, in code points. */
export const textMax = 65_536;

/** What one in a key may hold where the model says nothing: no database has a key of any length. */
export const keyTextMax = 255;

export const textType: FieldType = Object.freeze<FieldType>({
  name: "text",
  storage: "text",
  parse: parseText,
  operators: textual,
  ordered: true,
  numeric: false,
  jsonSchema: (params: FieldParams) => ({
    type: "string",
    ...(params.min === undefined ? {} : { minLength: Number(params.min) }),
    maxLength: Number(params.max ?? textMax),
    ...(params.pattern ? { pattern: params.pattern.source } : {}),
  }),
});

/** Checks a text and its bounds; shared by the types that are texts of a form. */
export function parseText(value: unknown, params: FieldParams): string | Misfit {
  if (typeof value !== "string") return misfit("type", "must be a text");
  if (!value.isWellFormed()) return misfit("encoding", "must be valid Unicode, without lone surrogates");
  if (value.includes("\0")) return misfit("encoding", "must not contain the character U+0000");
  const max = Number(params.max ?? textMax);
  if (value.length > max && codePoints(value) > max) return misfit("max", `must have at most ${max} characters`);
  if (params.min !== undefined && codePoints(value) < Number(params.min)) {
    return misfit("min", `must have at least ${params.min} characters`);
  }
  if (params.pattern && !params.pattern.test(value)) return misfit("pattern", `must match ${params.pattern.source}`);
  return value;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
