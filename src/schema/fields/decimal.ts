/** Exact decimals of up to 18 digits: text on the wire ("12.50"), an integer of the smallest unit (1250) where they are stored. */
import type { FieldParams } from "../schema.ts";
import type { Value } from "../value.ts";
import { type FieldType, misfit, ordering } from "./field-type.ts";

/** As many digits as every database and a 64-bit integer keep. */
export const decimalPrecisionMax = 18;

const powers: readonly bigint[] = Array.from({ length: decimalPrecisionMax + 1 }, (_, digits) => 10n ** BigInt(digits));
const pattern = /^-?\d{1,30}(?:\.\d{1,30})?$/;
// A JSON number arrives as a double, which is exact to 15 digits.
const numberDigitsMax = 15;

export const decimalType: FieldType = Object.freeze<FieldType>({
  name: "decimal",
  storage: "decimal",
  parse(value: unknown, params: FieldParams) {
    const scale = params.scale ?? 0;
    const precision = params.precision ?? decimalPrecisionMax;
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string" || !pattern.test(text)) return misfit("type", `must be a decimal such as "${example(scale)}"`);
    if (typeof value === "number" && text.replace(/[-.]/g, "").length > numberDigitsMax) {
      return misfit("range", "must be written as text: a JSON number of so many digits is not exact");
    }
    const units = toUnits(text, scale);
    if (units === null) return misfit("scale", `must have at most ${scale} digits after the point`);
    const limit = powers[precision] as bigint;
    if (units >= limit || units <= -limit) {
      return misfit("range", `must have at most ${precision - scale} digits before the point`);
    }
    if (params.min !== undefined && units < (toUnits(String(params.min), scale) ?? 0n))
      return misfit("min", `must be at least ${params.min}`);
    if (params.max !== undefined && units > (toUnits(String(params.max), scale) ?? 0n))
      return misfit("max", `must be at most ${params.max}`);
    return Number.isSafeInteger(Number(units)) ? Number(units) : units;
  },
  toWire: (value: Value, params: FieldParams) => fromUnits(BigInt(value as number | bigint), params.scale ?? 0),
  operators: ordering,
  ordered: true,
  numeric: true,
  jsonSchema: (params: FieldParams) => ({
    type: "string",
    pattern: params.scale ? `^-?[0-9]+\\.[0-9]{${params.scale}}$` : "^-?[0-9]+$",
    examples: [example(params.scale ?? 0)],
  }),
});

/** The count of smallest units in a decimal text, or null where it has more digits after the point than `scale`. */
export function toUnits(text: string, scale: number): bigint | null {
  const [whole = "0", fraction = ""] = text.split(".");
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > scale) return null;
  const units = BigInt(whole.replace("-", "") + digits.padEnd(scale, "0"));
  return text.startsWith("-") ? -units : units;
}

/** The decimal text of a count of smallest units, with all its digits after the point. */
export function fromUnits(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function example(scale: number): string {
  return scale === 0 ? "12" : `12.${"50".padEnd(scale, "0").slice(0, scale)}`;
}
