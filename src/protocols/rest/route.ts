/** Finds the resource that a path names. Compares raw path segments, so that `/api/genres/%71uery` is the genre named "query". */
import type { Engine } from "../../engine/engine.ts";
import type { Model } from "../../schema/schema.ts";
import { failWire } from "../errors.ts";
import { decodePart } from "./params.ts";

export type RouteKind = "collection" | "query" | "aggregate" | "item" | "restore" | "batch" | "readAction" | "action";

export interface Route {
  readonly kind: RouteKind;
  /** The model's name, or the action's; `batch` for batches. */
  readonly name: string;
  /** Null for actions and batches. */
  readonly model: Model | null;
  /** The row's key as the engine takes it; empty for collections. */
  readonly id: string;
}

/** The route of a path below the mount point, which begins behind its slash. Decoding is the only thing done to the key. */
export function findRoute(path: string, engine: Engine): Route {
  const slash = path.indexOf("/");
  const first = slash < 0 ? path : path.slice(0, slash);
  const model = engine.schema.models.get(first);
  if (model === undefined) return findOther(path, engine);
  if (slash < 0) return { kind: "collection", name: first, model, id: "" };
  const second = path.indexOf("/", slash + 1);
  const part = second < 0 ? path.slice(slash + 1) : path.slice(slash + 1, second);
  if (part === "") throw failWire("route_not_found");
  if (second >= 0) {
    if (path.slice(second) !== "/restore" || !model.softDelete) throw failWire("route_not_found");
    return { kind: "restore", name: first, model, id: readId(part, model) };
  }
  // A GET on `/films/query` would be an item; methods sort that out, as both kinds know theirs.
  if (part === "query" || part === "aggregate") return { kind: part, name: first, model, id: part };
  return { kind: "item", name: first, model, id: readId(part, model) };
}

function findOther(path: string, engine: Engine): Route {
  if (path === "batch") return { kind: "batch", name: "batch", model: null, id: "" };
  if (!path.startsWith("actions/")) throw failWire("route_not_found");
  const name = path.slice("actions/".length);
  const operation = engine.operations.get(name);
  if (operation?.of !== "action") throw failWire("route_not_found");
  return { kind: operation.kind === "read" ? "readAction" : "action", name, model: null, id: "" };
}

// The engine's keys of several parts escape comma and percent only; on the wire each part is percent-encoded as a whole.
function readId(part: string, model: Model): string {
  if (model.key.length === 1) return decodePart(part, "the path");
  const parts = part.split(",").map((piece) => decodePart(piece, "the path"));
  return parts.map((piece) => piece.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

/** The last segment of a row's own path. */
export function writeId(id: string, model: Model): string {
  if (model.key.length === 1) return encodeURIComponent(id);
  return id
    .split(",")
    .map((piece) => encodeURIComponent(piece.replaceAll("%2C", ",").replaceAll("%25", "%")))
    .join(",");
}
