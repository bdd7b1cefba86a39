/** A writer in a process of its own, for several: it keeps the contract, shares commits, and whoever of them is killed takes nothing along. */
import assert from "node:assert/strict";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Database } from "../../../database.ts";
import { addFilm, ask, assertFails, filmIds, rejection } from "../../conformance-asks.ts";
import { kitTables, testDatabase } from "../../conformance.ts";
import { keepWriter, type WriterKeeper } from "../keeper.ts";
import { resolveOptions } from "../options.ts";
import { openSqlite, type SqliteDatabase } from "../sqlite.ts";
import { startPulse } from "./pulse.ts";
import { SocketLink } from "./socket-link.ts";
import { WriteQueue } from "./write-queue.ts";

const halves = "CREATE TABLE halves (id INTEGER, half TEXT, PRIMARY KEY (id, half)) STRICT";
const tables = [...kitTables, halves].map((text) => ask(text));
const program = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url));

interface Site {
  readonly folder: string;
  readonly file: string;
  readonly keeper: WriterKeeper;
  /** The writers' processes, as they came to serve. */
  readonly pids: readonly number[];
  /** Resolves when the n-th writer serves. */
  readonly serves: (n: number) => Promise<number>;
}

async function startSite(options: Readonly<Record<string, number>> = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "writer-"));
  const file = join(folder, "data.db");
  const pids: number[] = [];
  let wake = Promise.withResolvers<void>();
  const keeper = keepWriter({
    database: { file, ...options },
    onEvent: ({ event, pid }) => {
      if (event !== "writer_ready") return;
      pids.push(pid);
      wake.resolve();
      wake = Promise.withResolvers();
    },
  });
  async function serves(n: number): Promise<number> {
    while (pids.length < n) await wake.promise;
    return pids[n - 1] as number;
  }
  await keeper.ready;
  return { folder, file, keeper, pids, serves };
}

async function endSite({ folder, keeper }: Site): Promise<void> {
  await keeper.stop();
  rmSync(folder, { recursive: true });
}

/** A site with its tables, and so many databases on its one writer. */
async function openSite(t: TestContext, count: number, options: Readonly<Record<string, number>> = {}) {
  const site = await startSite(options);
  const open = () => openSqlite({ file: site.file, ...options, writer: site.keeper.address });
  const databases = Array.from({ length: count }, open);
  await databases[0]?.migrate(tables);
  t.after(async () => {
    for (const db of databases) await db.close();
    await endSite(site);
  });
  return { ...site, open, databases: databases as [SqliteDatabase, ...SqliteDatabase[]] };
}

testDatabase("SQLite, written to by a process for several,", async () => {
  const site = await startSite();
  const db = openSqlite({ file: site.file, writer: site.keeper.address });
  let closing: Promise<void> | null = null;
  return { ...db, close: () => (closing ??= db.close().then(() => endSite(site))) } satisfies Database;
});

describe("a writer for several", () => {
  test("gives the units of all of them one commit", async (t) => {
    const { databases, keeper } = await openSite(t, 1, { groupUnitsMax: 1000, groupAgeMs: 60_000 });
    const [db] = databases;
    const queue = new WriteQueue({
      open: (events) => new SocketLink({ address: keeper.address, waitMs: 5_000, silenceMs: 60_000 }, events),
      isShared: true,
      max: 1000,
      textsMax: 10,
      onTrouble: () => undefined,
      onNews: () => undefined,
      onCommitted: () => undefined,
    });
    const before = db.counts();
    const units: Promise<unknown>[] = [];
    await db.transaction(async (tx) => {
      await tx.write([addFilm(0)]);
      for (let id = 1; id <= 50; id++) {
        units.push(db.write([addFilm(id)]));
        units.push(queue.submit({ kind: "unit", steps: queue.encode([addFilm(1000 + id)]) }).outcome);
      }
      await new Promise(setImmediate);
      // A transaction that is none is answered at once: what was sent before has arrived.
      await queue.request({ kind: "end", transaction: -1, undo: true });
      await tx.read(ask("SELECT 1"));
    });
    await Promise.all(units);
    assert.equal(db.counts().commits - before.commits, 1);
    assert.equal((await filmIds(db)).length, 101);
    await queue.close();
  });

  test("is seen by each: what was acknowledged to one is read by the other", async (t) => {
    const { databases } = await openSite(t, 2);
    for (let id = 0; id < 20; id++) {
      await databases[id % 2]?.write([addFilm(id)]);
      assert.equal((await filmIds(databases[(id + 1) % 2] as Database)).length, id + 1);
    }
  });

  test("tells also those who only read that the log is long, and when it is not any more", async (t) => {
    const { databases, file } = await openSite(t, 2, { checkpointPages: 10 });
    const [writing, reading] = databases as unknown as readonly [SqliteDatabase, SqliteDatabase];
    const reader = new DatabaseSync(file, { readOnly: true });
    // As long as it reads nothing of the log is written over.
    reader.exec("BEGIN; SELECT * FROM films");
    let id = 0;
    while (reading.counts().logPages < 10) await writing.write([addFilm(++id)]);
    reader.exec("COMMIT");
    reader.close();
    while (reading.counts().logPages > 0) await writing.write([addFilm(++id)]);
    assert.equal((await filmIds(reading)).length, id);
  });

  test("is reached by its user alone", async () => {
    const site = await startSite();
    const folder = statSync(dirname(site.keeper.address));
    assert.deepEqual([folder.mode & 0o777, folder.uid], [0o700, process.getuid?.()]);
    await endSite(site);
    assert.ok(!existsSync(dirname(site.keeper.address)), "nothing of it is left");
  });

  test("takes no frame that is too long, and goes on for others", async (t) => {
    const { databases, keeper } = await openSite(t, 1);
    const socket = connect(keeper.address);
    socket.resume();
    socket.write(Buffer.from([255, 255, 255, 255, 0]));
    await once(socket, "close");
    await databases[0].write([addFilm(1)]);
  });

  test("that cannot be had is told by the state, and by what was to be written", async (t) => {
    const { file, folder } = await openSite(t, 1);
    const db = openSqlite({ file, writer: join(folder, "nobody"), busyTimeoutMs: 60 });
    await assertFails(db.write([addFilm(1)]), "database_unreachable");
    assert.equal(db.state(), "unreachable");
    assert.deepEqual(await filmIds(db), []);
    await db.close();
    assert.throws(() => resolveOptions({ file: ":memory:", writer: "x" }), /:memory:/);
  });

  test("that cannot open the database is no writer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "writer-"));
    const keeper = keepWriter({ database: { file: folder }, onEvent: () => undefined });
    await assert.rejects(keeper.ready, /could not be started: it ended with code 1/);
    await keeper.stop();
    rmSync(folder, { recursive: true });
  });
});

