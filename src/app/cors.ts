/** Cross-origin sharing by an allow list: who is not on it gets no header, and the browser refuses. */
import type { WireRequest, WireResponse } from "../protocols/wire.ts";

export interface Cors {
  /** The answer to a preflight, or null where the request is none. */
  preflight(request: WireRequest): WireResponse | null;
  /** Adds what an answer to this origin needs. */
  addTo(headers: string[], origin: string | undefined): void;
}

const exposed =
  "ETag, Holdfast-Position, Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, Server-Timing, X-Request-Id";
const allowedHeaders =
  "Accept, Authorization, Content-Type, Holdfast-Position, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Request-Id, traceparent";
const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, OPTIONS";
const maxAgeS = 600;

/** `origins` as browsers send them (`https://app.example`), or `*` for all. Credentials are bearer tokens, so cookies are never allowed. */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  const any = allowed.has("*");
  const none = allowed.size === 0;

  function addTo(headers: string[], origin: string | undefined): void {
    if (none) return;
    if (any) return void headers.push("Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", exposed);
    // Caches must not give one origin's answer to another.
    headers.push("Vary", "Origin");
    if (origin !== undefined && allowed.has(origin))
      headers.push("Access-Control-Allow-Origin", origin, "Access-Control-Expose-Headers", exposed);
  }

  return Object.freeze({
    addTo,
    preflight({ method, headers }: WireRequest) {
      const { origin } = headers;
      if (method !== "OPTIONS" || origin === undefined || headers["access-control-request-method"] === undefined) return null;
      if (none || (!any && !allowed.has(origin))) return null;
      const answer = [
        "Access-Control-Allow-Methods",
        allowedMethods,
        "Access-Control-Allow-Headers",
        allowedHeaders,
        "Access-Control-Max-Age",
        String(maxAgeS),
      ];
      return { status: 204, headers: answer, body: null };
    },
  });
}
