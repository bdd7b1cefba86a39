/** The paths that need no actor: health for load balancers, and the index. */
import type { DatabaseState, ReplicaState } from "../drivers/database.ts";
import { failWire } from "../protocols/errors.ts";
import type { WireRequest, WireResponse } from "../protocols/wire.ts";

export interface Health {
  readonly database: () => DatabaseState;
  /** Null where there are none. */
  readonly replicas: () => readonly ReplicaState[] | null;
  readonly stopping: () => boolean;
}

const headers = ["Content-Type", "application/json", "Cache-Control", "no-store"] as const;

/** Answers `/health/live`, `/health/ready` and `/`; null for other paths. */
export function createOpenPaths(health: Health, mount: string): (request: WireRequest) => WireResponse | null {
  const index = JSON.stringify({ api: mount, openapi: "/openapi.json", docs: "/docs", health: "/health/ready" });
  return ({ path, method }) => {
    // The server as a whole (RFC 9110, section 9.3.7).
    if (path === "*")
      return { status: 204, headers: ["Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, OPTIONS"], body: null };
    if (path.length > 1 && !path.startsWith("/health/")) return null;
    const response = path === "/" ? { status: 200, headers, body: index } : answer(path, health);
    if (response === null) return null;
    if (method === "OPTIONS") return { status: 204, headers: ["Allow", "GET, HEAD, OPTIONS"], body: null };
    if (method !== "GET" && method !== "HEAD")
      throw failWire("method_not_allowed", { fields: { method }, headers: { Allow: "GET, HEAD, OPTIONS" } });
    return response;
  };
}

function answer(path: string, { database, replicas, stopping }: Health): WireResponse | null {
  if (path === "/health/live") return { status: 200, headers, body: '{"status":"live"}' };
  if (path !== "/health/ready") return null;
  const state = stopping() ? "stopping" : database();
  const followed = replicas();
  // Without a replica the primary answers: nothing is out of service.
  const told = followed === null ? {} : { replicas: followed.map((replica) => replica.state) };
  if (state === "ready") return { status: 200, headers, body: JSON.stringify({ status: state, ...told }) };
  return { status: 503, headers: [...headers, "Retry-After", "1"], body: JSON.stringify({ status: state, ...told }) };
}
