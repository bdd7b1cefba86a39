/** REST: parses requests into calls and renders answers, as API.md's table says. No SQL, no rules; the only names known are routes. */
import { hash } from "node:crypto";
import { createRepeats } from "../../base/repeats.ts";
import { AppError } from "../../base/errors.ts";
import { rescue, type Soon, whenReady } from "../../base/soon.ts";
import { type Call, isReadCall } from "../../engine/call.ts";
import type { Answer, KeyedCall } from "../../engine/engine.ts";
import { fail } from "../../engine/errors.ts";
import { failWire } from "../errors.ts";
import type { Protocol, WireContext, WireRequest, WireResponse } from "../wire.ts";
import { assertAcceptsJson, readPreferences } from "./accepts.ts";
import { allowOf, type CallReader, isRead, methodsOf, takesBody } from "./calls.ts";
import { isKnown, readKey, readTags } from "./conditions.ts";
import type { Exchange, Rest, RestOptions } from "./exchange.ts";
import { pointIntoRequest } from "./pointers.ts";
import { fromStored, renderAnswer, renderUnchanged, toStored } from "./render.ts";
import { findRoute, type Route } from "./route.ts";
import { withPrecondition } from "./preconditions.ts";

export type { RestOptions } from "./exchange.ts";

/** Query strings of lists that are kept parsed. */
export const listsKeptMax = 1000;

/** The REST face of an engine, for every path below the mount point. */
export function createRest(options: RestOptions): Protocol {
  const rest: Rest = { ...options, lists: createRepeats(listsKeptMax) };
  const prefix = `${rest.mount}/`;
  return (request, context) => {
    if (!request.path.startsWith(prefix)) return null;
    return answer(rest, request, context);
  };
}

/** One request: route, call, execute, render. */
function answer(rest: Rest, request: WireRequest, context: WireContext): Soon<WireResponse> {
  const startMs = performance.now();
  const route = findRoute(request.path.slice(rest.mount.length + 1), rest.engine);
  context.operation = operationOf(route, request.method);
  if (request.method === "OPTIONS") return { status: 204, headers: ["Allow", allowOf(route.kind)], body: null };
  const reader = readerOf(route, request);
  const exchange: Exchange = {
    rest,
    request,
    context,
    route,
    preferences: readPreferences(request.headers["prefer"]),
    bytes: null,
  };
  return whenReady(reader(exchange), (call) => {
    context.parseMs = performance.now() - startMs;
    return rescue(
      () => (isRead(reader) ? executeRead(call, exchange) : executeWrite(call, exchange)),
      (error) => {
        throw error instanceof AppError ? pointIntoRequest(error, call, request.search) : error;
      },
    );
  });
}

/** @throws method_not_allowed, not_acceptable, unexpected_body */
function readerOf(route: Route, request: WireRequest): CallReader {
  const { method, headers } = request;
  const methods = methodsOf[route.kind];
  const reader = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (reader === undefined) throw failWire("method_not_allowed", { fields: { method }, headers: { Allow: allowOf(route.kind) } });
  assertAcceptsJson(headers["accept"]);
  if (request.body !== null && !takesBody(reader)) throw failWire("unexpected_body", { fields: { method } });
  return reader;
}

function operationOf(route: Route, method: string): string {
  if (route.kind === "item") return `${route.name}.${method === "GET" ? "get" : method.toLowerCase()}`;
  return route.model ? `${route.name}.${route.kind === "collection" ? method.toLowerCase() : route.kind}` : route.name;
}

function executeRead(call: Call, exchange: Exchange): Soon<WireResponse> {
  const { rest, context } = exchange;
  const answer = isReadCall(call) ? rest.engine.read(call, context) : rest.engine.execute(call, context);
  return whenReady(answer, (answered) => {
    context.timings = answered.timings;
    return renderRead(answered, call, exchange);
  });
}

/** The answer to a read, unless its preconditions say otherwise. */
function renderRead(answered: Answer, call: Call, exchange: Exchange): WireResponse {
  const { result } = answered;
  const { request } = exchange;
  if (call.op === "get" && call.select === undefined && result.kind === "row" && result.version !== null) {
    const ifMatch = request.headers["if-match"];
    if (ifMatch !== undefined && !isMatched(ifMatch, result.version)) throw fail("precondition_failed");
    const ifNoneMatch = request.headers["if-none-match"];
    if (ifNoneMatch !== undefined && isKnown(readTags("If-None-Match", ifNoneMatch), result.version))
      return renderUnchanged(result.version);
  }
  return renderAnswer(answered, call, exchange);
}

function isMatched(ifMatch: string, version: number): boolean {
  const tags = readTags("If-Match", ifMatch);
  return tags === "*" || tags.some(({ value, weak }) => !weak && value === String(version));
}

async function executeWrite(unconditional: Call, exchange: Exchange): Promise<WireResponse> {
  const { rest, request, context } = exchange;
  const key = readKey(request.headers["idempotency-key"]);
  const call = await withPrecondition(unconditional, exchange);
  const render = (answered: Answer) => renderAnswer(answered, call, exchange);
  if (key === null) {
    const answered = await rest.engine.execute(call, context);
    context.timings = answered.timings;
    context.position = answered.position ?? null;
    return render(answered);
  }
  const keyed: KeyedCall = {
    scope: scopeOf(exchange),
    key,
    fingerprint: fingerprintOf(exchange),
    render: (answered) => toStored(render(answered)),
  };
  const { stored, replayed, answer: answered, position } = await rest.engine.executeOnce(call, context, keyed);
  context.timings = answered?.timings ?? null;
  context.position = position ?? null;
  return fromStored(stored, replayed);
}

/** Principal and route; all anonymous callers are one. */
function scopeOf({ context, request }: Exchange): string {
  const { kind, id } = context.actor;
  return `${kind}:${id ?? ""} ${request.method} ${request.path}`;
}

function fingerprintOf({ request, bytes }: Exchange): string {
  const head = Buffer.from(`${request.method}\n${request.path}\n${request.search}\n`);
  return hash("sha256", bytes === null ? head : Buffer.concat([head, bytes]), "hex");
}
