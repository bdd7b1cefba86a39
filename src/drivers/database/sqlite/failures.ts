/** What SQLite's extended result codes mean to the callers: the code decides, message text only names tables and columns. */
import { type databaseErrors, failDatabase, type RefusalPlace, UnitRefused } from "../../database.ts";

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
  readonly place: RefusalPlace;
}

/** Thrown inside a unit by a check or a count that did not hold. */
export class StepRefused extends Error {
  readonly refusal: Refusal;

  constructor(reason: string, step: number) {
    super(`step ${step} was refused: ${reason}`);
    this.refusal = { reason, step, place: {} };
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

/**
 * Whether a commit that failed can be taken for undone. Otherwise its frames may be whole in the log, where only SQLite's
 * index does not count them: they would be found by the next one who recovers the database after a crash.
 */
export function isCommitUndone(errcode: number): boolean {
  const primary = errcode & 0xff;
  return primary === constraint || primary === busy || errcode === full;
}

export function isFull(errcode: number): boolean {
  return (errcode & 0xff) === full || isIndexFull(errcode);
}

/** There was space for the frames of the commit, which are in the log and synced, but not for the log's index. */
export function isIndexFull(errcode: number): boolean {
  return errcode === ioErrorShmSize;
}

/** Another connection holds a lock: trying again may help. */
export function isBusy(errcode: number): boolean {
  return (errcode & 0xff) === busy;
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
  return reason === undefined ? null : { reason, step, place: placeOf(errcode, message) };
}

/** The codes whose message tells a place. */
const checkFailed = 275;
const datatypeRefused = 3091;

/**
 * Reads `UNIQUE constraint failed: films.title, films.year`, `UNIQUE constraint failed: index 'films_folded'`,
 * `CHECK constraint failed: films_price_min` and `cannot store TEXT value in INTEGER column films.year`.
 */
function placeOf(errcode: number, message: string): RefusalPlace {
  const reason = reasons.get(errcode);
  const told = message.slice(message.indexOf(": ") + 2);
  if (errcode === checkFailed) return { constraint: told };
  if (errcode === datatypeRefused) return columnsOf(/ column (.+)$/.exec(message)?.[1] ?? "");
  if (reason === "not_null") return columnsOf(told);
  if (reason !== "unique") return {};
  const index = /^index '(.*)'$/.exec(told)?.[1];
  return index === undefined ? columnsOf(told) : { constraint: index };
}

function columnsOf(list: string): RefusalPlace {
  if (!list.includes(".")) return {};
  const names = list.split(", ").map((name) => name.split("."));
  return { table: names[0]?.[0] ?? null, columns: names.map((parts) => parts.slice(1).join(".")) };
}

/** The error that the caller sees. */
export function toError(failure: Failure): Error {
  const { code, message, errcode, refusal } = failure;
  if (refusal !== undefined) return new UnitRefused(refusal.reason, refusal.step, refusal.place);
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
