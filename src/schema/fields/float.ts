/** IEEE 754 doubles; never NaN or infinite, and without a negative zero. */
import type { FieldParams } from "../schema.ts";
import { type FieldType, misfit, ordering } from "./field-type.ts";
import { numberFromText, withinBounds } from "./integer.ts";

export const floatType: FieldType = Object.freeze<FieldType>({
  name: "float",
  storage: "real",
  parse(value: unknown, params: FieldParams) {
    if (typeof value !== "number") return misfit("type", "must be a number");
    if (!Number.isFinite(value)) return misfit("range", "must be a number that a double can hold");
    return withinBounds(value, params) ?? (value === 0 ? 0 : value);
  },
  fromText: numberFromText,
  operators: ordering,
  ordered: true,
  numeric: true,
  jsonSchema: (params: FieldParams) => ({
    type: "number",
    ...(params.min === undefined ? {} : { minimum: Number(params.min) }),
    ...(params.max === undefined ? {} : { maximum: Number(params.max) }),
  }),
});
