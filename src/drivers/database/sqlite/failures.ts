/** What SQLite's extended result codes mean to the callers: the code decides, message text only names tables and columns. */
import { databaseErrors, failDatabase, UnitRefused } from "../../database.ts";

/**
 * A failure as plain data that crosses threads.
 * `aborted`: undone through no fault of its own, may be run anew; `assertion`: the caller's program is wrong.
 */
export interface Failure {
  readonly code: keyof typeof databaseErrors | "refused" | "aborted" | "assertion";
  readonly message: string;
  /** SQLite's extended result code, 0 where SQLite was not involved. */
  readonly errcode: number;
  readonly refusal?: Refusal;
  readonly fields?: Readonly<Record<string, number>>;
}

export interface Refusal {
  readonly reason: string;
  readonly step: number;
  readonly table: string | null;
  readonly columns: readonly string[];
}

/** Thrown inside a unit by a check or a count that did not hold. */
export class StepRefused extends Error {
  readonly refusal: Refusal;

  constructor(reason: string, step: number) {
    super(`step ${step} was refused: ${reason}`);
    this.refusal = Object.freeze({ reason, step, table: null, columns: [] });
  }
}

const busy = 5;
const readOnly = 8;
const ioError = 10;
const full = 13;
const constraint = 19;

/** The log's index could not grow: there is no space, and no data was involved. */
const ioErrorShmSize = 4874;
/** Reading, locking and memory: these say nothing about what has reached the disk. */
const ioErrorsHarmless: ReadonlySet<number> = new Set([
  266, 522, 1802, 2058, 2314, 3082, 3338, 3594, 3850, 4618, 5130, 5386, 6154, 6410, 8458, 8714,
]);

/** Whether what SQLite believes to be on the disk may not be there. At a commit any I/O error leaves that open. */
export function isSyncLost(errcode: number, committing: boolean): boolean {
  if ((errcode & 0xff) !== ioError || errcode === ioErrorShmSize) return false;
  return committing || !ioErrorsHarmless.has(errcode);
}

export function isFull(errcode: number): boolean {
  return (errcode & 0xff) === full || errcode === ioErrorShmSize;
}

/** A busy that comes at once, not after waiting for the lock: trying again may help. */
export function isBusyForNow(errcode: number): boolean {
  return (errcode & 0xff) === busy && errcode !== busy;
}

/** Describes whatever a statement threw. `step` is its place in the unit. */
export function describe(error: unknown, step = 0): Failure {
  if (error instanceof StepRefused) return { code: "refused", message: error.message, errcode: 0, refusal: error.refusal };
  const { errcode, message, code, syscall } = error as NodeJS.ErrnoException & { errcode?: unknown };
  if (syscall !== undefined) return { code: code === "ENOSPC" ? "database_full" : "database_failed", message, errcode: 0 };
  if (typeof errcode !== "number") return { code: "assertion", message: String(message ?? error), errcode: 0 };
  const refusal = (errcode & 0xff) === constraint ? refusalOf(errcode, message, step) : null;
  if (refusal !== null) return { code: "refused", message, errcode, refusal };
  return { code: codeOf(errcode), message, errcode };
}

function codeOf(errcode: number): keyof typeof databaseErrors {
  if (isFull(errcode)) return "database_full";
  const primary = errcode & 0xff;
  if (primary === busy || primary === 6) return "database_busy";
  if (primary === readOnly) return "database_read_only";
  return "database_failed";
}

const reasons: ReadonlyMap<number, string> = new Map([
  [275, "check"],
  [787, "foreign_key"],
  [1299, "not_null"],
  [1555, "unique"],
  [1811, "check"],
  [2067, "unique"],
  [2579, "unique"],
  [3091, "check"],
]);

function refusalOf(errcode: number, message: string, step: number): Refusal | null {
  const reason = reasons.get(errcode);
  if (reason === undefined) return null;
  const place = reason === "unique" || reason === "not_null" ? placeOf(message) : { table: null, columns: [] };
  return { reason, step, ...place };
}

/** Reads `UNIQUE constraint failed: films.title, films.year`; of an index on an expression SQLite tells only the name. */
function placeOf(message: string): { table: string | null; columns: readonly string[] } {
  const list = message.slice(message.indexOf(": ") + 2);
  if (list.startsWith("index '")) return { table: null, columns: [] };
  const names = list.split(", ").map((name) => name.split("."));
  return { table: names[0]?.[0] ?? null, columns: names.map((parts) => parts.slice(1).join(".")) };
}

/** The error that the caller sees. */
export function toError(failure: Failure): Error {
  const { code, message, errcode, refusal } = failure;
  if (refusal !== undefined) return new UnitRefused(refusal.reason, refusal.step, refusal.table, refusal.columns);
  if (code === "assertion" || code === "refused") return new Error(message);
  const cause = new Error(errcode === 0 ? message : `${message} (SQLite result ${errcode})`);
  return failDatabase(code === "aborted" ? "database_failed" : code, { cause, fields: failure.fields ?? {} });
}

/** What is wrong with a value that a thread or SQLite would refuse or change in silence; null when it can be bound. */
export function faultOf(value: unknown): string | null {
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return null;
  if (typeof value === "number") return Number.isNaN(value) ? "is not a number" : null;
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? null : "is over 64 bits";
  return `is ${typeof value}, which no database binds`;
}
