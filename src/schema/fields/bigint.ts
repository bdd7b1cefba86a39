/** Whole numbers of 64 bits, as decimal text on the wire, since JSON readers lose digits above 2^53. */
import type { FieldParams } from "../schema.ts";
import type { Value } from "../value.ts";
import { type FieldType, misfit, ordering } from "./field-type.ts";

const lowest = -(2n ** 63n);
const highest = 2n ** 63n - 1n;

export const bigintType: FieldType = Object.freeze<FieldType>({
  name: "bigint",
  storage: "bigint",
  parse(value: unknown, params: FieldParams) {
    if (typeof value === "number" ? !Number.isSafeInteger(value) : typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) {
      return misfit("type", 'must be a whole number written as text, as in "9007199254740993"');
    }
    const whole = BigInt(value as string | number);
    if (whole < lowest || whole > highest) return misfit("range", "must fit into 64 bits");
    if (params.min !== undefined && whole < BigInt(params.min)) return misfit("min", `must be at least ${params.min}`);
    if (params.max !== undefined && whole > BigInt(params.max)) return misfit("max", `must be at most ${params.max}`);
    return whole;
  },
  toWire: (value: Value) => String(value),
  operators: ordering,
  ordered: true,
  numeric: true,
  jsonSchema: () => ({ type: "string", pattern: "^-?[0-9]{1,19}$" }),
});
