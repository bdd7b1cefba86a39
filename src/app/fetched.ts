/** The fetch face: a Request becomes a request of the wire, and the answer a Response. For tests, workers and other servers. */
import { failWire } from "../protocols/errors.ts";
import type { BodyReader, WireRequest, WireResponse } from "../protocols/wire.ts";
import type { HttpLimits } from "./http-limits.ts";
import { isEncoded } from "./incoming.ts";
import type { Serve } from "./serve.ts";

/** Answers a Request in the way that the listener answers one from a socket. */
export async function answerFetch(serve: Serve, request: Request, limits: HttpLimits): Promise<Response> {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const fragment = url.indexOf("#");
  const target = url.slice(start, fragment < 0 ? undefined : fragment);
  const mark = target.indexOf("?");
  const wire: WireRequest = {
    method: request.method,
    path: mark < 0 ? target : target.slice(0, mark),
    search: mark < 0 ? "" : target.slice(mark + 1),
    headers: Object.fromEntries(request.headers),
    body: request.body === null ? null : createReader(request.body),
    prompt: false,
  };
  return toResponse(await serve(wire, findFault(target, wire, limits)), request.method);
}

function findFault(target: string, { headers }: WireRequest, limits: HttpLimits) {
  if (target.length > limits.urlBytesMax) return failWire("uri_too_long", { fields: { max: limits.urlBytesMax } });
  const entries = Object.entries(headers);
  const bytes = entries.reduce((sum, [name, value = ""]) => sum + name.length + value.length, 0);
  if (entries.length > limits.headersMax || bytes > limits.headerBytesMax) return failWire("headers_too_large");
  if (target.includes("%") && !isEncoded(target))
    return failWire("malformed_request", { fields: { fault: "the URL has wrong percent-encoding or a NUL" } });
  return null;
}

function createReader(stream: ReadableStream<Uint8Array>): BodyReader {
  return async (bytesMax) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.length;
      // Leaving the loop cancels the stream.
      if (bytes > bytesMax) throw failWire("payload_too_large", { fields: { max: bytesMax } });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
}

function toResponse({ status, headers, body }: WireResponse, method: string): Response {
  const made = new Headers();
  for (let index = 0; index < headers.length; index += 2) made.append(headers[index] as string, headers[index + 1] as string);
  const isBare = method === "HEAD" || status === 204 || status === 304;
  return new Response(isBare ? null : (body as string | Uint8Array<ArrayBuffer> | null), { status, headers: made });
}
