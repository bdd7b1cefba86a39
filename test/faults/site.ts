/** An app whose database is behind a proxy that loses connections, and ways to write to it and to look behind its back. */
import { testSecret } from "../fresh.ts";
import assert from "node:assert/strict";
import { createApp } from "holdfast";
import { freshDatabase } from "../servers/databases.ts";
import { queryOnce } from "../servers/postgres.ts";
import { faultBackend } from "./backend.ts";
import { startProxy } from "./proxy.ts";

/** Times that end while a test waits for them, and are long enough for a machine that is busy. */
export const shortLimits = Object.freeze({
  statementTimeoutMs: 1_500,
  readTimeoutMs: 1_500,
  silenceTimeoutMs: 500,
  connectTimeoutMs: 2_000,
  waitTimeoutMs: 2_000,
  startTimeoutMs: 0,
});

/** The same for MariaDB and MySQL, whose driver adds a grace of its own to each. */
const shortMysqlLimits = Object.freeze({ readTimeoutMs: 1_500, writeTimeoutMs: 1_500, connectTimeoutMs: 2_000 });

export interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: string | null;
  readonly isReplay: boolean;
  readonly body: string;
}

export type Site = Awaited<ReturnType<typeof openSite>>;

export async function openSite(serverUrl: string, limits: Readonly<Record<string, number>> = {}) {
  const { url, drop } = await freshDatabase(serverUrl);
  const proxy = await startProxy(url);
  const logged: string[] = [];
  const app = await createApp(faultBackend, {
    database: proxy.url,
    secret: testSecret,
    databaseLimits: { ...(serverUrl.startsWith("postgres") ? shortLimits : shortMysqlLimits), ...limits },
    log: (text) => void logged.push(text),
  });

  async function ask(method: string, path: string, given: { body?: unknown; key?: string } = {}): Promise<Reply> {
    const headers: Record<string, string> = given.body === undefined ? {} : { "content-type": "application/json" };
    if (given.key !== undefined) headers["idempotency-key"] = `"${given.key}"`;
    const body = given.body === undefined ? null : JSON.stringify(given.body);
    const response = await app.fetch(new Request(`http://app${path}`, { method, headers, body }));
    const text = await response.text();
    return {
      status: response.status,
      code: text.startsWith("{") ? (JSON.parse(text) as { code?: string }).code : undefined,
      retryAfter: response.headers.get("retry-after"),
      isReplay: response.headers.has("idempotency-replayed"),
      body: text,
    };
  }

  return {
    app,
    proxy,
    logged,
    /** The database itself, past the proxy. */
    url,
    ask,
    write: (tag: string, key?: string) =>
      ask("POST", "/api/entries", { body: { tag, value: 1 }, ...(key === undefined ? {} : { key }) }),
    pair: (tag: string) => ask("POST", "/api/actions/pair", { body: { tag, value: 1 } }),
    list: (tag: string) => ask("GET", `/api/entries?filter[tag]=${tag}`),
    /** Rows with a tag, and change records of them. */
    async count(tag: string): Promise<{ rows: number; changes: number }> {
      const [row] = await queryOnce(
        url,
        `select (select count(*)::int from entries where tag = '${tag}') as rows,
          (select count(*)::int from _changes where after::json ->> 'tag' = '${tag}') as changes`,
      );
      return row as { rows: number; changes: number };
    },
    async close(): Promise<void> {
      await app.stop();
      await proxy.close();
      await drop();
      const { password } = new URL(url);
      assert.ok(!logged.join("").includes(password), "no password is logged");
    },
  };
}
