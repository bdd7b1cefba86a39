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
}

const refusals: Readonly<Record<string, string>> = {
  "23505": "unique",
  "23503": "foreign_key",
  "23001": "foreign_key",
  "23502": "not_null",
  "23514": "check",
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

const statePattern = /^[0-9A-Z]{5}$/;

/** Whether the connection is gone: nothing more can be asked on it, and what was asked last may or may not have happened. */
export function isLost({ code }: ServerError): boolean {
  if (code === undefined || !statePattern.test(code)) return true;
  return code.startsWith("08") || code === "57P01" || code === "57P02" || code === "57P03";
}

/** How a refused row is told; `columns` of a unique index are looked up by who can ask. */
export function toRefusal(error: ServerError, step: number, columns: readonly string[]): UnitRefused | null {
  if (error.code === refusedState) return new UnitRefused(error.message, step);
  const reason = refusals[error.code ?? ""];
  if (reason === undefined) return null;
  const place = { table: error.table ?? null, constraint: error.constraint ?? null };
  return new UnitRefused(reason, step, { ...place, columns: error.column === undefined ? columns : [error.column] });
}

/** The error that a caller gets. `sent`: the work may have been done. */
export function toError(error: ServerError, sent: "nothing" | "a read" | "a write", timeoutMs = 0): Error {
  if (error instanceof AppError || error instanceof UnitRefused) return error;
  const { code = "" } = error;
  const cause = { cause: error };
  if (isLost(error))
    return failDatabase(sent === "a write" ? "write_outcome_unknown" : "database_unreachable", { ...cause, ...retrySoon });
  if (isAborted(error)) return failDatabase("database_conflict", { ...cause, ...retrySoon });
  if (code === "57014") return failDatabase("read_timeout", { fields: { timeoutMs }, ...cause });
  if (code === "55P03" || code === "53300") return failDatabase("database_busy", { ...cause, ...retrySoon });
  if (code === "25006") return failDatabase("database_read_only", cause);
  if (code === "53100") return failDatabase("database_full", cause);
  return failDatabase("database_failed", cause);
}

const retrySoon = { headers: { "retry-after": "1" } };
