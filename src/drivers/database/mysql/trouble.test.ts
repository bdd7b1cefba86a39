/** A server that dies under load and comes back, and what it says on the way: nothing acknowledged is lost, nothing secret is told. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { startProxy } from "../../../../test/faults/proxy.ts";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { queryMariadb, startMariadb } from "../../../../test/servers/mariadb.ts";
import { startMysql } from "../../../../test/servers/mysql.ts";
import type { Server } from "../../../../test/servers/server.ts";
import { waitUntil } from "../../../../test/servers/wait.ts";
import { AppError } from "../../../base/errors.ts";
import type { Database, Step } from "../../database.ts";
import { createDialect } from "./dialect.ts";
import { openMysql } from "./mysql.ts";
import { variantOf } from "./server/version.ts";
import { mariadb } from "./variants/mariadb.ts";
import { mysql } from "./variants/mysql.ts";
import type { Variant } from "./variants/variant.ts";

void describe("trouble with MariaDB", needsService("mariadb"), () => testTrouble(startMariadb, mariadb));
void describe("trouble with MySQL", needsService("mysql"), () => testTrouble(startMysql, mysql));

interface Trouble {
  readonly server: Server;
  readonly database: Database;
  readonly url: string;
  readonly told: readonly string[];
}

/** Before the tests of a server: it starts, and is there by then. */
function openTrouble(start: typeof startMariadb): { readonly here: Trouble } {
  const opened = {} as { here: Trouble };
  before(async () => {
    const server = await start({ settings: { "max-allowed-packet": "1048576" } });
    const told: string[] = [];
    const { url } = await freshDatabase(server.url);
    const database = await openMysql({ url, connectTimeoutMs: 2000, onTrouble: ({ kind }) => told.push(kind) });
    await database.migrate([{ text: "create table notes (id bigint primary key, words longtext)", params: [] }]);
    opened.here = { server, database, url, told };
  });
  after(async () => {
    await opened.here.database.close();
    await opened.here.server.stop();
  });
  return opened;
}

const add = (id: number): Step => ({ text: "insert into notes (id) values (?)", kind: "run", params: [id] });

function testTrouble(start: typeof startMariadb, variant: Variant): void {
  const opened = openTrouble(start);
  testKilled(opened);
  testSaid(opened, variant);
  testEntry(opened);
}

function testKilled(opened: { readonly here: Trouble }): void {
  test("killed under load: what was acknowledged is there, what failed says whether it may be, and writes go on", async () => {
    const { server, database, told } = opened.here;
    const ids = async () =>
      (await database.read({ text: "select id from notes order by id", params: [] })).map(([id]) => Number(id));
    const acknowledged: number[] = [];
    const failed: unknown[] = [];
    let next = 0;
    let isDown = false;
    const writers = Array.from({ length: 8 }, async () => {
      while (!isDown) {
        const id = next++;
        await database.write([add(id)]).then(
          () => acknowledged.push(id),
          (error: unknown) => {
            isDown = true;
            failed.push(error);
          },
        );
      }
    });
    while (acknowledged.length < 200) await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    await Promise.all(writers);
    const codes = new Set(failed.map((error) => (error as AppError).code));
    assert.ok(codes.size > 0 && codes.isSubsetOf(new Set(["write_outcome_unknown", "database_unreachable"])), [...codes].join());
    await assert.rejects(async () => database.read({ text: "select 1", params: [] }), { code: "database_unreachable" });
    assert.equal(database.state(), "unreachable");
    await server.restart();
    assert.ok(new Set(await ids()).isSupersetOf(new Set(acknowledged)));
    assert.equal(database.state(), "ready");
    await database.write([add(1_000_000)]);
    assert.ok(told.includes("database_found"));
  });
}

