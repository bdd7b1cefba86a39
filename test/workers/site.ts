/** The real program with workers, and ways to ask it on connections of one's own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/run.ts";
import { testSecret } from "../fresh.ts";
import { type Folder, launch, openFolder, type Running } from "../cli/run.ts";

export interface Site {
  readonly running: Running;
  readonly folder: Folder;
  /** The URL of the database. */
  readonly database: string;
  readonly port: number;
  readonly token: string;
  /** The processes of the workers, by their number. */
  readonly pids: Map<number, number>;
  /** The process that writes for them on SQLite; 0 where a server does. */
  readonly writer: number;
}

/** A backend file that serves what a file of the tests exports. */
export function backendOf(file: string, name: string): Readonly<Record<string, string>> {
  const url = pathToFileURL(root + file).href;
  return { "backend.ts": `export { ${name} as default } from ${JSON.stringify(url)};\n` };
}

const workers = 2;

export interface Starting {
  /** The URL of a database. @default a file in the folder of the workers */
  readonly server?: string | undefined;
  /** Variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts workers in a folder of their own; resolves when all of them serve. */
export async function startSite(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { server, env }: Starting = {},
): Promise<Site> {
  const folder = { ...openFolder(t, files), env: { HOLDFAST_SECRET: testSecret, ...env } };
  const database = server ?? `sqlite:${folder.path}/data.db`;
  const running = launch(t, folder, ["start", "--port", "0", "--workers", String(workers), "--database", database]);
  const writer = server === undefined ? await nextWriter(running) : 0;
  const pids = new Map<number, number>();
  while (pids.size < workers) {
    const { number, pid } = await nextReady(running);
    pids.set(number, pid);
  }
  const [, port] = await running.said(/API +http:\/\/localhost:(\d+)\/api/);
  const [, token = ""] = await running.said(/^TOKEN=(\S+)$/m);
  return { running, folder, database, port: Number(port), token, pids, writer };
}

/** Waits for a worker to serve. */
export async function nextReady(running: Running): Promise<{ readonly number: number; readonly pid: number }> {
  const [, pid, number] = await running.said(/"msg":"worker_ready","pid":(\d+),.*"worker":(\d+)\}/);
  return { number: Number(number), pid: Number(pid) };
}

/** Waits for a writer to serve. */
export async function nextWriter(running: Running): Promise<number> {
  const [, pid] = await running.said(/"msg":"writer_ready","pid":(\d+),/);
  return Number(pid);
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One request on a connection of its own, so that any worker may get it. */
export async function ask({ port, token }: Site, path: string, asking: Asking = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body } = asking;
  const all = { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers };
  const sent = request({ port, host: "127.0.0.1", path, method, agent: false, headers: all });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, "response")) as [NodeJS.ReadableStream & { readonly statusCode: number }];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, body: text };
}

/** A connection that is kept, and the worker that it leads to. */
export interface Line {
  readonly socket: Socket;
  readonly worker: number;
}

const asked = { count: 0 };

/** Opens a connection, asks on it, and finds in the log who has answered. */
export async function openLine({ port, running }: Site): Promise<Line> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  const id = await askOn(socket);
  const [, worker] = await running.said(new RegExp(`"requestId":"${id}".*"worker":(\\d+)\\}`));
  return { socket, worker: Number(worker) };
}

/** Asks on a kept connection; gives the request's id. */
export async function askOn(socket: Socket): Promise<string> {
  const id = `line-${++asked.count}`;
  socket.write(`GET /health/ready HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  return id;
}
