/** Turns at the write lock: who waits gets it once it is free, and is told when it was not free in time. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { openWriter, prepareFile } from "../connection.ts";
import { resolveOptions } from "../options.ts";
import { createTurns } from "./turns.ts";

const busyTimeoutMs = 1_000;

/** A writer's connection, another process's stand-in that holds the lock, and a clock that moves when it is read. */
function openContended(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "turns-"));
  const { onTrouble: _, ...rest } = resolveOptions({ file: join(folder, "a.db") });
  const settings = { ...rest, temporary: false };
  prepareFile(settings);
  const connection = openWriter(settings);
  const other = new DatabaseSync(settings.file);
  other.exec("BEGIN IMMEDIATE");
  t.after(() => {
    other.close();
    connection.db.close();
    rmSync(folder, { recursive: true });
  });
  return { connection, other };
}

test("waits for as long as it may, then says that the database is busy", (t) => {
  const { connection } = openContended(t);
  const read = { times: 0 };
  const turns = createTurns(connection, { busyTimeoutMs, now: () => 100 * read.times++ });
  assert.equal(turns.begin()?.code, "database_busy");
  assert.equal(read.times - 1, busyTimeoutMs / 100, "it asked until its time was over");
  assert.ok(!connection.db.isTransaction);
});

test("gets the lock as soon as it is free, and again in its next turn", (t) => {
  const { connection, other } = openContended(t);
  const read = { times: 0 };
  const now = () => {
    if (++read.times === 4) other.exec("COMMIT");
    return 0;
  };
  const turns = createTurns(connection, { busyTimeoutMs, now });
  for (let turn = 0; turn < 3; turn++) {
    assert.equal(turns.begin(), null);
    assert.ok(connection.db.isTransaction);
    connection.db.exec("COMMIT");
  }
  assert.equal(read.times, 6, "the later turns found the lock free");
});

test("what is no busy lock is no reason to wait", (t) => {
  const { connection, other } = openContended(t);
  const now = () => 0;
  other.exec("COMMIT");
  connection.db.exec("BEGIN");
  assert.equal(createTurns(connection, { busyTimeoutMs, now }).begin()?.code, "database_failed");
  connection.db.exec("ROLLBACK");
});
