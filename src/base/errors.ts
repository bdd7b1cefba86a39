/** The one error type of the product and the shape of the tables its codes stand in; knows no code itself. */

/** One row of a floor's error table. */
export interface ErrorSpec {
  /** HTTP status that every protocol maps from. */
  readonly status: number;
  /** One sentence for the caller; `{name}` is filled from the details. */
  readonly message: string;
  /** What to do about it, for docs/reference/errors.md and the problem document's `type` page. */
  readonly explanation: string;
}

/** One fault at one place of the input; `pointer` is an RFC 6901 JSON pointer, or `?filter[…]` for a query parameter. */
export interface Issue {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** Facts that fill the message, and headers or faults that the wire may carry. Never a cause, SQL or a path. */
export interface ErrorDetails {
  readonly fields?: Readonly<Record<string, string | number>>;
  readonly errors?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only; never rendered. */
  readonly cause?: unknown;
}

/** An operating error: a code from a floor's table. A programmer's error is an assertion instead. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: string;
  readonly status: number;
  readonly explanation: string;
  readonly errors: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, spec: ErrorSpec, details: ErrorDetails = {}) {
    super(fill(spec.message, details.fields ?? {}), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.status = spec.status;
    this.explanation = spec.explanation;
    this.errors = details.errors ?? [];
    this.headers = details.headers ?? {};
  }
}

/** Makes a floor's error maker from its table: `fail("not_found", { fields })` returns the error, to be thrown. */
export function defineErrors<const T extends Record<string, ErrorSpec>>(table: T) {
  return (code: keyof T & string, details?: ErrorDetails): AppError => new AppError(code, table[code] as ErrorSpec, details);
}

/** A programmer's error: the product or the backend file is wrong, not the input. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${why}`);
}

/** Why, in one line: an error's own message, or those of the errors that it gathers. Tells of no stack and no further cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join("; ");
  if (error instanceof AppError && error.cause !== undefined) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}

function fill(message: string, fields: Readonly<Record<string, string | number>>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => (name in fields ? String(fields[name]) : whole));
}
