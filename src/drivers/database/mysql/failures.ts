/** What the error numbers of MariaDB and MySQL mean to the callers (mariadb.com/kb/en/mariadb-error-codes, dev.mysql.com/doc/mysql-errors): the number decides, text only names places. */
import { AppError } from "../../../base/errors.ts";
import { failDatabase, type RefusalPlace, UnitRefused } from "../../database.ts";

/** What the server, the library or the socket says of an error. */
export interface ServerError extends Error {
  /** The server's number; undefined where the server did not speak. */
  readonly errno?: number;
  readonly code?: string;
  readonly sqlMessage?: string;
  /** The library gives up the connection. */
  readonly fatal?: boolean;
}

const refusals: ReadonlyMap<number, string> = new Map([
  [1062, "unique"],
  [1586, "unique"],
  [1216, "foreign_key"],
  [1217, "foreign_key"],
  [1451, "foreign_key"],
  [1452, "foreign_key"],
  [1048, "not_null"],
  [1364, "not_null"],
  [4025, "check"],
  [3819, "check"],
  [1264, "check"],
  [1265, "check"],
  [1292, "check"],
  [1366, "check"],
  [1406, "check"],
]);

const serverMin = 1000;
const lost: ReadonlySet<number> = new Set([1053, 1077, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 4031]);
/** 3101: a group of servers has settled on another's. 1467: a deadlock over the lock under which a table gives its numbers, which the server tells as if it had none left. */
const aborted: ReadonlySet<number> = new Set([1020, 1213, 1467, 3101]);
const busy: ReadonlySet<number> = new Set([1040, 1203, 1205, 1226]);
const lockWaited = 1205;
const readOnly: ReadonlySet<number> = new Set([1290, 1792, 1836]);
const full: ReadonlySet<number> = new Set([1021, 1114]);
/** Who comes is not let in: user, password, the right to enter, or the database itself are not there. */
const refused: ReadonlySet<number> = new Set([1044, 1045, 1049, 1251, 1524, 1698, 3118, 4151]);
/** Who is in may not do this. */
const denied: ReadonlySet<number> = new Set([1142, 1143, 1227, 1370]);
const timedOut: ReadonlySet<number> = new Set([1969, 3024]);

const is = (numbers: ReadonlySet<number>, { errno }: ServerError) => errno !== undefined && numbers.has(errno);

/** Undone whole through no fault of its own: run anew, it may succeed. */
export function isAborted(error: ServerError): boolean {
  return is(aborted, error);
}

/** A lock was not to be had in time: the statement left nothing. */
export function isWaited({ errno }: ServerError): boolean {
  return errno === lockWaited;
}

/** Whether server, library or socket say it: what our own code throws has neither number nor code. */
export function isServerError(error: unknown): error is ServerError {
  const { errno, code, fatal } = error as ServerError;
  return !(error instanceof AppError) && (errno !== undefined || code !== undefined || fatal !== undefined);
}

/** Whether the connection is gone: nothing more can be asked on it. */
export function isLost(error: ServerError): boolean {
  const isServers = error.errno !== undefined && error.errno >= serverMin;
  return isServerError(error) && (error.fatal === true || !isServers || is(lost, error));
}

/** Whether the server does not let us in. */
export function isRefused(error: ServerError): boolean {
  return is(refused, error);
}

/** Whether the connection was given up, or could not be opened, because nothing was heard. */
export function isSilent({ code }: ServerError): boolean {
  return code === "ETIMEDOUT";
}

/** Whether time has run out: it would again. */
export function isLate(error: ServerError): boolean {
  return is(busy, error) || is(timedOut, error);
}

/** What the statement that was refused is about. */
export interface RefusedAt {
  readonly step: number;
  readonly text: string;
  /** The columns of an index of a table. */
  readonly columnsOf: (table: string, index: string) => Promise<readonly string[]>;
}

/** How a refused row is told; null where the error is none. */
export async function toRefusal(error: ServerError, { step, text, columnsOf }: RefusedAt): Promise<UnitRefused | null> {
  const reason = refusals.get(error.errno ?? 0);
  if (reason === undefined) return null;
  const table = tableIn(text);
  const told = placeOf(reason, error.sqlMessage ?? "");
  const { constraint } = told;
  if (reason !== "unique" || table === null || typeof constraint !== "string")
    return new UnitRefused(reason, step, { table, ...told });
  return new UnitRefused(reason, step, { table, constraint, columns: await columnsOf(table, constraint) });
}

const name = String.raw`(?:"((?:[^"]|"")+)"|\x60([^\x60]+)\x60|(\w+))`;
const writing = new RegExp(String.raw`^\s*(?:insert\s+(?:ignore\s+)?into|update|delete\s+from|alter\s+table)\s+${name}`, "i");

/** The table that a statement changes. */
function tableIn(text: string): string | null {
  const [, quoted, ticked, plain] = writing.exec(text) ?? [];
  return quoted?.replaceAll('""', '"') ?? ticked ?? plain ?? null;
}

/**
 * Reads `Duplicate entry 'x' for key 'films_title'`, `Column 'title' cannot be null`, `Field 'title' doesn't have a default value`,
 * `Data too long for column 'title' at row 1`, "CONSTRAINT `films_price_min` failed for `db`.`films`" and, of MySQL,
 * `Check constraint 'films_price_min' is violated.`
 */
function placeOf(reason: string, told: string): RefusalPlace {
  if (reason === "unique") {
    const key = /for key '(?:.*\.)?([^']*)'$/.exec(told)?.[1];
    return key === undefined ? {} : { constraint: key };
  }
  const column = /(?:column|Column|Field) '([^']*)'/.exec(told)?.[1] ?? /\.`([^`]*)` at row/.exec(told)?.[1];
  if (column !== undefined) return { columns: [column] };
  const constraint = /^CONSTRAINT `([^`]*)` failed/.exec(told)?.[1] ?? /^Check constraint '(.*)' is violated/.exec(told)?.[1];
  return constraint === undefined ? {} : { constraint };
}

/** The error that a caller gets. `sent`: what may have been done though nobody heard of it. */
export function toError(error: ServerError, sent: "nothing" | "a commit", timeoutMs = 0): Error {
  if (!isServerError(error)) return error;
  const cause = { cause: error };
  if (isRefused(error)) return failDatabase("database_refused", { ...cause, ...retrySoon });
  if (is(denied, error)) return failDatabase("database_denied", cause);
  if (isLost(error))
    return failDatabase(sent === "a commit" ? "write_outcome_unknown" : "database_unreachable", { ...cause, ...retrySoon });
  if (isAborted(error)) return failDatabase("database_conflict", { ...cause, ...retrySoon });
  if (is(timedOut, error)) return failDatabase("read_timeout", { fields: { timeoutMs }, ...cause });
  if (is(busy, error)) return failDatabase("database_busy", { ...cause, ...retrySoon });
  if (is(readOnly, error)) return failDatabase("database_read_only", cause);
  if (is(full, error)) return failDatabase("database_full", cause);
  return failDatabase("database_failed", cause);
}

const retrySoon = { headers: { "retry-after": "1" } };
