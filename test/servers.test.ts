/** The servers that tests run against: they answer, keep their data through a kill, follow each other, and leave nothing behind. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { after, describe, test } from "node:test";
import { needs, needsService } from "./needs.ts";
import { freshDatabase, queryVersion } from "./servers/databases.ts";
import { hasMariadb, queryMariadb, startMariadb } from "./servers/mariadb.ts";
import { startMysql } from "./servers/mysql.ts";
import { type ServiceName, serviceUrl } from "./servers/names.ts";
import { hasPostgres, type PostgresVersion, queryOnce, startPostgres } from "./servers/postgres.ts";
import { startReplica } from "./servers/replica.ts";
import type { Server } from "./servers/server.ts";

type Query = (url: string, sql: string) => Promise<Record<string, unknown>[]>;

const countSql = "select count(*) as n from kept";

/** What is written is there after a kill, after a restart in order, and nothing is there after `stop`. */
async function proveServer(server: Server, query: Query): Promise<void> {
  const { url, drop } = await freshDatabase(server.url);
  await query(url, "create table kept (n integer primary key)");
  await query(url, "insert into kept values (1)");
  await server.kill();
  await assert.rejects(query(url, countSql), { code: "ECONNREFUSED" });
  await server.restart();
  assert.equal(Number((await query(url, countSql))[0]?.["n"]), 1);
  await query(url, "insert into kept values (2)");
  await server.restart();
  assert.equal(Number((await query(url, countSql))[0]?.["n"]), 2);
  await drop();
  await assert.rejects(query(url, countSql));
  await server.stop();
  await assert.rejects(query(server.url, "select 1"), { code: "ECONNREFUSED" });
  assert.ok(!existsSync(dirname(server.logFile)));
}

/** Nothing of durability is switched off to make tests quick. */
const durable = ["fsync", "synchronous_commit", "full_page_writes"].map((name) => `current_setting('${name}') as ${name}`);

for (const version of ["18", "15"] as const satisfies readonly PostgresVersion[]) {
  describe(`PostgreSQL ${version}`, needs(`PostgreSQL ${version}`, hasPostgres(version)), () => {
    test("keeps its data through a kill and a restart", async () => {
      const server = await startPostgres({ version, settings: { max_connections: "20" } });
      after(() => server.stop());
      assert.match(await queryVersion(server.url), new RegExp(`^${version}\\.`));
      const [settings] = await queryOnce(server.url, `select ${durable.join()}, current_setting('max_connections') as most`);
      assert.deepEqual(settings, { fsync: "on", synchronous_commit: "on", full_page_writes: "on", most: "20" });
      await proveServer(server, queryOnce);
    });

    test("a replica follows, stays behind when it is told to, and catches up", async () => {
      const primary = await startPostgres({ version });
      after(() => primary.stop());
      await queryOnce(primary.url, "create table followed (n integer primary key)");
      const replica = await startReplica(primary);
      after(() => replica.stop());
      const write = (n: number) => queryOnce(primary.url, `insert into followed values (${n})`);
      const seen = async () => (await queryOnce(replica.url, "select n from followed order by n")).map(({ n }) => n);
      await write(1);
      await replica.catchUp();
      assert.deepEqual(await seen(), [1]);
      await replica.pause();
      await write(2);
      await assert.rejects(replica.catchUp(), /held back/);
      assert.deepEqual(await seen(), [1]);
      await primary.kill();
      assert.deepEqual(await seen(), [1]);
      await primary.restart();
      await write(3);
      await replica.resume();
      await replica.catchUp();
      assert.deepEqual(await seen(), [1, 2, 3]);
      await assert.rejects(queryOnce(replica.url, "insert into followed values (4)"), { code: "25006" });
      await replica.stop();
      assert.deepEqual(await queryOnce(primary.url, "select slot_name from pg_replication_slots"), []);
    });
  });
}

describe("MariaDB", needs("MariaDB", hasMariadb()), () => {
  test("keeps its data through a kill and a restart", async () => {
    const server = await startMariadb({ settings: { "max-connections": "20" } });
    after(() => server.stop());
    assert.match(await queryVersion(server.url), /MariaDB/);
    const [settings] = await queryMariadb(
      server.url,
      "select @@innodb_flush_log_at_trx_commit as flushed, @@innodb_doublewrite as twice, @@character_set_server as charset, @@max_connections as most",
    );
    assert.deepEqual(settings, { flushed: 1, twice: 1, charset: "utf8mb4", most: 20 });
    await proveServer(server, queryMariadb);
  });
});

describe("MySQL", needsService("mysql"), () => {
  test("keeps its data through a kill and a restart", async () => {
    const server = await startMysql({ settings: { "max-connections": "20" } });
    after(() => server.stop());
    assert.doesNotMatch(await queryVersion(server.url), /MariaDB/);
    const [settings] = await queryMariadb(
      server.url,
      "select @@innodb_flush_log_at_trx_commit as flushed, @@innodb_doublewrite as twice, @@sync_binlog as logged, @@character_set_server as charset, @@max_connections as most",
    );
    assert.deepEqual(settings, { flushed: 1, twice: "ON", logged: 1, charset: "utf8mb4", most: 20 });
    await proveServer(server, queryMariadb);
  });
});

describe("a server that does not start", needs("PostgreSQL 18", hasPostgres("18")), () => {
  test("says what its log says", async () => {
    await assert.rejects(startPostgres({ settings: { shared_buffers: "many" } }), /has ended:[^]*shared_buffers[^]*many/);
  });
});

describe("the service postgres", needsService("postgres"), () => {
  test("has databases of its own for every file", () => proveDatabases("postgres"));
});

describe("the service postgres-15", needsService("postgres-15"), () => {
  test("has databases of its own for every file", () => proveDatabases("postgres-15"));
});

describe("the service mariadb", needsService("mariadb"), () => {
  test("has databases of its own for every file", () => proveDatabases("mariadb"));
});

describe("the service mysql", needsService("mysql"), () => {
  test("has databases of its own for every file", () => proveDatabases("mysql"));
});

async function proveDatabases(name: ServiceName): Promise<void> {
  const query = name === "mariadb" || name === "mysql" ? queryMariadb : queryOnce;
  const databases = await Promise.all([freshDatabase(serviceUrl(name)), freshDatabase(serviceUrl(name))]);
  await Promise.all(databases.map(({ url }) => query(url, "create table same (n integer)")));
  await Promise.all(databases.map(({ drop }) => drop()));
  for (const { url } of databases) await assert.rejects(query(url, "select 1 from same"));
}
