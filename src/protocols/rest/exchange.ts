/** One request on its way: what parsing and rendering share, and the reading of its body. */
import type { Engine } from "../../engine/engine.ts";
import type { Repeats } from "../../base/repeats.ts";
import type { Call } from "../../engine/call.ts";
import { failWire } from "../errors.ts";
import type { WireContext, WireRequest } from "../wire.ts";
import { assertJsonBody, type Preferences } from "./accepts.ts";
import { parseJson } from "./json-body.ts";
import type { Route } from "./route.ts";

/** What the protocol was made with. */
export interface Rest extends RestOptions {
  /** Lists by route and by what of the query string is alike: clients ask the same again and again, with other values. */
  readonly lists: Repeats<KeptList>;
}

/** What is kept of lists that differ in the values of their filters alone; no memo where a cursor stands amid the query string. */
export type KeptList = Pick<Extract<Call, { op: "list" }>, "query" | "memo">;

export interface RestOptions {
  readonly engine: Engine;
  /** With a slash in front and none behind. */
  readonly mount: string;
  readonly bodyBytesMax: number;
}

export interface Exchange {
  readonly rest: Rest;
  readonly request: WireRequest;
  readonly context: WireContext;
  readonly route: Route;
  readonly preferences: Preferences;
  /** The body as received, once it is read: for the fingerprint of a keyed request. */
  bytes: Uint8Array | null;
}

/** @throws empty_body, unsupported_media_type, payload_too_large, invalid_json */
export async function readJson(exchange: Exchange): Promise<unknown> {
  const { request, rest } = exchange;
  if (request.body === null) throw failWire("empty_body");
  assertJsonBody(request);
  exchange.bytes = await request.body(rest.bodyBytesMax);
  return parseJson(exchange.bytes);
}

/** The same, or undefined where there is no body. */
export async function readOptionalJson(exchange: Exchange): Promise<unknown> {
  return exchange.request.body === null ? undefined : readJson(exchange);
}