function startClient(t: TestContext, { file, address, mode }: { file: string; address: string; mode: "write" | "hold" }) {
  const child = spawn(process.execPath, [program("client"), file, address, mode], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** Kills the writer after so many acknowledgements; gives what had been acknowledged by then, and how the rest was answered. */
async function killUnderLoad(client: ReturnType<typeof startClient>, kill: () => unknown, after: number) {
  const acknowledged: number[] = [];
  const codes: string[] = [];
  for await (const line of client.lines) {
    if (/^\d+$/.test(line)) acknowledged.push(Number(line));
    else codes.push(line);
    if (acknowledged.length === after && codes.length === 0) kill();
  }
  return { acknowledged, codes };
}

function judge(db: Database, acknowledged: readonly number[]): string[] {
  const rows = db.read(ask("SELECT id, count(*) FROM halves GROUP BY id")) as (readonly [number, number])[];
  const whole = new Map(rows);
  return [
    ...acknowledged.filter((id) => !whole.has(id)).map((id) => `${id} was acknowledged and lost`),
    ...rows.filter(([, count]) => count !== 2).map(([id]) => `${id} is half there`),
  ];
}

describe("whoever is killed", () => {
  test("the writer: what it acknowledged is there, the rest is answered as unknown, and another one goes on", async (t) => {
    const { databases, keeper, file, serves } = await openSite(t, 1);
    for (let round = 1; round <= 4; round++) {
      const pid = await serves(round);
      const client = startClient(t, { file, address: keeper.address, mode: "write" });
      const seen = await killUnderLoad(client, () => process.kill(pid, "SIGKILL"), 30 + 41 * round);
      assert.equal(seen.codes.length, 8, "each lane was answered");
      assert.deepEqual(
        [...new Set(seen.codes)].filter((code) => !/^(write_outcome_unknown|database_unreachable)$/.test(code)),
        [],
      );
      await serves(round + 1);
      assert.deepEqual(judge(databases[0], seen.acknowledged), []);
      await databases[0].write([{ text: "DELETE FROM halves", kind: "run", params: [] }]);
    }
  });

  test("a writer that acknowledges before it commits would be caught", async (t) => {
    const { databases, file, folder } = await openSite(t, 1);
    const address = join(folder, "early");
    const early: ChildProcess = fork(program("early-writer"), [file, address]);
    t.after(() => early.kill("SIGKILL"));
    await once(early, "message");
    const seen = await killUnderLoad(startClient(t, { file, address, mode: "write" }), () => early.kill("SIGKILL"), 60);
    assert.match(judge(databases[0], seen.acknowledged).join(), /was acknowledged and lost/);
  });

  test("the writer, with a transaction open: nothing of it was written, and the next is done by another", async (t) => {
    const { databases, serves } = await openSite(t, 2);
    const [one, two] = databases;
    const failure = await rejection(
      one.transaction(async (tx) => {
        await tx.write([addFilm(1)]);
        process.kill(await serves(1), "SIGKILL");
        await serves(2);
        await tx.write([addFilm(2)]);
      }),
    );
    assert.equal((failure as { code?: string }).code, "database_unreachable");
    await one.transaction((tx) => tx.write([addFilm(3)]));
    await two?.write([addFilm(4)]);
    assert.deepEqual(await filmIds(one), [3, 4]);
    assert.equal(one.state(), "ready");
  });

  test("who holds a transaction open: it is undone at once, and the others go on", async (t) => {
    const { databases, file, keeper } = await openSite(t, 1, { transactionTimeoutMs: 600_000 });
    const { child, lines } = startClient(t, { file, address: keeper.address, mode: "hold" });
    await once(lines, "line");
    const waiting = databases[0].write([addFilm(2)]);
    child.kill("SIGKILL");
    await waiting;
    assert.deepEqual(await filmIds(databases[0]), [2]);
  });
});

describe("a writer that says nothing", () => {
  /** A keeper that never loses patience, and a database that does soon. */
  async function openImpatient(t: TestContext) {
    const site = await openSite(t, 1, { writerSilenceMs: 600_000 });
    const troubles: string[] = [];
    const db = openSqlite({
      file: site.file,
      writer: site.keeper.address,
      writerSilenceMs: 200,
      busyTimeoutMs: 200,
      onTrouble: ({ kind, message }) => troubles.push(`${kind}: ${message}`),
    });
    t.after(() => db.close());
    await db.write([addFilm(1)]);
    return { ...site, db, troubles };
  }

  test("leaves nobody waiting: what it was doing is unknown, the rest is refused, and when it goes on so do all", async (t) => {
    const { db, pids, troubles } = await openImpatient(t);
    const [pid = 0] = pids;
    process.kill(pid, "SIGSTOP");
    const asked = [db.write([addFilm(2)]), db.write([addFilm(3)]), db.transaction((tx) => tx.write([addFilm(4)]))];
    const codes = await Promise.all(asked.map(async (one) => ((await rejection(one)) as { code?: string }).code));
    assert.deepEqual(codes, ["write_outcome_unknown", "write_outcome_unknown", "database_unreachable"]);
    assert.deepEqual(troubles, ["writer_lost: the writer has said nothing for 400 ms"]);
    assert.equal(db.state(), "unreachable");
    await assertFails(db.write([addFilm(5)]), "database_unreachable");
    await assertFails(
      db.transaction((tx) => tx.write([addFilm(5)])),
      "database_unreachable",
    );
    assert.deepEqual((await filmIds(db)).slice(0, 1), [1], "reads go on");
    process.kill(pid, "SIGCONT");
    while (db.state() !== "ready") await new Promise(setImmediate);
    await db.write([addFilm(6)]);
    const ids = await filmIds(db);
    assert.ok(!ids.includes(4) && !ids.includes(5), "what was refused was not done");
    assert.ok([1, 6].every((id) => ids.includes(id)));
    assert.equal(pids.length, 1);
  });

  test("under load: what it acknowledged is there, and nothing is half there", async (t) => {
    const { databases, keeper, file, serves } = await openSite(t, 1, { writerSilenceMs: 600, busyTimeoutMs: 200 });
    for (let round = 1; round <= 3; round++) {
      const pid = await serves(round);
      const client = startClient(t, { file, address: keeper.address, mode: "write" });
      // It is killed and replaced by who has started it.
      const seen = await killUnderLoad(client, () => process.kill(pid, "SIGSTOP"), 30 + 41 * round);
      assert.equal(seen.codes.length, 8, "each lane was answered");
      await serves(round + 1);
      assert.throws(() => process.kill(pid, "SIGCONT"), { code: "ESRCH" });
      while (databases[0].state() !== "ready") await new Promise(setImmediate);
      await databases[0].write([addFilm(round)]);
      assert.deepEqual(judge(databases[0], seen.acknowledged), []);
      await databases[0].write([{ text: "DELETE FROM halves", kind: "run", params: [] }]);
    }
  });

  test("for a moment only is waited for", async (t) => {
    const { databases, pids } = await openSite(t, 1);
    const [db] = databases;
    process.kill(pids[0] as number, "SIGSTOP");
    const waiting = db.write([addFilm(1)]);
    process.kill(pids[0] as number, "SIGCONT");
    await waiting;
    assert.deepEqual([db.state(), pids.length], ["ready", 1]);
  });

  test("is asked in vain for so long, however late the one who asks wakes up himself", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const told: string[] = [];
    let isDue = false;
    const pulse = startPulse({
      silenceMs: 400,
      isDue: () => isDue,
      ask: () => told.push("asked"),
      onSilence: () => told.push("silent"),
    });
    t.mock.timers.tick(10_000);
    assert.deepEqual(told, [], "who waits for nothing asks nothing");
    isDue = true;
    t.mock.timers.tick(300);
    pulse.heard();
    t.mock.timers.tick(400);
    assert.deepEqual(
      told,
      Array.from({ length: 7 }, () => "asked"),
    );
    t.mock.timers.tick(1_000);
    assert.deepEqual(told.slice(7), ["silent"]);
  });
});
