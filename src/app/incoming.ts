/** Makes a request of the wire out of node's, and finds what HTTP leaves to the server to refuse. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AppError } from "../base/errors.ts";
import { failWire } from "../protocols/errors.ts";
import { type BodyReader, type WireRequest } from "../protocols/wire.ts";
import type { HttpLimits } from "./http-limits.ts";

export interface Received {
  readonly request: WireRequest;
  readonly refused: AppError | null;
}

export interface Receiving {
  /** Asked to go on where the client waits for it (Expect: 100-continue); otherwise null. */
  readonly waiting: ServerResponse | null;
  /** It arrived before this turn of the event loop. */
  readonly prompt: boolean;
  readonly limits: HttpLimits;
}

export function receive(req: IncomingMessage, { waiting, prompt, limits }: Receiving): Received {
  const refused = findFault(req, limits);
  const target = originForm(req.url ?? "/");
  const mark = target.indexOf("?");
  const request: WireRequest = {
    method: req.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    search: mark < 0 ? "" : target.slice(mark + 1),
    headers: req.headers as WireRequest["headers"],
    body: hasBody(req) ? createReader(req, waiting) : null,
    prompt,
  };
  return { request, refused };
}

function malformed(fault: string): AppError {
  return failWire("malformed_request", { fields: { fault } });
}

function findFault(req: IncomingMessage, limits: HttpLimits): AppError | null {
  const url = req.url ?? "";
  if (url.length > limits.urlBytesMax) return failWire("uri_too_long", { fields: { max: limits.urlBytesMax } });
  const { rawHeaders } = req;
  if (rawHeaders.length > limits.headersMax * 2) return failWire("headers_too_large");
  let bytes = 0;
  let hosts = 0;
  let credentials = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    bytes += name.length + (rawHeaders[index + 1] as string).length;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
    else if (name.length === 13 && name.toLowerCase() === "authorization") credentials++;
  }
  if (bytes > limits.headerBytesMax) return failWire("headers_too_large");
  if (hosts > 1) return malformed("it has more than one Host");
  if (hosts === 0 && req.httpVersion === "1.1") return malformed("it has no Host");
  if (credentials > 1) return malformed("it has more than one Authorization");
  return findTargetFault(url, req);
}

const visible = /^[\x21-\x7e]+$/;
const absolute = /^https?:\/\/([^/?#]*)([/?]|$)/i;

function findTargetFault(url: string, req: IncomingMessage): AppError | null {
  if (req.method === "TRACE")
    return failWire("method_not_allowed", {
      fields: { method: "TRACE" },
      headers: { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, OPTIONS" },
    });
  if (!visible.test(url)) return malformed("the URL has characters that must be percent-encoded");
  if (url.includes("%") && !isEncoded(url)) return malformed("the URL has wrong percent-encoding or a NUL");
  if (url.charCodeAt(0) === 0x2f || (url === "*" && req.method === "OPTIONS")) return null;
  // RFC 9112, section 3.2.2: the target's authority is what counts, and another Host is an attack or a mistake.
  const authority = absolute.exec(url)?.[1];
  if (authority === undefined) return malformed("the target of the request is neither a path nor a URL");
  return authority.toLowerCase() === (req.headers.host ?? "").toLowerCase()
    ? null
    : malformed("the URL and Host name different servers");
}

/** Percent-encoding as it must be in any URL, fetch's too: two hexadecimal digits, UTF-8, no NUL. */
export function isEncoded(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes("\0");
  } catch {
    return false;
  }
}

function originForm(url: string): string {
  if (url.charCodeAt(0) === 0x2f || url === "*") return url;
  const rest = url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function hasBody(req: IncomingMessage): boolean {
  const length = req.headers["content-length"];
  return (length !== undefined && length !== "0") || req.headers["transfer-encoding"] !== undefined;
}

// A body this much over the limit is read to its end, so that the client gets to read the answer; beyond, the connection is closed.
const drainBytesMax = 33_554_432;

function createReader(req: IncomingMessage, res: ServerResponse | null): BodyReader {
  return (bytesMax) =>
    new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      const tooLarge = () => reject(failWire("payload_too_large", { fields: { max: bytesMax } }));
      if (Number(req.headers["content-length"] ?? 0) > bytesMax + drainBytesMax) return tooLarge();
      req.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
        if (bytes <= bytesMax) chunks.push(chunk);
        else chunks.length = 0;
        if (bytes > bytesMax + drainBytesMax) tooLarge();
      });
      req.on("end", () =>
        bytes > bytesMax ? tooLarge() : resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)),
      );
      req.on("error", () => reject(malformed("its body ended early")));
      req.on("aborted", () => reject(malformed("its body ended early")));
      res?.writeContinue();
    });
}
