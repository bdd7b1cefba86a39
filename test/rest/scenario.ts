/** What crosses a wire as data: who asks what, and what the answer must and must not hold. Runs over real HTTP. */
import assert from "node:assert/strict";
import { request as send } from "node:http";
import type { Conformance } from "../openapi/answers.ts";

export interface Scenario {
  readonly name: string;
  /** Roles of the caller's token; null for no token. @default null */
  readonly actor?: readonly string[] | null;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text or bytes are sent as they are. */
  readonly body?: unknown;
  readonly status: number;
  /** Texts that the answer (status line left out, headers first) must hold. */
  readonly contains?: readonly (string | RegExp)[];
  readonly lacks?: readonly (string | RegExp)[];
}

/** An answer as far as tests look into it. */
export interface Json {
  readonly [name: string]: unknown;
  readonly id: string;
  readonly data: readonly Json[];
  readonly page: { readonly next: string; readonly prev: string; readonly count: number };
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => Json;
}

/** Where scenarios are sent, and how an actor comes by a token. */
export interface Target {
  readonly port: number;
  readonly tokenOf: (roles: readonly string[]) => Promise<string>;
  /** Holds every answer against the OpenAPI document. */
  readonly conformance?: Conformance;
}

export async function ask(target: Target, scenario: Omit<Scenario, "name" | "status">): Promise<Reply> {
  const { actor = null, method = "GET", path, headers = {}, body } = scenario;
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const payload = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
  const all: Record<string, string> = { ...headers };
  if (payload !== undefined) {
    all["content-type"] ??= "application/json";
    all["content-length"] ??= String(Buffer.byteLength(payload));
  }
  if (actor) all["authorization"] = `Bearer ${await target.tokenOf(actor)}`;
  const reply = await new Promise<Reply>((resolve, reject) => {
    const request = send({ port: target.port, host: "127.0.0.1", method, path, headers: all, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as Json });
      });
    });
    request.on("error", reject);
    request.end(payload);
  });
  const faults =
    target.conformance?.({ method, path, status: reply.status, headers: reply.headers, text: reply.text, body }) ?? [];
  assert.deepEqual(
    faults,
    [],
    `${method} ${path} answered ${reply.status}, and openapi.json says otherwise: ${reply.text.slice(0, 500)}`,
  );
  return reply;
}

/** What no answer may ever hold: stacks, SQL, and paths of the server. */
const leaks = [/\bat .*\.ts:\d+/, /\bselect\b.*\bfrom\b/i, /\/etc\/|node_modules|SQLITE_/];

export async function check(target: Target, scenario: Scenario): Promise<Reply> {
  const reply = await ask(target, scenario);
  const lines = Object.entries(reply.headers).map(([name, value]) => `${name}: ${String(value)}`);
  const whole = `${lines.join("\n")}\n\n${reply.text}`;
  assert.equal(reply.status, scenario.status, `${scenario.name}: ${whole}`);
  for (const part of scenario.contains ?? []) assert.ok(holds(whole, part), `${scenario.name} lacks ${String(part)}:\n${whole}`);
  for (const part of [...(scenario.lacks ?? []), ...leaks])
    assert.ok(!holds(whole, part), `${scenario.name} holds ${String(part)}:\n${whole}`);
  if (reply.status >= 400 && scenario.method !== "HEAD") assertProblem(reply, scenario.name);
  return reply;
}

function holds(whole: string, part: string | RegExp): boolean {
  return typeof part === "string" ? whole.includes(part) : part.test(whole);
}

function assertProblem(reply: Reply, name: string): void {
  assert.equal(reply.headers["content-type"], "application/problem+json", name);
  const problem = reply.json();
  for (const member of ["type", "title", "status", "detail", "instance", "code", "requestId"])
    assert.ok(member in problem, `${name} lacks ${member}: ${reply.text}`);
  assert.equal(problem["status"], reply.status, name);
  assert.equal(problem["requestId"], reply.headers["x-request-id"], name);
}