function testEntry(opened: { readonly here: Trouble }): void {
  test("a server that is not there yet is waited for, and the wait is told", async () => {
    const proxy = await startProxy(opened.here.url);
    proxy.refuse();
    const told: string[] = [];
    const opening = openMysql({ url: proxy.url, startTimeoutMs: 30_000, onTrouble: ({ kind }) => told.push(kind) });
    await waitUntil(() => told.includes("database_awaited"), "nobody says that the server is awaited");
    await assert.rejects(openMysql({ url: proxy.url, startTimeoutMs: 0 }), { code: "database_unreachable" });
    proxy.heal();
    await (await opening).close();
    await proxy.close();
  });

  test("a database that is not there, and a right that the user has not", async () => {
    const { url } = opened.here;
    const nowhere = new URL(url);
    nowhere.pathname = "/nowhere";
    await assert.rejects(openMysql({ url: nowhere.href }), { code: "database_refused" });
    const reader = await openAs("reader", opened.here);
    await assert.rejects(reader.write([add(3_000_000)]), { code: "database_denied" });
    await reader.close();
  });

  test("a user who is let in no more is refused, and health tells until he is", async () => {
    const { server } = opened.here;
    const guest = await openAs("guest", opened.here);
    const look = async () => guest.read({ text: "select 1", params: [] });
    await look();
    await queryMariadb(server.url, "drop user guest");
    const gone = await queryMariadb(server.url, "select id from information_schema.processlist where user = 'guest'");
    for (const row of gone) await queryMariadb(server.url, `kill ${String(Object.values(row)[0])}`);
    await assert.rejects(look, { code: "database_refused" });
    assert.equal(guest.state(), "unreachable");
    await letIn("guest", opened.here);
    assert.deepEqual(await look(), [[1]]);
    assert.equal(guest.state(), "ready");
    await guest.close();
  });
}

const secretWord = "let-me-in";

/** Makes a user who may read, and no more. */
async function letIn(user: string, { server, url }: Pick<Trouble, "server" | "url">): Promise<void> {
  await queryMariadb(server.url, `create user ${user} identified by '${secretWord}'`);
  await queryMariadb(server.url, `grant select, execute on ${new URL(url).pathname.slice(1)}.* to ${user}`);
}

async function openAs(user: string, { server, url }: Trouble): Promise<Database> {
  await letIn(user, { server, url });
  const theirs = new URL(url);
  Object.assign(theirs, { username: user, password: secretWord });
  return openMysql({ url: theirs.href });
}

function testSaid(opened: { readonly here: Trouble }, variant: Variant): void {
  test("an answer that is larger than the server can send is an error, never a null", async () => {
    const { database } = opened.here;
    await database.write([
      {
        text: "insert into notes values (2000000, repeat('x', 900000)), (2000001, repeat('x', 900000))",
        kind: "run",
        params: [],
      },
    ]);
    const form = { storage: "text", scale: 0, isRequired: false, isPlain: false, isColumn: true, native: null } as const;
    const { json } = createDialect(variant, null);
    const object = json.object([["words", json.value(form, 't0."words"')]]);
    const [row] = await database.read({ text: `select char_length(${object}) from notes t0 where id = 2000000`, params: [] });
    assert.equal(row?.[0], 900_012);
    const order = [{ sql: 't0."id"', descending: false, nullable: false }];
    const array = json.array({ object, from: 'from "notes" t0 where "id" >= 2000000', order, limit: 10 });
    await assert.rejects(async () => database.read({ text: `select ${array}`, params: [] }), { code: "database_failed" });
  });

  test("a wrong password is told without the password, in whatever depth", async () => {
    const { url } = opened.here;
    const secret = "not-the-password";
    const wrong = new URL(url);
    wrong.password = secret;
    await assert.rejects(openMysql({ url: wrong.href }), (error: unknown) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, "database_refused");
      assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes(secret));
      return true;
    });
    await assert.rejects(openMysql({ url: `${url}?multipleStatements=true` }), /no parameter "multipleStatements"/);
  });

  test("a statement that waits for a lock too long fails as busy", async () => {
    const { database, url } = opened.here;
    const impatient = await openMysql({ url, lockTimeoutMs: 1000 });
    const touch: Step = { text: "update notes set words = 'a' where id = 0", kind: "run", params: [] };
    await database.transaction(async (tx) => {
      await tx.write([touch]);
      await assert.rejects(impatient.write([touch]), { code: "database_busy" });
    });
    await impatient.close();
  });
}

test("a server that would answer otherwise is not served", () => {
  for (const version of ["10.11.19-MariaDB-0+deb12u1", "5.5.5-11.4.2-MariaDB"]) assert.equal(variantOf(version).title, "MariaDB");
  for (const version of ["8.4.13-0ubuntu0.26.04.2", "9.7.4-2"]) assert.equal(variantOf(version).title, "MySQL");
  assert.throws(() => variantOf("10.6.18-MariaDB"), /use MariaDB 10\.11 or later/);
  for (const version of ["8.0.43", "5.7.44-log", "8.3.0"]) assert.throws(() => variantOf(version), /use MySQL 8\.4 or later/);
});
