/** Requests and answers as data, between the sockets of app/ and the protocols: neither node:http nor fetch is known here. */
import type { Soon } from "../base/soon.ts";
import type { Actor } from "../engine/actor.ts";
import type { Timings } from "../engine/engine.ts";

export interface WireRequest {
  readonly method: string;
  /** As received, percent-encoding kept, without the query: `/api/films/1`. */
  readonly path: string;
  /** What follows `?`, as received; empty where there is none. */
  readonly search: string;
  /** By lower-case name. A header sent more than once is joined by `, ` where its grammar is a list. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Null where the request has no body. */
  readonly body: BodyReader | null;
  /** It arrived before this turn of the event loop began to take anything in. */
  readonly prompt: boolean;
}

/** Reads a body of at most that many bytes. @throws payload_too_large */
export type BodyReader = (bytesMax: number) => Promise<Uint8Array>;

export interface WireResponse {
  readonly status: number;
  /** Names and values in turn, as node:http takes them at the least cost. */
  readonly headers: readonly string[];
  /** Null where the status has no body (204, 304). */
  readonly body: string | Uint8Array | null;
  /** The Content-Security-Policy, for pages. @default that of an API: nothing may be loaded */
  readonly pagePolicy?: string;
}

/** What a protocol is told besides the request. Protocols write the parts that are for the log and for Server-Timing. */
export interface WireContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** The token of the caller's last write, as it sent it; null where it sent none. */
  readonly since: string | null;
  /** Whether that still holds of the request: not once anything has been waited for. */
  prompt: boolean;
  /** Set by the protocol after a write: the token with which a later read sees it. */
  position: string | null;
  /** Set by the protocol once it has an answer. */
  timings: Timings | null;
  /** Milliseconds that parsing took. */
  parseMs: number;
  /** What was called, for the log: `films.get`. */
  operation: string | null;
}

/** A protocol's face: null where the path is not one of its own. Fails, now or later, with an AppError for whatever it refuses. */
export type Protocol = (request: WireRequest, context: WireContext) => Soon<WireResponse> | null;
