/** Problem documents (RFC 9457) out of errors. Carries code, message and what to do; never a cause, a stack, SQL or a path. */
import { AppError, type Issue } from "../base/errors.ts";
import { failWire } from "./errors.ts";
import type { WireResponse } from "./wire.ts";

export interface Problem {
  /** Relative to the server: `/docs/errors#not_found`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path of the request. */
  readonly instance: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly Issue[];
}

/** Where it happened. */
export interface Occurrence {
  readonly instance: string;
  readonly requestId: string;
}

// A longer path would make the answer a copy of the attack.
const instanceLengthMax = 2048;

/** What an error is on the wire: anything but an AppError is `internal`. */
export function toAppError(error: unknown): AppError {
  return error instanceof AppError ? error : failWire("internal", { cause: error });
}

export function toProblem(error: AppError, { instance, requestId }: Occurrence): Problem {
  return {
    type: `/docs/errors#${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.explanation === "" ? error.message : `${error.message} ${error.explanation}`,
    instance: instance.length > instanceLengthMax ? "/" : instance,
    code: error.code,
    requestId,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
  };
}

/** The answer that carries the problem. */
export function renderProblem(error: AppError, occurrence: Occurrence): WireResponse {
  const headers = ["Content-Type", "application/problem+json", "Cache-Control", "no-store"];
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value);
  return { status: error.status, headers, body: JSON.stringify(toProblem(error, occurrence)) };
}

// The title names the kind of problem and so must not differ between two of one kind: `invalid_query` is "Invalid query".
function titleOf(code: string): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
