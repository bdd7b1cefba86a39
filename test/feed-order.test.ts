/** The order of commits on MariaDB and MySQL, shown in plain SQL: numbers become visible in their order, whoever commits late. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Connection, createConnection } from "mysql2/promise";
import { openDatabase } from "../src/app/wire.ts";
import type { Step } from "../src/drivers/database.ts";
import { createCommits } from "../src/drivers/database/mysql/ddl/commits.ts";
import { changesTable, commitColumn } from "../src/engine/write/change.ts";
import { type Ledger, openLedger, type Writer, writtenAt } from "./feed/ledger.ts";
import { openPlace } from "./feed/places.ts";
import { perform } from "./feed/notes.ts";
import { assertWhole, readOn, tail } from "./feed/tail.ts";
import { countWaiting } from "./isolation/waiting.ts";
import { needsService } from "./needs.ts";
import { type ServiceName, serviceUrl } from "./servers/names.ts";

describe("commits on MariaDB", needsService("mariadb"), () => commitTests("mariadb"));
describe("commits on MySQL", needsService("mysql"), () => commitTests("mysql"));
describe("groups on MariaDB", needsService("mariadb"), () => {
  unitTests("mariadb");
  lockTests();
});
describe("groups on MySQL", needsService("mysql"), () => unitTests("mysql"));

type ServerName = Extract<ServiceName, "mariadb" | "mysql">;

function commitTests(server: ServerName): void {
  orderTests(server);
  crowdTests(server);
}

function unitTests(server: ServerName): void {
  groupTests(server);
  numberTests(server);
}

async function assertComplete(found: readonly { readonly id: string }[], ledger: Ledger): Promise<void> {
  const rows = await ledger.query(`select "row_id" from "_changes" order by "row_id"`);
  assert.deepEqual(
    found.map(({ id }) => id).toSorted(),
    rows.map(([id]) => id),
    "every record, each once",
  );
}

async function commitOne(writer: Writer, id: string): Promise<void> {
  await writer.begin();
  await writer.append(id);
  await writer.seal();
  await writer.commit();
}

/** One transaction writes first and commits last; the feed is read in between. */
async function readAroundLate(ledger: Ledger, options?: { readonly commits: null }) {
  const [slow, quick] = [await ledger.openWriter(), await ledger.openWriter()];
  const read = await ledger.openFeed(options);
  await slow.begin();
  await slow.append("late");
  await commitOne(quick, "early");
  const during = await readOn(read, null);
  await slow.seal();
  await slow.commit();
  const after = await readOn(read, during.position);
  return [...during.found, ...after.found];
}

/** Holds the seal as a transaction does that is about to commit. */
async function holdSeal(url: string, t: TestContext): Promise<Connection> {
  const connection = await createConnection(url);
  t.after(() => connection.destroy());
  await connection.query("set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')");
  await connection.query("start transaction");
  for (const sql of createCommits("bigint").seal((name) => `"${name}"`, changesTable, commitColumn)) await connection.query(sql);
  return connection;
}

function orderTests(server: ServerName): void {
  test("a transaction that only reads does not wait for the seal; one that writes does", async (t) => {
    await using place = await openPlace(serviceUrl(server));
    const node = await place.openNode();
    await node.system.notes.create({ id: "a", body: "", count: 0 });
    const holder = await holdSeal(place.url, t);
    const read = await perform(node, async (tx) => (await tx.notes.list({ select: { id: true } })).data);
    assert.deepEqual(read, [{ id: "a" }]);
    const written = perform(node, (tx) => tx.notes.update("a", { count: 1 }));
    while ((await countWaiting[server](place)) === 0) await Promise.race([written, nextTurn()]);
    await holder.rollback();
    await written;
  });

  test("a transaction that writes first and commits last is not skipped, and holds nobody up", async () => {
    await using ledger = await openLedger(serviceUrl(server));
    const found = await readAroundLate(ledger);
    assert.deepEqual(
      found.map(({ id }) => id),
      ["early", "late"],
    );
    await assertComplete(found, ledger);
  });

  test("a reader that goes by the numbers of the rows is caught", async () => {
    await using ledger = await openLedger(serviceUrl(server));
    await assert.rejects(assertComplete(await readAroundLate(ledger, { commits: null }), ledger), /every record, each once/);
  });

  test("who has taken a number lets nobody take the next before it has ended", async () => {
    await using ledger = await openLedger(serviceUrl(server));
    const [first, second] = [await ledger.openWriter(), await ledger.openWriter()];
    const read = await ledger.openFeed();
    for (const [writer, id] of [
      [first, "first"],
      [second, "second"],
    ] as const) {
      await writer.begin();
      await writer.append(id);
    }
    await first.seal();
    const sealed = second.seal().then(() => second.commit());
    const seen = await readOn(read, null);
    assert.deepEqual(seen.found, [], "the second is not to be seen before the first");
    await first.commit();
    await sealed;
    assert.deepEqual(
      (await tail(read)).map(({ id }) => id),
      ["first", "second"],
    );
  });

  test("what is undone leaves no number behind and nothing to be read", async () => {
    await using ledger = await openLedger(serviceUrl(server));
    const writer = await ledger.openWriter();
    await writer.begin();
    await writer.append("undone");
    await writer.seal();
    await writer.rollback();
    await commitOne(writer, "kept");
    assert.deepEqual(
      (await tail(await ledger.openFeed())).map(({ id, position }) => `${id} ${position}`),
      [`kept 1.2.${Date.parse(writtenAt).toString(36)}`],
    );
  });
}

