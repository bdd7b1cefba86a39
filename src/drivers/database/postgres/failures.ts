/** What PostgreSQL's SQLSTATE codes mean to the callers (postgresql.org/docs/current/errcodes-appendix.html). */
import { AppError } from "../../../base/errors.ts";
import { failDatabase, UnitRefused } from "../../database.ts";
import { refusedState } from "./functions.ts";

/** What the server, or the socket, says of an error. */
export interface ServerError extends Error {
  /** An SQLSTATE, or a system's code such as ECONNRESET. */
  readonly code?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly schema?: string;
  /** Only what the server says has one. */
  readonly severity?: string;
}

const refusals: Readonly<Record<string, string>> = {
  "23505": "unique",
  "23503": "foreign_key",
  "23001": "foreign_key",
  "23502": "not_null",
  "23514": "check",
  // An entry of an index has about 2700 bytes.
  "54000": "check",
  "23P01": "unique",
};

/** Undone through no fault of its own: run anew, it may succeed. */
export function isAborted({ code }: ServerError): boolean {
  return code === "40001" || code === "40P01";
}

/** A statement that was prepared before its table changed. */
export function isStale({ code }: ServerError): boolean {
  return code === "0A000" || code === "26000";
}

/** A later statement of a transaction that has failed already. */
export function isFollowing({ code }: ServerError): boolean {
  return code === "25P02";
}

/** Whether the server has said it; everything else is what became of the connection. */
export function isSaid({ severity }: ServerError): boolean {
  return severity !== undefined;
}

/** What the server says when it ends a connection: its own end, and those of its patience. */
const farewells: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P04", "57P05", "25P03"]);

/** Whether the connection is gone: nothing more can be asked on it, and what was asked last may or may not have happened. */
export function isLost(error: ServerError): boolean {
  const { code = "" } = error;
  return !isSaid(error) || code.startsWith("08") || farewells.has(code);
}

/** Whether the connection was given up because nothing was heard on it. */
export function isSilent({ code }: ServerError): boolean {
  return code === "ETIMEDOUT";
}

/** How a refused row is told; `columns` of a unique index are looked up by who can ask. */
export function toRefusal(error: ServerError, step: number, columns: readonly string[]): UnitRefused | null {
  if (error.code === refusedState) return new UnitRefused(error.message, step);
  const reason = refusals[error.code ?? ""];
  if (reason === undefined) return null;
  const place = { table: error.table ?? null, schema: error.schema ?? null, constraint: error.constraint ?? null };
  return new UnitRefused(reason, step, { ...place, columns: error.column === undefined ? columns : [error.column] });
}

/** What is known of the work when an error comes: that it was not done, or that it may have been. */
export type Sent = "nothing" | "a read" | "a write";

/** The error that a caller gets. `timeoutMs` is the time that the statement had. */
export function toError(error: ServerError, sent: Sent, timeoutMs = 0): Error {
  if (error instanceof AppError || error instanceof UnitRefused) return error;
  const { code = "" } = error;
  const cause = { cause: error };
  const soon = { ...cause, headers: { "Retry-After": "1" } };
  if (isLost(error)) return failDatabase(sent === "a write" ? "write_outcome_unknown" : "database_unreachable", soon);
  if (isAborted(error)) return failDatabase("database_conflict", soon);
  if (code === "57014")
    return failDatabase(sent === "a read" ? "read_timeout" : "transaction_timeout", { fields: { timeoutMs }, ...cause });
  if (code === "55P03" || code === "53300") return failDatabase("database_busy", soon);
  if (code === "25006") return failDatabase("database_read_only", soon);
  if (code === "53100") return failDatabase("database_full", cause);
  // Classes of a login that is refused, and a database that is not there.
  if (code.startsWith("28") || code === "3D000") return failDatabase("database_refused", soon);
  if (code === "42501") return failDatabase("database_denied", cause);
  return failDatabase("database_failed", cause);
}
