/** A request on one screen: check, health, preflight, actor, protocols, problem, headers, log. Knows neither node:http nor fetch. */
import type { AppError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { rescue, type Soon, whenReady } from "../base/soon.ts";
import { type Actor, anonymous } from "../engine/actor.ts";
import { failWire } from "../protocols/errors.ts";
import { renderProblem, toAppError } from "../protocols/problem.ts";
import type { Protocol, WireContext, WireRequest, WireResponse } from "../protocols/wire.ts";
import type { Cors } from "./cors.ts";
import { failureLine, type Log, requestLine } from "./log.ts";
import { readTrace, requestIdOf } from "./trace.ts";

export interface ServeParts {
  /** Asked in order; the first that knows the path answers. */
  readonly protocols: readonly Protocol[];
  readonly identity: { authenticate(header: string | undefined): Soon<Actor> };
  readonly cors: Cors;
  /** Null for silence. */
  readonly log: Log | null;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Answers `/health/…` and whatever else needs no actor; null for other paths. */
  readonly open: (request: WireRequest) => WireResponse | null;
}

/** Answers a request, at once where nothing is waited for; never fails. `refused` is what the listener found wrong with it. */
export type Serve = (request: WireRequest, refused: AppError | null) => Soon<WireResponse>;

/** What is gathered about a request while it is answered. */
interface Gathered extends WireContext {
  actor: Actor;
  authMs: number;
  code: string | null;
}

export function createServe(parts: ServeParts): Serve {
  return (request, refused) => {
    const startMs = performance.now();
    const requestId = requestIdOf(request.headers["x-request-id"], parts.newId);
    const gathered: Gathered = {
      actor: anonymous,
      requestId,
      since: request.headers["holdfast-position"] ?? null,
      prompt: request.prompt,
      position: null,
      timings: null,
      parseMs: 0,
      operation: null,
      authMs: 0,
      code: null,
    };
    const response = rescue(
      () => {
        if (refused !== null) throw refused;
        return handle(request, gathered, parts);
      },
      (error) => renderFailure(error, request, { gathered, parts }),
    );
    gathered.prompt = false;
    return whenReady(response, (answered) => finish(answered, request, { gathered, parts, startMs }));
  };
}

function handle(request: WireRequest, gathered: Gathered, parts: ServeParts): Soon<WireResponse> {
  const open = parts.open(request) ?? parts.cors.preflight(request);
  if (open !== null) return open;
  const authorization = request.headers["authorization"];
  if (authorization === undefined) return dispatch(request, gathered, parts);
  const startMs = performance.now();
  return whenReady(parts.identity.authenticate(authorization), (actor) => {
    gathered.actor = actor;
    gathered.authMs = performance.now() - startMs;
    return dispatch(request, gathered, parts);
  });
}

function dispatch(request: WireRequest, gathered: Gathered, parts: ServeParts): Soon<WireResponse> {
  for (const protocol of parts.protocols) {
    const answer = protocol(request, gathered);
    if (answer !== null) return answer;
  }
  throw failWire("route_not_found");
}

interface Handling {
  readonly gathered: Gathered;
  readonly parts: ServeParts;
}

function renderFailure(thrown: unknown, request: WireRequest, { gathered, parts }: Handling): WireResponse {
  const error = toAppError(thrown);
  gathered.code = error.code;
  const { requestId } = gathered;
  if (error.status >= 500) parts.log?.line(failureLine(parts.clock(), requestId, error));
  const response = renderProblem(error, { instance: request.path, requestId });
  if (error.status === 401 && error.headers["WWW-Authenticate"] === undefined)
    return { ...response, headers: [...response.headers, "WWW-Authenticate", "Bearer"] };
  if (error.status === 503 && !Object.keys(error.headers).some((name) => name.toLowerCase() === "retry-after"))
    return { ...response, headers: [...response.headers, "Retry-After", "1"] };
  return response;
}

const apiPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Adds what every answer carries, and logs the request. */
function finish(
  response: WireResponse,
  request: WireRequest,
  { gathered, parts, startMs }: Handling & { readonly startMs: number },
): WireResponse {
  const { headers: asked } = request;
  const headers = [
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "Content-Security-Policy",
    response.pagePolicy ?? apiPolicy,
    "X-Request-Id",
    gathered.requestId,
  ];
  const ms = performance.now() - startMs;
  headers.push("Server-Timing", timingOf(gathered, ms));
  const trace = readTrace(asked["traceparent"], parts.newId);
  if (trace !== null) headers.push("traceparent", trace.traceparent);
  if (gathered.position !== null) headers.push("Holdfast-Position", gathered.position);
  parts.cors.addTo(headers, asked["origin"]);
  for (const part of response.headers) headers.push(part);
  parts.log?.line(
    requestLine({
      timeMs: parts.clock(),
      requestId: gathered.requestId,
      traceId: trace?.traceId ?? null,
      method: request.method,
      path: request.path,
      operation: gathered.operation,
      actor: gathered.actor.id,
      status: response.status,
      code: gathered.code,
      ms: rounded(ms),
    }),
  );
  return { status: response.status, headers, body: response.body };
}

// Most stages take less than a millisecond, and writing out a fraction costs more than some of them.
const fractions: readonly string[] = Array.from({ length: 1000 }, (_, microseconds) => String(microseconds / 1000));

/** Milliseconds as text, to the microsecond: as fine as the clock is. */
function rounded(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  return fractions[microseconds] ?? String(microseconds / 1000);
}

function timingOf({ timings, parseMs, authMs }: Gathered, totalMs: number): string {
  const total = `auth;dur=${rounded(authMs)}, parse;dur=${rounded(parseMs)}`;
  if (timings === null) return `${total}, total;dur=${rounded(totalMs)}`;
  const { plan, guard, compile, run, shape } = timings;
  return `${total}, plan;dur=${rounded(plan)}, guard;dur=${rounded(guard)}, compile;dur=${rounded(compile)}, run;dur=${rounded(run)}, shape;dur=${rounded(shape)}, total;dur=${rounded(totalMs)}`;
}
