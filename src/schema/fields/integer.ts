/** Whole numbers that every JSON reader keeps exactly: ±(2^53 − 1). */
import type { FieldParams } from "../schema.ts";
import type { Json } from "../value.ts";
import { type FieldType, type Misfit, misfit, ordering } from "./field-type.ts";

export const integerType: FieldType = Object.freeze<FieldType>({
  name: "integer",
  storage: "integer",
  parse(value: unknown, params: FieldParams) {
    if (typeof value !== "number" || !Number.isInteger(value)) return misfit("type", "must be a whole number");
    if (!Number.isSafeInteger(value)) return misfit("range", "must lie within ±9007199254740991; use a bigint field for more");
    return withinBounds(value, params) ?? (value === 0 ? 0 : value);
  },
  fromText: numberFromText,
  operators: ordering,
  ordered: true,
  numeric: true,
  jsonSchema: (params: FieldParams) => ({
    type: "integer",
    minimum: Number(params.min ?? Number.MIN_SAFE_INTEGER),
    maximum: Number(params.max ?? Number.MAX_SAFE_INTEGER),
  }),
});

/** The number that a query parameter spells, in JSON's own grammar. */
export function numberFromText(text: string): Json | Misfit {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : misfit("type", "must be a number");
}

export function withinBounds(value: number, params: FieldParams): Misfit | null {
  if (params.min !== undefined && value < Number(params.min)) return misfit("min", `must be at least ${params.min}`);
  if (params.max !== undefined && value > Number(params.max)) return misfit("max", `must be at most ${params.max}`);
  return null;
}
