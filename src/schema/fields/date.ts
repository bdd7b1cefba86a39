/** Calendar days without a zone, of the years 0001 to 9999: "2026-11-21". */
import { isCalendarDay } from "./datetime.ts";
import { type FieldType, misfit, ordering } from "./field-type.ts";

export const dateType: FieldType = Object.freeze<FieldType>({
  name: "date",
  storage: "date",
  parse(value: unknown) {
    const parts = typeof value === "string" ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(value) : null;
    if (!parts) return misfit("format", 'must be a day such as "2026-11-21"');
    if (Number(parts[1]) === 0) return misfit("range", "must lie in the years 0001 to 9999");
    if (!isCalendarDay(Number(parts[1]), Number(parts[2]), Number(parts[3]))) return misfit("range", "must be a day that exists");
    return value as string;
  },
  operators: ordering,
  ordered: true,
  numeric: false,
  jsonSchema: () => ({ type: "string", format: "date" }),
});
