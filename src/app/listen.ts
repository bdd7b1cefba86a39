/** The listener: node:http with every limit set, one write per answer, answers that leave together, and a stop that lets requests in flight finish. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AppError } from "../base/errors.ts";
import { whenReady } from "../base/soon.ts";
import { failWire } from "../protocols/errors.ts";
import { renderProblem } from "../protocols/problem.ts";
import type { WireResponse } from "../protocols/wire.ts";
import { createDepartures } from "./departures.ts";
import type { HttpLimits } from "./http-limits.ts";
import { receive } from "./incoming.ts";
import type { Serve } from "./serve.ts";

export interface ListenOptions {
  readonly port: number;
  readonly host: string;
  readonly limits: HttpLimits;
  readonly newId: () => string;
}

export interface Listener {
  readonly port: number;
  /** Takes no more connections, lets requests in flight finish within `stopTimeoutMs`, then closes what is left. */
  stop(): Promise<void>;
}

// What the parser takes: more than the limits allow, so that what is over them gets its proper answer.
const parserBytesMax = 262_144;
// Node's loop takes in 1024 events by one poll, and polls once more in the same turn where there were as many.
const polledAtOnce = 900;

/** Resolves when it listens. Port 0 takes a free one. */
export function listen(serve: Serve, options: ListenOptions): Promise<Listener> {
  const { limits } = options;
  const state = { stopping: false, connections: 0 };
  const depart = createDepartures(() => performance.now());
  const settings: ServerOptions & { readonly optimizeEmptyRequests: boolean } = {
    maxHeaderSize: parserBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    requireHostHeader: false,
    noDelay: true,
    // A request without a body needs no stream that ends. Newer than the types.
    optimizeEmptyRequests: true,
  };
  const server = createServer(settings);
  // One more than the limit, as node drops the rest without a word.
  server.maxHeadersCount = limits.headersMax + 1;
  server.maxConnections = limits.connectionsMax;
  // Among workers a connection over the limit would be handed from one to the next for ever.
  Object.assign(server, { dropMaxConnection: true });

  function answer(req: IncomingMessage, res: ServerResponse, isWaiting: boolean): void {
    // One behind another on its connection has no socket yet, and may have arrived just now.
    const prompt = res.socket !== null && state.connections <= polledAtOnce;
    const { request, refused } = receive(req, { waiting: isWaiting ? res : null, prompt, limits });
    const response = serve(request, refused);
    // What comes at once may come before the body, which is then no reason to close the connection.
    void whenReady(request.body === null ? response : Promise.resolve(response), (answered) =>
      depart(() => send(res, answered, state.stopping || (request.body !== null && !req.complete))),
    );
  }
  server.on("connection", (socket: Socket) => {
    state.connections++;
    socket.once("close", () => state.connections--);
  });
  server.on("request", (req, res) => answer(req, res, false));
  server.on("checkContinue", (req, res) => answer(req, res, true));
  server.on("connect", (_req, socket) =>
    refuse(
      socket,
      failWire("method_not_allowed", {
        fields: { method: "CONNECT" },
        headers: { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, OPTIONS" },
      }),
      options.newId(),
    ),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    refuse(socket, faultOf(error.code), options.newId());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve({ port: (server.address() as AddressInfo).port, stop: () => stop(server, state, limits.stopTimeoutMs) });
    });
  });
}

function send(res: ServerResponse, { status, headers, body }: WireResponse, close: boolean): void {
  const head = headers as string[];
  if (close) head.push("Connection", "close");
  if (body === null) {
    res.writeHead(status, head).end();
    return;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  head.push("Content-Length", String(length));
  res.writeHead(status, head);
  // As many bytes as characters: all of them are ASCII, which is written without being encoded.
  if (typeof body === "string" && length === body.length) res.end(body, "latin1");
  else res.end(body);
}

function faultOf(code: string | undefined): AppError {
  switch (code) {
    // The parser does not tell a URL from headers; up to its own bound, `receive` does.
    case "HPE_HEADER_OVERFLOW":
      return failWire("headers_too_large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return failWire("request_timeout");
    default:
      return failWire("malformed_request", { fields: { fault: "it cannot be parsed" } });
  }
}

/** Answers on the bare socket what never became a request. */
function refuse(socket: Duplex, error: AppError, requestId: string): void {
  const { status, headers, body } = renderProblem(error, { instance: "/", requestId });
  const text = body as string;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-Id: ${requestId}`,
    "X-Content-Type-Options: nosniff",
  ];
  for (let index = 0; index < headers.length; index += 2) lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}

async function stop(server: Server, state: { stopping: boolean }, timeoutMs: number): Promise<void> {
  state.stopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearTimeout(timer);
}