const writers = 8;
const commits = 40;

function crowdTests(server: ServerName): void {
  test("many commit at once, and a reader that follows has every record in the end", async () => {
    await using ledger = await openLedger(serviceUrl(server));
    // The first makes the counter's row. Of two that make it at once one may lose, which the engine tries again and these writers do not.
    await commitOne(await ledger.openWriter(), "first");
    const state = { left: writers };
    const writing = Array.from({ length: writers }, async (_, number) => {
      const writer = await ledger.openWriter();
      for (let commit = 0; commit < commits; commit++) {
        await writer.begin();
        for (let row = 0; row <= commit % 3; row++) await writer.append(`${number}-${commit}-${row}`);
        await writer.seal();
        await (commit % 5 === 4 ? writer.rollback() : writer.commit());
      }
      state.left--;
    });
    const [found] = await Promise.all([tail(await ledger.openFeed(), null, () => state.left === 0), ...writing]);
    await assertComplete(found, ledger);
    const numbers = found.map(({ position }) => Number(position.split(".")[0]));
    assert.deepEqual(
      [...new Set(numbers)],
      Array.from({ length: (writers * commits * 4) / 5 + 1 }, (_, index) => index + 1),
    );
  });
}

const run = (text: string, ...params: Step["params"]): Step => ({ text, kind: "run", params });
const insert = (id: string) => run("insert into entries (id) values (?)", id);
const mark: Step = { ...run("update marks set number = number + 1"), atEnd: true };
const naming: Step = { ...run("update entries set mark = (select number from marks) where mark is null"), atEnd: true };

/** Two tables of the driver alone. */
async function openEntries(server: ServerName) {
  const place = await openPlace(serviceUrl(server));
  const { database } = await openDatabase(place.url, () => {});
  const texts = [
    "create table marks (number bigint not null)",
    "insert into marks values (0)",
    "create table entries (seq bigint not null auto_increment primary key, id varchar(20) not null unique, mark bigint)",
  ];
  await database.migrate(texts.map((text) => ({ text, params: [] })));
  return {
    place,
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

function groupTests(server: ServerName): void {
  test("what closes a unit is run once for those that share a commit, behind all of them", async () => {
    await using entries = await openEntries(server);
    const { database, place } = entries;
    const list: Step = { text: "select id, mark from entries order by seq", kind: "rows", params: [] };
    const written = await Promise.allSettled(["a", "b", "a", "c"].map((id) => database.write([insert(id), list, mark, naming])));
    assert.deepEqual(
      written.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as { readonly reason: string }).reason)),
      [[["a"]], [["a"], ["b"]], "unique", [["a"], ["b"], ["c"]]].map((there) =>
        typeof there === "string"
          ? there
          : [
              { rows: [], changes: 1 },
              { rows: there.map(([id]) => [id, null]), changes: 0 },
              { rows: [], changes: 0 },
              { rows: [], changes: 0 },
            ],
      ),
    );
    assert.deepEqual(await place.query("select id, mark from entries order by seq"), [
      ["a", 1],
      ["b", 1],
      ["c", 1],
    ]);
  });

  test("where nothing of a group is left, nothing closes it", async () => {
    await using entries = await openEntries(server);
    const { database, place } = entries;
    await database.write([insert("a"), mark, naming]);
    await Promise.allSettled([1, 2].map(() => database.write([insert("a"), mark, naming])));
    assert.deepEqual(await place.query("select number from marks"), [[1]]);
  });

  test("a step behind what closes the unit is a programmer's error", async () => {
    await using entries = await openEntries(server);
    await assert.rejects(async () => entries.database.write([mark, insert("a")]), /step 1 comes after what closes the unit/);
  });
}

/** MySQL takes no such lock: it lets the numbers of those who write at once fall between each other. */
function lockTests(): void {
  const server = "mariadb";
  test("a circle over the lock under which a table numbers its rows is run anew", async () => {
    await using entries = await openEntries(server);
    const { database, place } = entries;
    const copy = (id: string) => run("insert into entries (id, mark) select ?, number from marks", id);
    // Between these two it reads; what the other writes before is outside.
    await database.write([insert("m"), insert("q")]);
    let runs = 0;
    const others: Promise<unknown>[] = [];
    await database.transaction(async (tx) => {
      await tx.read({ text: "select id from entries where id > 'm' and id < 'q'", params: [] });
      if (++runs === 1) {
        const heavy = ["a", "b", "c", "d"].map((id) => insert(id));
        others.push(database.transaction((other) => other.write([...heavy, copy("n")])));
        while ((await countWaiting[server](place)) === 0);
      }
      await tx.write([copy("o")]);
    });
    await Promise.all(others);
    assert.deepEqual(
      [runs, await place.query("select id from entries where id > 'm' and id < 'q' order by id")],
      [2, [["n"], ["o"]]],
    );
  });
}

function numberTests(server: ServerName): void {
  test("what one node writes at once bears few numbers, and the feed has all of it", async () => {
    await using place = await openPlace(serviceUrl(server));
    const node = await place.openNode();
    const ids = Array.from({ length: 40 }, (_, number) => `n${number % 30}`);
    const created = await Promise.allSettled(ids.map((id) => node.system.notes.create({ id, body: "at once", count: 0 })));
    assert.equal(created.filter(({ status }) => status === "fulfilled").length, 30);
    const found = await tail(await place.openFeed());
    await assertWhole(found, place);
    const numbers = new Set(found.map(({ position }) => position.split(".")[0]));
    assert.ok(numbers.size < 10, `${numbers.size} numbers`);
  });
}
