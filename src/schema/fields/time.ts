/** Times of day without a zone, to the second: "09:30:00". */
import { type FieldType, misfit, ordering } from "./field-type.ts";

export const timeType: FieldType = Object.freeze<FieldType>({
  name: "time",
  storage: "time",
  parse(value: unknown) {
    const parts = typeof value === "string" ? /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(value) : null;
    return parts ? `${parts[1]}:${parts[2]}:${parts[3] ?? "00"}` : misfit("format", 'must be a time of day such as "09:30:00"');
  },
  operators: ordering,
  ordered: true,
  numeric: false,
  jsonSchema: () => ({ type: "string", pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$" }),
});
