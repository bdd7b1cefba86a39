/** What the SQLite driver does beyond the contract: settings, shared commits, bounds, other processes, backup, lost threads. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { addFilm, ask, assertFails, assertRefused, first, rejection, rowsStep, runStep } from "../conformance-asks.ts";
import { kitTables } from "../conformance.ts";
import { foldText } from "../../../base/fold.ts";
import type { LinkEvents } from "./link/link.ts";
import { linkThread } from "./link/thread-link.ts";
import { LongReads } from "./long-reads.ts";
import { resolveOptions, type SqliteTrouble } from "./options.ts";
import { openSqlite, type SqliteDatabase, type SqliteOptions } from "./sqlite.ts";
import { startThread } from "./thread.ts";
import { runTransaction } from "./link/transactions.ts";
import { WriteQueue } from "./link/write-queue.ts";

const tables = kitTables.map((text) => ask(text));

async function withDatabase(options: Partial<SqliteOptions>, run: (db: SqliteDatabase) => Promise<void>): Promise<void> {
  const db = openSqlite({ file: ":memory:", ...options });
  try {
    if (options.readOnly !== true) await db.migrate(tables);
    await run(db);
  } finally {
    await db.close();
  }
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-driver-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("options", () => {
  test("an unknown one is refused with a suggestion, a wrong one with its bounds", () => {
    const open = (options: object) => () => resolveOptions({ file: "x", ...options });
    assert.throws(open({ statmentsMax: 1 }), /no option "statmentsMax".*"statementsMax"/);
    assert.throws(open({ groupUnitsMax: 0 }), /groupUnitsMax .* from 1 to/);
    assert.throws(open({ file: "" }), /needs a file/);
    assert.throws(open({ readOnly: "yes" }), /readOnly/);
    assert.ok(Object.isFrozen(open({})()));
  });
});

describe("every connection", () => {
  const everywhere = (run: (ask: (text: string, ...params: (string | number | null)[]) => Promise<unknown>) => Promise<void>) =>
    withDatabase({}, async (db) => {
      await run(async (text, ...params) => first(await db.read(ask(text, ...params))));
      await run(async (text, ...params) => first(await db.read(ask(text, ...params), { long: true })));
      await run(async (text, ...params) => first((await db.write([rowsStep(text, ...params)]))[0]?.rows ?? []));
    });

  test("has the functions that statements may call", () =>
    everywhere(async (value) => {
      assert.equal(await value("SELECT hf_base64(x'00ff10')"), "AP8Q");
      assert.equal(await value("SELECT hex(hf_unbase64('AP8Q'))"), "00FF10");
      assert.equal(await value("SELECT hf_fold(?)", "ÀÉÎ Straße Ǻ"), "aei straße a");
      assert.equal(await value("SELECT coalesce(hf_base64(NULL), hf_unbase64(NULL), hf_fold(NULL), 'null')"), "null");
      assert.equal(foldText("Amélie"), "amelie");
    }));

  test("binds whole numbers as integers, and others as they are", () =>
    everywhere(async (value) => {
      assert.equal(await value("SELECT json_array(?, ?, typeof(?))", 1, 0.5, 2), '[1,0.5,"integer"]');
      assert.equal(await value("SELECT 7 / ?", 2), 3);
      assert.equal(await value("SELECT typeof(?)", 2 ** 60), "real");
    }));

  test("is in WAL mode with foreign keys on and defensive; the writer syncs fully", () =>
    inFolder(async (folder) => {
      const db = openSqlite({ file: join(folder, "a.db") });
      const [mode, sync] = await db.write([rowsStep("PRAGMA journal_mode"), rowsStep("PRAGMA synchronous")]);
      assert.deepEqual([mode?.rows, sync?.rows], [[["wal"]], [[2]]]);
      for (const options of [{ long: false }, { long: true }]) {
        assert.deepEqual(await db.read(ask("PRAGMA foreign_keys"), options), [[1]]);
      }
      await rejection(db.write([runStep("PRAGMA writable_schema = ON"), runStep("DELETE FROM sqlite_schema")]));
      await assertFails(db.write([runStep("DELETE FROM sqlite_schema")]), "database_failed");
      await db.close();
      assert.deepEqual(readdirSync(folder), ["a.db"], "the last connection to close takes the log along");
    }));
});

describe("shared commits", () => {
  const submit = async (db: SqliteDatabase) => {
    const before = db.counts();
    await Promise.all(Array.from({ length: 100 }, (_, id) => db.write([addFilm(id)])));
    const after = db.counts();
    return { commits: after.commits - before.commits, units: after.units - before.units };
  };

  test("a hundred units of one turn share one commit, or as few as the bound allows", async () => {
    for (const [groupUnitsMax, commits] of [
      [128, 1],
      [10, 10],
      [1, 100],
    ] as const) {
      const options = { groupUnitsMax, groupAgeMs: 60_000 };
      await withDatabase(options, async (db) => assert.deepEqual(await submit(db), { commits, units: 100 }));
    }
  });

  test("a unit that only the commit finds wrong is refused alone, and a transaction beside it is run anew", () =>
    withDatabase({ groupAgeMs: 60_000 }, async (db) => {
      await db.migrate([ask("CREATE TABLE links (id INTEGER PRIMARY KEY REFERENCES films (id) DEFERRABLE INITIALLY DEFERRED)")]);
      let runs = 0;
      const beside = db.transaction(async (tx) => {
        runs++;
        await tx.write([addFilm(1)]);
        return runs;
      });
      const bad = db.write([addFilm(2), runStep("INSERT INTO links VALUES (99)")]);
      const good = [3, 4].map((id) => db.write([addFilm(id)]));
      await assertRefused(bad, "foreign_key", 1);
      await Promise.all(good);
      assert.equal(await beside, 2);
      assert.deepEqual(await db.read(ask("SELECT id FROM films ORDER BY id")), [[1], [3], [4]]);
    }));

  test("a refusal that rests on a neighbour's row is not given when the neighbour fails", () =>
    withDatabase({ groupAgeMs: 60_000 }, async (db) => {
      await db.migrate([ask("CREATE TABLE links (id INTEGER PRIMARY KEY REFERENCES films (id) DEFERRABLE INITIALLY DEFERRED)")]);
      const bad = db.write([addFilm(1, "Heat"), runStep("INSERT INTO links VALUES (99)")]);
      const same = db.write([addFilm(2, "Heat")]);
      await assertRefused(bad, "foreign_key", 1);
      await same;
    }));
});

describe("bounds", () => {
  test("more units than may wait are refused at once, and those that wait are not", () =>
    withDatabase({ writeQueueMax: 5 }, async (db) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const held = db.transaction(async (tx) => {
        await tx.write([addFilm(100)]);
        await promise;
      });
      const writes = Array.from({ length: 20 }, (_, id) => db.write([addFilm(id)]));
      const refused = writes.slice(4).map((write) => assertFails(write, "transaction_queue_full"));
      await Promise.all(refused);
      resolve();
      await Promise.all([held, ...writes.slice(0, 4)]);
    }));

  test("few statements and texts are kept, and all are right", () =>
    withDatabase({ statementsMax: 1 }, async (db) => {
      for (let round = 0; round < 3; round++) {
        const ids = Array.from({ length: 20 }, (_, id) => round * 20 + id);
        await Promise.all(
          ids.map((id) => db.write([runStep(`INSERT INTO films (id, title) VALUES (?, 'f${id % 30}-' || ?)`, id, id)])),
        );
      }
      assert.equal(first(await db.read(ask("SELECT count(DISTINCT title) FROM films"))), 60);
    }));

  test("the log is copied into the file as it grows, and does not grow for ever", () =>
    inFolder(async (folder) => {
      const file = join(folder, "a.db");
      await withDatabase({ file, checkpointPages: 50 }, async (db) => {
        for (let id = 0; id < 300; id++) await db.write([addFilm(id, `${id}${"x".repeat(3000)}`)]);
        assert.ok(db.counts().checkpoints > 3);
        assert.ok(statSync(`${file}-wal`).size < 120 * 4120);
      });
    }));
});

describe("files", () => {
  test("each :memory: is a database of its own, and nothing of it is left", async () => {
    const [one, two] = [openSqlite({ file: ":memory:" }), openSqlite({ file: ":memory:" })];
    const fileOf = async (db: SqliteDatabase) => String((await db.read(ask("PRAGMA database_list")))[0]?.[2]);
    const files = await Promise.all([fileOf(one), fileOf(two)]);
    await one.migrate(tables);
    await assertFails(
      Promise.resolve().then(() => two.read(ask("SELECT * FROM films"))),
      "database_failed",
    );
    await Promise.all([one.close(), two.close()]);
    assert.notEqual(files[0], files[1]);
    for (const file of files) assert.ok(!existsSync(file));
  });

  test("what is no database, or cannot be opened, is refused when it is opened", () =>
    inFolder(async (folder) => {
      const file = join(folder, "notes.txt");
      writeFileSync(file, "hello, I am no database at all. ".repeat(200));
      assert.throws(() => openSqlite({ file }), { code: "database_failed" });
      assert.throws(() => openSqlite({ file: folder }), { code: "database_failed" });
      assert.throws(() => openSqlite({ file: join(file, "below.db") }), { code: "database_failed" });
      assert.throws(() => openSqlite({ file: join(folder, "none.db"), readOnly: true }), { code: "database_failed" });
    }));

  test("opened read-only it refuses writes and reads on", () =>
    inFolder(async (folder) => {
      const file = join(folder, "deep", "a.db");
      await withDatabase({ file }, async (db) => void (await db.write([addFilm(1)])));
      await withDatabase({ file, readOnly: true }, async (db) => {
        assert.equal(db.state(), "read-only");
        await assertFails(db.write([addFilm(2)]), "database_read_only");
        await assertFails(
          db.transaction(async () => 1),
          "database_read_only",
        );
        await assertFails(db.migrate([]), "database_read_only");
        assert.deepEqual(await db.read(ask("SELECT id FROM films")), [[1]]);
      });
    }));

  test("a unique index on an expression is told by its name", () =>
    withDatabase({}, async (db) => {
      await db.migrate([ask("CREATE UNIQUE INDEX films_folded ON films (hf_fold(title))")]);
      await db.write([addFilm(1, "Amélie")]);
      assert.equal((await assertRefused(db.write([addFilm(2, "AMELIE")]), "unique", 0)).constraint, "films_folded");
    }));
});

describe("backup", () => {
  test("copies one moment of a database that is being written, and tells how far it is", () =>
    inFolder(async (folder) => {
      await withDatabase({ file: join(folder, "a.db") }, async (db) => {
        await db.migrate([ask("CREATE TABLE blobs (id INTEGER PRIMARY KEY, body BLOB)")]);
        const body = new Uint8Array(100_000);
        const pair = (id: number) => [addFilm(id), runStep("INSERT INTO blobs VALUES (?, ?)", id, body)];
        for (let id = 0; id < 400; id++) await db.write(pair(id));
        let writing = true;
        const writer = (async () => {
          for (let id = 1000; writing; id++) await db.write(pair(id));
        })();
        const progress: number[] = [];
        const path = join(folder, "copy.db");
        await db.backup(path, (done) => progress.push(done));
        writing = false;
        await writer;
        assert.ok(progress.length > 1 && progress.at(-1) === 1);
        assert.deepEqual(
          progress,
          progress.toSorted((a, b) => a - b),
        );
        await assert.rejects(db.backup(path), /exists/);
        await assertFails(db.backup(join(folder, "no", "folder", "copy.db")), "database_failed");
        const copy = openSqlite({ file: path, readOnly: true });
        assert.deepEqual(await copy.read(ask("PRAGMA integrity_check")), [["ok"]]);
        const [films, blobs] =
          (await copy.read(ask("SELECT (SELECT count(*) FROM films), (SELECT count(*) FROM blobs)")))[0] ?? [];
        assert.ok(Number(films) >= 400 && films === blobs);
        await copy.close();
      });
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.includes("partial")),
        [],
      );
    }));
});

const neighbour = fileURLToPath(new URL("./fixtures/neighbour.ts", import.meta.url));

describe("a second process on the same file", () => {
  const start = (...args: string[]) => spawn(process.execPath, [neighbour, ...args], { stdio: ["pipe", "pipe", "inherit"] });

  test("four that make the file at once and write at once all get everything in", () =>
    inFolder(async (folder) => {
      const file = join(folder, "a.db");
      const children = ["one", "two", "three", "four"].map((name) => start(file, "write", name));
      const exits = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number));
      assert.deepEqual(exits, [0, 0, 0, 0]);
      const db = openSqlite({ file });
      const rows = await db.read(ask("SELECT author, count(*) FROM notes GROUP BY author ORDER BY author"));
      assert.deepEqual(rows, [
        ["four", 100],
        ["one", 100],
        ["three", 100],
        ["two", 100],
      ]);
      await db.close();
    }));

  test("one that holds the lock makes writes fail as busy, until it lets go", () =>
    inFolder(async (folder) => {
      const file = join(folder, "a.db");
      await withDatabase({ file, busyTimeoutMs: 50 }, async (db) => {
        const child = start(file, "hold");
        await once(child.stdout, "data");
        await assertFails(db.write([addFilm(1)]), "database_busy");
        await assertFails(
          db.transaction(async () => 1),
          "database_busy",
        );
        await assertFails(db.migrate([ask("CREATE TABLE t (a)")]), "database_busy");
        assert.deepEqual(await db.read(ask("SELECT id FROM films")), []);
        child.stdin.write("\n");
        await once(child, "exit");
        await db.write([addFilm(1)]);
      });
    }));
});

describe("a thread that is lost", () => {
  const settings = (file: string) => {
    const { onTrouble: _, ...rest } = resolveOptions({ file });
    return { ...rest, temporary: false };
  };

  test("the writer: its work fails, and the next work starts another", () =>
    inFolder(async (folder) => {
      const file = join(folder, "a.db");
      await withDatabase({ file }, async () => {});
      const workers: Worker[] = [];
      const troubles: string[] = [];
      const open = (events: LinkEvents) => {
        const worker = startThread("writer-thread", settings(file));
        workers.push(worker);
        return linkThread(worker, events);
      };
      const onTrouble = ({ kind }: SqliteTrouble) => void troubles.push(kind);
      const queue = new WriteQueue({ open, isShared: false, max: 100, textsMax: 10, onTrouble, onNews: () => {} });
      const submit = (id: number) => queue.submit({ kind: "unit", steps: queue.encode([addFilm(id)]) }).outcome;
      assert.ok((await submit(1)).ok);
      const limits = { timeoutMs: 5000, retriesMax: 5 };
      const failure = await rejection(
        runTransaction(
          queue,
          async (tx) => {
            await tx.write([addFilm(2)]);
            const waiting = submit(3);
            await workers[0]?.terminate();
            const outcome = await waiting;
            assert.equal(outcome.ok ? null : outcome.failure.code, "write_outcome_unknown");
            await tx.write([addFilm(4)]);
          },
          limits,
        ),
      );
      assert.equal((failure as { code?: string }).code, "database_unreachable", "for sure nothing was written");
      assert.deepEqual(troubles, ["worker_died"]);
      assert.ok((await submit(5)).ok);
      assert.equal(workers.length, 2);
      await queue.idle();
      await queue.close();
      const db = openSqlite({ file });
      assert.deepEqual(await db.read(ask("SELECT id FROM films ORDER BY id")), [[1], [5]]);
      await db.close();
    }));

  test("a long reader: its read fails, and the next read starts another", () =>
    inFolder(async (folder) => {
      const file = join(folder, "a.db");
      await withDatabase({ file }, async () => {});
      const workers: Worker[] = [];
      const start = () => {
        const worker = startThread("reader-thread", settings(file));
        workers.push(worker);
        return worker;
      };
      const reads = new LongReads({ start, threadsMax: 1, queueMax: 2, onTrouble: () => {}, onNews: () => {} });
      const one = () => reads.read(ask("SELECT 1"), 5000);
      const lost = one();
      await workers[0]?.terminate();
      await assertFails(lost, "database_failed");
      assert.deepEqual(await one(), [[1]]);
      const [busy, second, third, fourth] = [one(), one(), one(), one()];
      await assertFails(fourth, "read_timeout");
      assert.deepEqual(await Promise.all([busy, second, third]), [[[1]], [[1]], [[1]]]);
      await reads.close();
    }));
});
