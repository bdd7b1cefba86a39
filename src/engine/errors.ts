/** The engine's error table: everything a call may be refused with, whatever the protocol. */
import { AppError, defineErrors, type Issue } from "../base/errors.ts";

export const engineErrors = {
  unauthenticated: {
    status: 401,
    message: "Sign in to do this.",
    explanation: "The request carries no credentials and anonymous callers may not do this. Send a bearer token.",
  },
  forbidden: {
    status: 403,
    message: "You may not do this.",
    explanation:
      "The access rules do not allow this action to this actor, or not with these values. `holdfast explain` says which clause decided.",
  },
  not_found: {
    status: 404,
    message: "There is no such resource.",
    explanation: "It does not exist, is in the trash, or the actor may not read it; the answer does not tell which.",
  },
  invalid_query: {
    status: 400,
    message: "The query is not understood.",
    explanation:
      "`errors` names each unknown field, operator or unfit value. A field that the actor may not read answers as one that does not exist.",
  },
  invalid_input: {
    status: 422,
    message: "The input does not fit.",
    explanation: "`errors` has a JSON pointer and a reason for each fault. Nothing was written.",
  },
  invalid_cursor: {
    status: 400,
    message: "The cursor does not belong to this query.",
    explanation: "A cursor is good for the same filter, sort, fields and actor that it was made for. Start again without it.",
  },
  position_lost: {
    status: 410,
    message: "The record at this position is not in the feed.",
    explanation:
      "The database was restored to an earlier time, or is another one than the position is of: what has come since then would be skipped. Read from the beginning, or from a position that was kept before that.",
  },
  sum_out_of_range: {
    status: 422,
    message: "A sum does not fit into 64 bits.",
    explanation:
      "Sums are exact, so one that is too large is refused rather than rounded. Narrow the filter, or ask for the average.",
  },
  limit_exceeded: {
    status: 400,
    message: "The request exceeds {limit}: at most {max}.",
    explanation: "Every size has a named limit; docs/reference/limits.md lists them with their defaults.",
  },
  conflict: {
    status: 409,
    message: "Another row has the same {fields}.",
    explanation: "A unique constraint would be broken. Nothing was written.",
  },
  still_referenced: {
    status: 409,
    message: "Other rows still refer to this one.",
    explanation: "Delete or change them first, or declare the relation with onDelete.",
  },
  write_conflict: { status: 409, message: "The row was changed at the same time.", explanation: "Read it again and retry." },
  precondition_failed: {
    status: 412,
    message: "The row is no longer at that version.",
    explanation: "Somebody changed it since you read it. Read it again, and send its new version.",
  },
  precondition_required: {
    status: 428,
    message: "Say which version you change.",
    explanation: "The model requires If-Match with the row's version, so that no change overwrites another unseen.",
  },
  no_version: {
    status: 400,
    message: "Rows of {model} have no version.",
    explanation:
      "The table was adopted as it is, without a column that counts changes, so If-Match has nothing to compare. Leave it out.",
  },
  too_many_affected: {
    status: 409,
    message: "More than {max} rows match.",
    explanation: "A bulk write changes at most maxAffected rows, or none. Nothing was written.",
  },
  idempotency_in_progress: {
    status: 409,
    message: "A request with this idempotency key is still running.",
    explanation: "Wait for its answer, then repeat the request to get it.",
  },
  idempotency_mismatch: {
    status: 422,
    message: "This idempotency key was used for another request.",
    explanation: "A key stands for one request with one body. Use a new one.",
  },
  unknown_operation: {
    status: 404,
    message: "There is no such operation.",
    explanation: "The backend has no model or action of this name.",
  },
} as const;

export const fail = defineErrors(engineErrors);

/** A query that is not understood, at one place of it. */
export function badQuery(pointer: string, code: string, message: string): AppError {
  return fail("invalid_query", { errors: [{ pointer, code, message }] });
}

/** Input that does not fit. */
export function badInput(errors: readonly Issue[]): AppError {
  return fail("invalid_input", { errors });
}

/** The same error, with a place where it names none; what is no AppError stays what it is. */
export function pointingAt(error: unknown, pointer: string): unknown {
  if (!(error instanceof AppError) || error.errors.length > 0) return error;
  const { code, status, message, explanation, headers } = error;
  return new AppError(code, { status, message, explanation }, { errors: [{ pointer, code, message }], headers, cause: error });
}
