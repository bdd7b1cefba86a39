/** How adopted SQLite tables hold what SQLite has no type for. The form stands behind the declared type, as in `DATETIME unix`. */

/** One way to hold an instant. */
export interface DatetimeForm {
  /** What is added to the column's declared type; empty for SQLite's own spelling. */
  readonly suffix: string;
  /** SQL: the value is of this form. */
  readonly holds: (column: string) => string;
}

const digits = (count: number) => "[0-9]".repeat(count);
const day = `${digits(4)}-${digits(2)}-${digits(2)}`;
const time = `${digits(2)}:${digits(2)}:${digits(2)}`;
// From 1970 to 9999, in seconds; the same in milliseconds lies above it but for the first three years.
const secondsMax = 253_402_300_799;

/** In the order in which they are tried: the first that every value has. */
export const datetimeForms: readonly DatetimeForm[] = Object.freeze([
  { suffix: "", holds: (column) => `typeof(${column}) = 'text' AND ${column} GLOB '${day} ${time}'` },
  { suffix: " iso", holds: (column) => `typeof(${column}) = 'text' AND ${column} GLOB '${day}T${time}.${digits(3)}Z'` },
  { suffix: " unix", holds: (column) => `typeof(${column}) = 'integer' AND abs(${column}) <= ${secondsMax}` },
  { suffix: " unixms", holds: (column) => `typeof(${column}) = 'integer' AND abs(${column}) > ${secondsMax}` },
]);
