/** Renders answers: status, headers and body. Rows stay the texts that the database made. */
import type { BatchResult, Call, Result } from "../../engine/call.ts";
import type { Answer, StoredAnswer } from "../../engine/engine.ts";
import { toAppError, toProblem } from "../problem.ts";
import type { WireResponse } from "../wire.ts";
import { toEtag } from "./conditions.ts";
import type { Exchange } from "./exchange.ts";
import { writeId } from "./route.ts";

const json = ["Content-Type", "application/json", "Vary", "Accept, Authorization"] as const;
const fresh = [...json, "Cache-Control", "no-store"] as const;
// May be kept by its one reader, who asks again with If-None-Match.
const revalidated = [...json, "Cache-Control", "private, no-cache"] as const;
const bare = ["Vary", "Accept, Authorization", "Cache-Control", "no-store"] as const;

/** The answer to a call, apart from what every answer carries. */
export function renderAnswer({ result }: Answer, call: Call, exchange: Exchange): WireResponse {
  const { applied } = exchange.preferences;
  const response = renderResult(result, call, exchange);
  return applied === "" ? response : { ...response, headers: [...response.headers, "Preference-Applied", applied] };
}

function renderResult(result: Result, call: Call, exchange: Exchange): WireResponse {
  switch (result.kind) {
    case "row":
      return call.op === "get" ? renderItem(result, call) : renderWritten(result, call, exchange);
    case "list":
      return renderList(result, call, exchange);
    case "aggregate":
      return { status: 200, headers: fresh, body: `{"data":[${result.rows.join(",")}]}` };
    case "rows":
      if (exchange.preferences.return === "minimal") return { status: 201, headers: bare, body: "" };
      return { status: 201, headers: fresh, body: `{"data":[${result.rows.map((row) => row ?? "null").join(",")}]}` };
    case "deleted":
      return { status: 204, headers: bare, body: null };
    case "affected":
      return { status: 200, headers: fresh, body: `{"affected":${result.count}}` };
    case "batch":
      return { status: 200, headers: fresh, body: renderBatch(result.results, exchange) };
    case "action":
      return { status: 200, headers: fresh, body: result.json };
  }
}

type RowResult = Extract<Result, { kind: "row" }>;

// The tag stands for the whole row alone: a relation may change while the row's version does not.
function renderItem(result: RowResult, call: Extract<Call, { op: "get" }>): WireResponse {
  if (call.select !== undefined) return { status: 200, headers: fresh, body: result.json };
  // Without a version nothing tells whether the row has changed.
  if (result.version === null) return { status: 200, headers: fresh, body: result.json };
  return { status: 200, headers: [...revalidated, "ETag", toEtag(result.version)], body: result.json };
}

/** The answer to a conditional GET of what the caller has already. */
export function renderUnchanged(version: number): WireResponse {
  return {
    status: 304,
    headers: ["Vary", "Accept, Authorization", "Cache-Control", "private, no-cache", "ETag", toEtag(version)],
    body: null,
  };
}

function renderWritten(result: RowResult, call: Call, { rest, route, preferences }: Exchange): WireResponse {
  const isWhole = !("returning" in call) || call.returning?.select === undefined;
  const minimal = preferences.return === "minimal" || result.json === null;
  const headers: string[] = [...(minimal ? bare : fresh)];
  if (isWhole && result.version !== null) headers.push("ETag", toEtag(result.version));
  if (result.created && route.model) headers.push("Location", `${rest.mount}/${route.name}/${writeId(result.id, route.model)}`);
  if (minimal) return result.created ? { status: 201, headers, body: "" } : { status: 204, headers, body: null };
  return { status: result.created ? 201 : 200, headers, body: result.json };
}

