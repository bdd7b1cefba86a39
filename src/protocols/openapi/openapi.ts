/** Serves the OpenAPI document at /openapi.json and its human face under /docs, the page of error codes included. */
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { failWire } from "../errors.ts";
import type { Protocol, WireRequest, WireResponse } from "../wire.ts";
import { assetTypes, readAsset } from "./assets.ts";
import { type OpenapiOptions, openapiDocument, type Source } from "./document.ts";
import { errorsPage, indexPage, initScript, pagePolicy, styleSheet } from "./pages.ts";

/** A body that is kept, once made. */
interface Kept {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly packed: Uint8Array | null;
  readonly tag: string;
}

type Maker = () => Promise<{ readonly type: string; readonly body: string | Uint8Array } | null>;

const pack = promisify(gzip);
const packedFrom = 1024;
const html = "text/html; charset=utf-8";

/** The document and its pages. Nothing is made before it is asked for, and nothing twice. */
export function createOpenapi(source: Source, options: OpenapiOptions): Protocol {
  const { title, errors } = options;
  const made = new Map<string, Promise<Kept | null>>();
  const text =
    (type: string, make: () => string): Maker =>
    async () => ({ type, body: make() });
  const asset =
    (name: string, type: string): Maker =>
    async () => {
      const body = await readAsset(name);
      return body && { type, body };
    };
  const makers: ReadonlyMap<string, Maker> = new Map([
    ["/openapi.json", text("application/json", () => JSON.stringify(openapiDocument(source, options)))],
    ["/docs/", text(html, () => indexPage(title))],
    ["/docs/errors", text(html, () => errorsPage(title, errors))],
    ["/docs/init.js", text("text/javascript; charset=utf-8", () => initScript)],
    ["/docs/docs.css", text("text/css; charset=utf-8", () => styleSheet)],
    ...Object.entries(assetTypes).map(([name, type]) => [`/docs/${name}`, asset(name, type)] as const),
  ]);

  return (request, context) => {
    const { path, method } = request;
    const maker = makers.get(path);
    if (!maker && path !== "/docs") return null;
    context.operation = "docs";
    if (method !== "GET" && method !== "HEAD") return refuseMethod(method);
    // Relative, so that it holds behind a proxy that serves us under a path.
    if (!maker) return Promise.resolve({ status: 308, headers: ["Location", "docs/"], body: "" });
    const kept = made.get(path) ?? keep(maker);
    made.set(path, kept);
    return answer(kept, request);
  };
}

async function refuseMethod(method: string): Promise<WireResponse> {
  const headers = { Allow: "GET, HEAD, OPTIONS" };
  if (method === "OPTIONS") return { status: 204, headers: Object.entries(headers).flat(), body: null };
  throw failWire("method_not_allowed", { fields: { method }, headers });
}

async function keep(maker: Maker): Promise<Kept | null> {
  const made = await maker();
  if (made === null) return null;
  const { type, body } = made;
  const isPacked = body.length >= packedFrom && !type.startsWith("image/");
  return { type, body, packed: isPacked ? await pack(body) : null, tag: hash("sha256", body, "base64url").slice(0, 22) };
}

/** @throws route_not_found where the package was installed without the files of the pages */
async function answer(keeping: Promise<Kept | null>, { headers: asked }: WireRequest): Promise<WireResponse> {
  const kept = await keeping;
  if (kept === null) throw failWire("route_not_found");
  const usesPacked = kept.packed !== null && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(asked["accept-encoding"] ?? "");
  const tag = `"${kept.tag}${usesPacked ? "-gzip" : ""}"`;
  // The same address has another content after an upgrade, so it is asked for again each time, and mostly answered by 304.
  const headers = ["ETag", tag, "Cache-Control", "no-cache", "Vary", "Accept-Encoding"];
  const page = kept.type === html ? { pagePolicy } : {};
  if (isKnown(asked["if-none-match"], tag)) return { status: 304, headers, body: null, ...page };
  const typed = ["Content-Type", kept.type, ...headers, ...(usesPacked ? ["Content-Encoding", "gzip"] : [])];
  return { status: 200, headers: typed, body: usesPacked ? kept.packed : kept.body, ...page };
}

function isKnown(given: string | undefined, tag: string): boolean {
  if (given === undefined) return false;
  return given.trim() === "*" || given.split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
}
