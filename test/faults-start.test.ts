/** A start without the database that it needs: a clear word and an exit code, or a wait that has an end; and no password anywhere. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createApp } from "holdfast";
import { main } from "../src/cli/main.ts";
import { notesBackend } from "./cli/run.ts";
import { faultBackend } from "./faults/backend.ts";
import { startProxy } from "./faults/proxy.ts";
import { testSecret } from "./fresh.ts";
import { needs, needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { findPort } from "./servers/folders.ts";
import { serviceUrl } from "./servers/names.ts";
import { hasPostgres, queryOnce, startPostgres } from "./servers/postgres.ts";
import { startReplica } from "./servers/replica.ts";
import { waitUntil } from "./servers/wait.ts";

const need = needsService("postgres");
const secretWord = "s3cret-Wörd";

const folder = mkdtempSync(join(tmpdir(), "holdfast-start-"));
writeFileSync(join(folder, "backend.ts"), notesBackend);
after(() => rmSync(folder, { recursive: true }));

const start = (url: URL, ...flags: readonly string[]) => startAt(url.href, ...flags);

const startAt = (url: string, ...flags: readonly string[]) => run(["start", "--port", "0", "--debug", ...flags], url);

async function run(argv: readonly string[], url: string): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const code = await main(argv, {
    cwd: folder,
    env: { HOLDFAST_DATABASE_URL: url, HOLDFAST_DATABASE_LIMITS: "startTimeoutMs=0" },
    clock: Date.now,
    writeOut: (text) => void said.push(text),
    writeErr: (text) => void said.push(text),
    isInteractive: false,
  });
  return { code, said: said.join("") };
}

void describe("holdfast start", need, () => {
  const urlWith = (change: (url: URL) => void): URL => {
    const url = new URL(serviceUrl("postgres"));
    change(url);
    return url;
  };

  async function fails(url: URL, ...words: readonly RegExp[]): Promise<void> {
    for (const flags of [[], ["--json"]]) {
      const { code, said } = await start(url, ...flags);
      assert.equal(code, 1, said);
      for (const word of words) assert.match(said, word);
      for (const password of [url.password, decodeURIComponent(url.password)]) assert.ok(!said.includes(password), said);
    }
  }

  test("nobody listens there", async () => {
    const port = await findPort();
    const url = urlWith((one) => Object.assign(one, { port: String(port), password: secretWord }));
    const told = `because"?: "?postgres://\\w+:\\*\\*\\*@127\\.0\\.0\\.1:${port}/\\w+: connect ECONNREFUSED 127\\.0\\.0\\.1:${port}`;
    await fails(url, /The database cannot be reached\./, new RegExp(told), /Start the database's server, or mend host and port/);
  });

  test("the password is wrong", () =>
    fails(
      urlWith((one) => void (one.password = secretWord)),
      /The database refuses the connection\./,
      /password authentication failed for user/,
    ));

  test("there is no such database", () =>
    fails(
      urlWith((one) => void (one.pathname = "/nowhere")),
      /The database refuses the connection\./,
      /database "nowhere" does not exist/,
      /make it with CREATE DATABASE/,
    ));

  test("the user may not make tables", async () => {
    const { url, drop } = await freshDatabase(serviceUrl("postgres"));
    await queryOnce(url, `create role hf_poor login password '${secretWord}'`);
    try {
      const poor = new URL(url);
      Object.assign(poor, { username: "hf_poor", password: secretWord });
      await fails(poor, /The database does not let its user do this\./, /permission denied for database/, /Grant the URL's user/);
      await queryOnce(url, `grant create on database ${poor.pathname.slice(1)} to hf_poor`);
      const { code, said } = await run(["migrate", "apply", "--backend", "backend.ts"], poor.href);
      assert.equal(code, 1, said);
      assert.match(
        said,
        /^The database does not let its user do this\.\n {2}because: permission denied for schema public\n {2}→ Grant/,
      );
    } finally {
      // What it may and has is the database's: with that it goes.
      await drop();
      await queryOnce(serviceUrl("postgres"), "drop role hf_poor");
    }
  });

  test("a character in the password ends it too early", async () => {
    const { code, said } = await startAt("postgres://user:s3cret/Word@127.0.0.1/name");
    assert.equal(code, 1);
    assert.match(said, /^the database URL cannot be read: write postgres:\/\/user:password@host:port\/name, .*%2F for \//);
    assert.ok(!said.includes("s3cret"), said);
  });

  test("the server has no connection left", async () => {
    const { url, drop } = await freshDatabase(serviceUrl("postgres"));
    await queryOnce(url, `create role hf_few login superuser password '${secretWord}'`);
    await queryOnce(url, "alter role hf_few nosuperuser connection limit 0");
    try {
      const limited = new URL(url);
      Object.assign(limited, { username: "hf_few", password: secretWord });
      await fails(limited, /The database is busy\./, /too many connections for role/);
    } finally {
      await queryOnce(serviceUrl("postgres"), "drop role hf_few");
      await drop();
    }
  });

  test("a URL that is none", async () => {
    const { code, said } = await start(new URL(`oracle://user:${secretWord}@host/name`));
    assert.equal(code, 1);
    assert.ok(!said.includes("s3cret"), said);
  });

  test("a server that comes later is waited for, and the wait is told", async () => {
    const { url, drop } = await freshDatabase(serviceUrl("postgres"));
    const proxy = await startProxy(url);
    proxy.refuse();
    const logged: string[] = [];
    const opening = createApp(faultBackend, {
      database: proxy.url,
      secret: testSecret,
      databaseLimits: { startTimeoutMs: 30_000 },
      log: (text) => void logged.push(text),
    });
    await waitUntil(() => logged.join("").includes("database_awaited"), "nobody says that the database is awaited");
    proxy.heal();
    await (await opening).stop();
    await proxy.close();
    await drop();
  });
});

const standby = needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18"));

test("a server that follows another one is read from, and written to once it leads", standby, async () => {
  const primary = await startPostgres();
  const first = await createApp(faultBackend, { database: primary.url, secret: testSecret, log: false });
  await first.system.entries.create({ tag: "before", value: 1 });
  await first.stop();
  const replica = await startReplica(primary);
  await replica.catchUp();
  const app = await createApp(faultBackend, { database: replica.url, secret: testSecret, log: false });
  try {
    const ask = async (path: string, body?: string) => {
      const init = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body };
      const response = await app.fetch(new Request(`http://app${path}`, init));
      return { status: response.status, text: await response.text(), retryAfter: response.headers.get("retry-after") };
    };
    const write = () => ask("/api/entries", '{"tag":"now","value":1}');
    const refused = await write();
    assert.deepEqual([refused.status, refused.retryAfter], [503, "1"]);
    assert.match(refused.text, /"code":"database_read_only"/);
    assert.equal((await ask("/api/entries")).status, 200);
    assert.deepEqual(await ask("/health/ready"), { status: 503, text: '{"status":"read-only"}', retryAfter: "1" });
    await queryOnce(replica.url, "select pg_promote()");
    await waitUntil(async () => (await ask("/health/ready")).status === 200, "the app does not notice that it may write");
    assert.equal((await write()).status, 201);
  } finally {
    await app.stop();
    await replica.stop();
    await primary.stop();
  }
});