function renderList(result: Extract<Result, { kind: "list" }>, call: Call, { request, rest, route }: Exchange): WireResponse {
  const { next, prev, count } = result;
  const counted = count === null ? "" : `,"count":${count}`;
  const page = `],"page":{"next":${quoted(next)},"prev":${quoted(prev)}${counted}}}`;
  const body = joined('{"data":[', result.rows, page);
  if ((next === null && prev === null) || request.method === "POST" || request.method === "QUERY" || call.op !== "list")
    return { status: 200, headers: fresh, body };
  // What the links of a list begin with is kept where the list is the same to the letter.
  const memo = call.filling === undefined ? call.memo : undefined;
  const base = (memo?.get(linkBase) as string | undefined) ?? `<${rest.mount}/${route.name}?${withoutCursor(request.search)}`;
  memo?.set(linkBase, base);
  const toNext = next === null ? "" : `${base}after=${next}>; rel="next"`;
  const toPrev = prev === null ? "" : `${base}before=${prev}>; rel="prev"`;
  const link = toNext !== "" && toPrev !== "" ? `${toNext}, ${toPrev}` : toNext + toPrev;
  return { status: 200, headers: [...fresh, "Link", link], body };
}

const linkBase = "link";

/** Rows with commas, between two texts. Made in one pass: a text that is added to another is copied again when it is sent. */
function joined(before: string, rows: readonly string[], after: string): string {
  if (rows.length === 0) return before + after;
  const parts = [...rows];
  parts[0] = before + parts[0];
  parts[parts.length - 1] += after;
  return parts.join(",");
}

// A cursor has no character that JSON or a URL would escape.
function quoted(cursor: string | null): string {
  return cursor === null ? "null" : `"${cursor}"`;
}

/** The query string as received but for the page, ready to be added to. Characters that could end the link are encoded. */
function withoutCursor(search: string): string {
  const turned = mayTurn.test(search) ? search.replace(turning, "") : search;
  const kept = turned.replace(/[^\x21\x23-\x3b\x3d\x3f-\x7e]/g, encodeURIComponent);
  return kept === "" || kept.endsWith("&") ? kept : `${kept}&`;
}

// Empty pairs go as well.
const mayTurn = /(?:^|&)(?:after|before|page|&|$)/i;
const turning = /(?<=^|&)(?:(?:after|before|page(?:\[|%5B)number(?:\]|%5D))(?:=[^&]*)?)?(?:&|$)/gi;

function renderBatch(results: readonly BatchResult[], exchange: Exchange): string {
  return `{"results":[${results.map((result) => renderBatchResult(result, exchange)).join(",")}]}`;
}

function renderBatchResult({ id, result, error }: BatchResult, { context, request }: Exchange): string {
  const named = id === null ? "" : `"id":${JSON.stringify(id)},`;
  if (result === null) {
    const problem = toProblem(toAppError(error), { instance: request.path, requestId: context.requestId });
    return `{${named}"status":${problem.status},"error":${JSON.stringify(problem)}}`;
  }
  switch (result.kind) {
    case "row":
      return `{${named}"status":${result.created ? 201 : 200},${versionOf(result)}"data":${result.json ?? "null"}}`;
    case "action":
      return `{${named}"status":200,"data":${result.json}}`;
    case "deleted":
      return `{${named}"status":204}`;
    default:
      return `{${named}"status":200}`;
  }
}

function versionOf({ version }: RowResult): string {
  return version === null ? "" : `"version":${version},`;
}

/** The rendered answer as it is kept for a repetition of a keyed request. */
export function toStored({ status, headers, body }: WireResponse): StoredAnswer {
  const kept: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) kept[headers[index] as string] = headers[index + 1] as string;
  return { status, headers: kept, body: typeof body === "string" ? body : "" };
}

export function fromStored({ status, headers, body }: StoredAnswer, replayed: boolean): WireResponse {
  const flat = Object.entries(headers).flat();
  if (replayed) flat.push("Idempotency-Replayed", "true");
  return { status, headers: flat, body: status === 204 ? null : body };
}
