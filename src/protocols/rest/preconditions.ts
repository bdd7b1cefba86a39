/** Puts the preconditions of writes (RFC 9110, section 13) into the call, so that they are judged where the write is. */
import { AppError } from "../../base/errors.ts";
import type { Call } from "../../engine/call.ts";
import { fail } from "../../engine/errors.ts";
import { badHeader } from "../errors.ts";
import { readTags, versionsOf } from "./conditions.ts";
import type { Exchange } from "./exchange.ts";

type Versioned = Extract<Call, { op: "update" | "put" | "delete" }>;

// No row ever has this version: a tag that can match nothing fails where the row is there, and is not_found where it is not.
const noVersion = -1;

/** The call with the version that If-Match names. @throws invalid_header, precondition_failed */
export async function withPrecondition(call: Call, exchange: Exchange): Promise<Call> {
  const { headers } = exchange.request;
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  if (ifMatch === undefined && ifNoneMatch === undefined) return call;
  if (call.op !== "update" && call.op !== "put" && call.op !== "delete") {
    throw badHeader(ifMatch === undefined ? "If-None-Match" : "If-Match", "this resource has no version");
  }
  const conditional = ifNoneMatch === undefined ? call : await whereAbsent(call, ifNoneMatch, exchange);
  return ifMatch === undefined ? conditional : whereMatched(conditional, ifMatch, exchange);
}

async function whereMatched(call: Versioned, ifMatch: string, exchange: Exchange): Promise<Call> {
  const tags = readTags("If-Match", ifMatch);
  if (!exchange.route.model?.version) throw fail("no_version", { fields: { model: call.model } });
  // Where there is no row, these two say not_found by themselves.
  if (tags === "*" && call.op !== "put") return call;
  const versions = tags === "*" ? [] : versionsOf(tags);
  if (tags !== "*" && versions.length < 2) return { ...call, ifVersion: versions[0] ?? noVersion };
  // The write stays conditional: reading first only picks which of the versions to ask for.
  const current = await versionNow(call, exchange);
  if (current === null || (tags !== "*" && !versions.includes(current))) throw fail("precondition_failed");
  return { ...call, ifVersion: current };
}

async function whereAbsent(call: Versioned, ifNoneMatch: string, exchange: Exchange): Promise<Versioned> {
  if (call.op !== "put" || readTags("If-None-Match", ifNoneMatch) !== "*")
    throw badHeader("If-None-Match", "a write takes it with PUT and * only; use If-Match");
  if ((await versionNow(call, exchange)) !== null) throw fail("precondition_failed");
  return { ...call, ifVersion: 0 };
}

/** Null where there is no row; 0 for a row whose model keeps no version. */
async function versionNow({ model, id }: Versioned, { rest, context }: Exchange): Promise<number | null> {
  try {
    const { result } = await rest.engine.execute({ op: "get", model, id }, context);
    return result.kind === "row" ? (result.version ?? 0) : null;
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return null;
    throw error;
  }
}
