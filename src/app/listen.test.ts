/** The listener and the fetch face: stopping, health, cross-origin sharing and what every answer carries. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { on, once } from "node:events";
import { request as send } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { anonymous } from "../engine/actor.ts";
import type { Protocol, WireResponse } from "../protocols/wire.ts";
import { createCors } from "./cors.ts";
import { answerFetch } from "./fetched.ts";
import { createOpenPaths } from "./health.ts";
import { listen } from "./listen.ts";
import { resolveOptions } from "./options.ts";
import { createServe } from "./serve.ts";

const { http: limits } = resolveOptions({ http: { stopTimeoutMs: 300, bodyBytesMax: 10 } });
const text = (body: string): WireResponse => ({ status: 200, headers: ["Content-Type", "text/plain"], body });

/** A server whose requests to /wait answer when they are let. */
function start({ origins = [] as readonly string[], protocols = [] as readonly Protocol[] } = {}) {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const state = { stopping: false, release: released.resolve, arrived: arrived.promise };
  const waiting: Protocol = (request) => {
    if (request.path !== "/wait") return null;
    arrived.resolve();
    return released.promise.then(() => text("done"));
  };
  const echo: Protocol = (request) =>
    request.path === "/echo" && request.body
      ? request.body(limits.bodyBytesMax).then((bytes) => text(String(bytes.length)))
      : null;
  const serve = createServe({
    protocols: [waiting, echo, ...protocols],
    identity: { authenticate: () => anonymous },
    cors: createCors(origins),
    log: null,
    clock: () => 0,
    newId: () => "01900000-0000-7000-8000-000000000001",
    open: createOpenPaths({ database: () => "ready", replicas: () => null, stopping: () => state.stopping }, "/api"),
  });
  const ask = (path: string, init?: RequestInit) => answerFetch(serve, new Request(`http://a${path}`, init), limits);
  const open = () => listen(serve, { port: 0, host: "127.0.0.1", limits, newId: () => "1" });
  return { state, serve, ask, open };
}

describe("stopping", () => {
  test("lets requests in flight finish and closes idle connections", async () => {
    const { state, open } = start();
    const listener = await open();
    const idle = connect(listener.port, "127.0.0.1");
    const idleClosed = new Promise((resolve) => idle.on("close", resolve));
    await once(idle, "connect");
    const answer = new Promise<string>((resolve, reject) => {
      const request = send({ port: listener.port, path: "/wait", headers: { connection: "keep-alive" } }, (response) =>
        resolve(String(response.headers["connection"])),
      );
      request.on("error", reject);
      request.end();
    });
    await state.arrived;
    const stopped = listener.stop();
    state.release();
    assert.equal(await answer, "close");
    await stopped;
    await idleClosed;
    await assert.rejects(fetch(`http://127.0.0.1:${listener.port}/`));
  });

  test("does not wait for ever", async () => {
    const { state, open } = start();
    const listener = await open();
    const broken = new Promise((resolve) => send({ port: listener.port, path: "/wait" }).on("error", resolve).end());
    await state.arrived;
    await listener.stop();
    await broken;
  });
});

