/** The snapshot that the reads of one turn share: what may be older than the last commit, and what never is. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Row } from "../../database.ts";
import { openReader, openWriter, prepareFile } from "./connection.ts";
import { resolveOptions } from "./options.ts";
import { createSnapshot } from "./snapshot.ts";
import { openSqlite } from "./sqlite.ts";

const count = { text: "select count(*) from films", params: [] };
const insert = { text: "insert into films default values", params: [], kind: "run" as const };

/** A database, and another process's stand-in that commits at once. */
function open(t: TestContext, options: { readonly checkpointPages?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "snapshot-"));
  const file = join(folder, "a.db");
  const database = openSqlite({ file, ...options });
  const other = new DatabaseSync(file);
  other.exec("create table films (id integer primary key)");
  t.after(async () => {
    other.close();
    await database.close();
    rmSync(folder, { recursive: true });
  });
  const read = (prompt: boolean) => Number((database.read(count, { point: true, prompt }) as readonly Row[])[0]?.[0]);
  /** Opens the turn's snapshot. */
  const share = () => [read(true), read(true)];
  return { database, other, read, share, commit: () => other.exec(insert.text) };
}

describe("reads of one turn", () => {
  test("share what the turn's second one saw; the next turn sees what is committed", async (t) => {
    const { read, share, commit } = open(t);
    share();
    commit();
    assert.equal(read(true), 0, "it is shared");
    await nextTurn();
    assert.equal(read(true), 1);
  });

  test("that are alone in their turn share nothing", (t) => {
    const { read, commit } = open(t);
    read(true);
    commit();
    assert.equal(read(true), 1);
  });

  test("end it where one of them is not prompt", (t) => {
    const { read, share, commit } = open(t);
    share();
    commit();
    assert.deepEqual([read(false), read(true)], [1, 1]);
  });
});

describe("whoever hears of a commit sees it, in the same turn", () => {
  /**
   * Begins work in a turn whose snapshot is open, and holds the turn up until the answer must be there: the poll that then comes
   * brings it within the turn.
   */
  function inOneTurn<T>(share: () => unknown, begin: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      setTimeout(() => {
        share();
        begin().then(resolve, reject);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
      });
    });
  }

  test("from the writer", async (t) => {
    const { database, read, share } = open(t);
    // Timers come before the poll that brings answers: in every turn a snapshot is open then.
    const sharing = setInterval(share, 0);
    try {
      for (let times = 1; times < 20; times++) assert.equal(await database.write([insert]).then(() => read(true)), times);
    } finally {
      clearInterval(sharing);
    }
  });

  test("from a long read", async (t) => {
    const { database, share, commit, read } = open(t);
    await database.read(count, { long: true });
    for (let times = 0; times < 5; times++) {
      const begin = async () => {
        commit();
        const rows = await database.read(count, { long: true });
        return [Number(rows[0]?.[0]), read(true)];
      };
      const [seen, after] = await inOneTurn(share, begin);
      assert.equal(after, seen);
    }
  });
});

describe("the snapshot itself", () => {
  function openBare(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), "snapshot-"));
    const { onTrouble: _, ...rest } = resolveOptions({ file: join(folder, "a.db") });
    const settings = { ...rest, temporary: false };
    prepareFile(settings);
    const writer = openWriter(settings);
    writer.db.exec("create table films (id integer primary key)");
    const reader = openReader(settings);
    t.after(() => {
      reader.db.close();
      writer.db.close();
      rmSync(folder, { recursive: true });
    });
    return reader;
  }

  test("is not opened while the log is long, so that readers leave gaps in which it can start anew", (t) => {
    const reader = openBare(t);
    const log = { isLong: true };
    const snapshot = createSnapshot(reader, () => log.isLong);
    snapshot.enter();
    snapshot.enter();
    assert.ok(!reader.db.isTransaction);
    log.isLong = false;
    snapshot.enter();
    assert.ok(reader.db.isTransaction);
    snapshot.leave();
    assert.ok(!reader.db.isTransaction);
  });

  test("does not mind that an error has ended its transaction", (t) => {
    const reader = openBare(t);
    const snapshot = createSnapshot(reader, () => false);
    snapshot.enter();
    snapshot.enter();
    reader.db.exec("rollback");
    snapshot.leave();
    snapshot.enter();
    snapshot.enter();
    assert.ok(reader.db.isTransaction);
    snapshot.leave();
  });
});
