/** Instants in UTC to the millisecond, in the years 0001 to 9999: ISO 8601 text of fixed width, so that text order is time order. */
import { type FieldType, misfit, ordering } from "./field-type.ts";

const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|[+-]\d{2}:?\d{2})$/;

export const datetimeType: FieldType = Object.freeze<FieldType>({
  name: "datetime",
  storage: "datetime",
  parse(value: unknown) {
    const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
    const parts = typeof text === "string" ? pattern.exec(text) : null;
    if (!parts) return misfit("format", 'must be an ISO 8601 instant with a zone, such as "2026-11-21T09:30:00Z"');
    const [, year, month, day, hour] = parts;
    if (!isCalendarDay(Number(year), Number(month), Number(day)) || Number(hour) > 23)
      return misfit("range", "must be a day and time that exist");
    if ((parts[7] ?? "").length > 3) return misfit("scale", "must have at most three digits of a second");
    const instant = Date.parse(text as string);
    if (Number.isNaN(instant)) return misfit("range", "must be a day and time that exist");
    const iso = new Date(instant).toISOString();
    return iso.length === 24 && !iso.startsWith("0000") ? iso : misfit("range", "must lie in the years 0001 to 9999");
  },
  operators: ordering,
  ordered: true,
  numeric: false,
  jsonSchema: () => ({ type: "string", format: "date-time" }),
});

/** Whether the proleptic Gregorian calendar has that day. */
export function isCalendarDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number;
  return day <= days;
}