describe("what arrived before the turn of the event loop", () => {
  /** A server that takes down of each request whether it is one. */
  async function openNoting() {
    const seen: boolean[] = [];
    const serve = (request: { readonly prompt: boolean }) => {
      seen.push(request.prompt);
      return text("");
    };
    return { seen, listener: await listen(serve, { port: 0, host: "127.0.0.1", limits, newId: () => "1" }) };
  }
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  test("is every request but one behind another on its connection, which may have come since", async () => {
    const { seen, listener } = await openNoting();
    const socket = connect(listener.port, "127.0.0.1");
    const heard = on(socket, "data");
    socket.write(get + get);
    while (seen.length < 2) await heard.next();
    socket.write(get);
    while (seen.length < 3) await heard.next();
    assert.deepEqual(seen, [true, false, true]);
    socket.destroy();
    await listener.stop();
  });

  test("is none where there are so many connections that the loop may poll twice in a turn", async () => {
    const { seen, listener } = await openNoting();
    const sockets = Array.from({ length: 901 }, () => connect(listener.port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const [first, ...others] = sockets as [Socket, ...Socket[]];
    const heard = on(first, "data");
    const isPrompt = async () => {
      first.write(get);
      await heard.next();
      return seen.at(-1);
    };
    // A connection is there for the client before it is for the server.
    let asked = 1;
    while ((await isPrompt()) && asked < 1_000) asked++;
    assert.ok(asked < 1_000);
    for (const socket of others) socket.destroy();
    asked = 1;
    while (!(await isPrompt()) && asked < 1_000) asked++;
    assert.ok(asked < 1_000);
    first.destroy();
    await listener.stop();
  });
});

test("no answer leaves before what arrived with its request is answered", async () => {
  const accepted: Socket[] = [];
  const onAccept = (told: unknown) => accepted.push((told as { readonly socket: Socket }).socket);
  subscribe("net.server.socket", onAccept);
  const sentBefore: (number | undefined)[] = [];
  const serve = () => {
    sentBefore.push(accepted[0]?.bytesWritten);
    return text("");
  };
  const listener = await listen(serve, { port: 0, host: "127.0.0.1", limits, newId: () => "1" });
  const socket = connect(listener.port, "127.0.0.1");
  const heard = on(socket, "data");
  // In one segment.
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
  let answers = "";
  while (answers.split("HTTP/1.1 200").length < 3) answers += String((await heard.next()).value);
  unsubscribe("net.server.socket", onAccept);
  socket.destroy();
  await listener.stop();
  assert.deepEqual(sentBefore, [0, 0]);
});

describe("open paths", () => {
  test("health tells whether to send requests here", async () => {
    const { ask, state } = start();
    assert.equal((await ask("/health/live")).status, 200);
    assert.equal((await ask("/health/ready")).status, 200);
    state.stopping = true;
    const answer = await ask("/health/ready");
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { status: "stopping" });
    assert.equal((await ask("/health/live")).status, 200);
    assert.equal((await ask("/health/other")).status, 404);
  });

  test("the index leads on", async () => {
    const { ask } = start();
    assert.deepEqual(await (await ask("/")).json(), {
      api: "/api",
      openapi: "/openapi.json",
      docs: "/docs",
      health: "/health/ready",
    });
    const refused = await ask("/", { method: "POST" });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get("allow"), "GET, HEAD, OPTIONS");
  });
});

describe("every answer", () => {
  test("carries headers that keep it safe, and its id and timing", async () => {
    const { ask } = start();
    const { headers } = await ask("/nowhere");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert.equal(headers.get("x-request-id"), "01900000-0000-7000-8000-000000000001");
    assert.match(headers.get("server-timing") ?? "", /^auth;dur=[\d.]+, parse;dur=[\d.]+, total;dur=[\d.]+$/);
    assert.equal(headers.get("content-type"), "application/problem+json");
  });

  test("a page has its own policy", async () => {
    const page: Protocol = async () => ({ ...text("page"), pagePolicy: "default-src 'self'" });
    const { ask } = start({ protocols: [page] });
    assert.equal((await ask("/page")).headers.get("content-security-policy"), "default-src 'self'");
  });

  test("a body over the limit is refused from fetch too", async () => {
    const { ask } = start();
    assert.equal(await (await ask("/echo", { method: "POST", body: "12345" })).text(), "5");
    assert.equal((await ask("/echo", { method: "POST", body: "x".repeat(11) })).status, 413);
    assert.equal((await ask(`/${"x".repeat(20_000)}`)).status, 414);
    assert.equal((await ask("/", { headers: { a: "x".repeat(20_000) } })).status, 431);
    assert.equal((await ask("/%zz")).status, 400);
  });
});

describe("cross-origin sharing", () => {
  const preflight = { method: "OPTIONS", headers: { origin: "https://a.example", "access-control-request-method": "PATCH" } };

  test("is off unless configured", async () => {
    const answer = await start().ask("/api/films", preflight);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  });

  test("is for those on the list", async () => {
    const { ask } = start({ origins: ["https://a.example"] });
    const answer = await ask("/api/films", preflight);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://a.example");
    assert.match(answer.headers.get("access-control-allow-methods") ?? "", /PATCH/);
    const other = await ask("/", { headers: { origin: "https://b.example" } });
    assert.equal(other.headers.get("access-control-allow-origin"), null);
    assert.equal(other.headers.get("vary"), "Origin");
    assert.match(
      (await ask("/", { headers: { origin: "https://a.example" } })).headers.get("access-control-expose-headers") ?? "",
      /ETag/,
    );
  });

  test("may be for all", async () => {
    const answer = await start({ origins: ["*"] }).ask("/", { headers: { origin: "https://b.example" } });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  });
});
