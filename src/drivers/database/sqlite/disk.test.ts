/** What the driver does when the disk is full, slow or failing: real ones, made so for the test. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Database } from "../../database.ts";
import { assertFails } from "../conformance-asks.ts";
import { openSqlite, type SqliteOptions, type SqliteTrouble } from "./sqlite.ts";

const create = { text: "CREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB) STRICT", params: [] };

function insert(db: Database, id: number, bytes: number): Promise<unknown> {
  return db.write([{ text: "INSERT INTO notes VALUES (?, ?)", kind: "run", params: [id, new Uint8Array(bytes)] }]);
}

async function ids(db: Database): Promise<unknown[]> {
  return (await db.read({ text: "SELECT id FROM notes ORDER BY id", params: [] })).map(([id]) => id);
}

/** Why no disk of a given size can be made here; false when one can. */
function noSmallDisk(): string | false {
  try {
    withSmallDisk("64k", () => {});
    return false;
  } catch {
    return "mounting a file system needs root";
  }
}

function withSmallDisk<T>(size: string, run: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  const end = () => {
    execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  };
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], { stdio: "ignore" });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const result = run(folder);
  if (!(result instanceof Promise)) end();
  return result instanceof Promise ? (result.finally(end) as T) : result;
}

interface Opened {
  readonly db: Database;
  readonly file: string;
  readonly folder: string;
  readonly troubles: readonly SqliteTrouble[];
}

/** Opens a database on a disk of `size` and closes it in the end. */
function onSmallDisk(size: string, options: Omit<SqliteOptions, "file">, run: (opened: Opened) => Promise<void>): Promise<void> {
  return withSmallDisk(size, async (folder) => {
    const troubles: SqliteTrouble[] = [];
    const file = join(folder, "data.db");
    const db = openSqlite({ file, ...options, onTrouble: (trouble) => troubles.push(trouble) });
    try {
      await db.migrate([create]);
      await run({ db, file, folder, troubles });
    } finally {
      await db.close();
    }
  });
}

describe("a full disk", { skip: noSmallDisk() }, () => {
  for (const checkpointPages of [20, 100_000]) {
    test(`fails writes only while it is full (checkpoint at ${checkpointPages} pages)`, () =>
      onSmallDisk("2m", { checkpointPages }, async ({ db, folder, troubles }) => {
        const filler = join(folder, "filler");
        writeFileSync(filler, Buffer.alloc(1_200_000));
        const acknowledged: number[] = [];
        const failed: Promise<unknown>[] = [];
        for (let id = 1; failed.length < 30; id++) {
          const written = insert(db, id, id % 10 === 0 ? 30_000 : 3000);
          await written.then(() => acknowledged.push(id)).catch(() => failed.push(written));
          assert.ok(id < 10_000, "the disk never got full");
        }
        for (const write of failed) await assertFails(write, "database_full");
        assert.equal(db.state(), "ready");
        assert.deepEqual(await ids(db), acknowledged);
        assert.ok(troubles.length <= 2, "a lasting trouble is told once");
        rmSync(filler);
        await insert(db, 20_000, 30_000);
        assert.deepEqual(await ids(db), [...acknowledged, 20_000]);
      }));
  }

  test("fails those units that it has no room for, not their neighbours in the same commit", () =>
    onSmallDisk("2m", {}, async ({ db }) => {
      const outcomes = await Promise.allSettled(Array.from({ length: 9 }, (_, id) => insert(db, id, id === 4 ? 3_000_000 : 100)));
      assert.deepEqual(await ids(db), [0, 1, 2, 3, 5, 6, 7, 8]);
      assert.deepEqual(
        outcomes.map(({ status }) => status === "fulfilled"),
        outcomes.map((_, id) => id !== 4),
      );
    }));

  test("leaves no failed commit in the log for a recovery to find", () =>
    onSmallDisk("40m", { checkpointPages: 100_000, groupUnitsMax: 1 }, async ({ db, file, folder }) => {
      // The first part of the log's index holds 4062 frames of 4120 bytes; the next part needs 32 KB at once.
      const frames = () => (statSync(`${file}-wal`).size - 32) / 4120;
      let id = 0;
      while (frames() < 4050) await insert(db, ++id, 10);
      const { bavail, bsize } = statfsSync(folder);
      const filler = join(folder, "filler");
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 76 * 1024));
      await assertFails(insert(db, ++id, 13 * 4096), "database_full");
      assert.ok(frames() > 4062, "the commit had room in the log, and its index had none");
      const image = join(folder, "image");
      rmSync(filler);
      mkdirSync(image);
      for (const part of ["", "-wal"]) copyFileSync(`${file}${part}`, join(image, `data.db${part}`));
      const recovered = openSqlite({ file: join(image, "data.db") });
      assert.equal((await ids(recovered)).length, id - 1);
      await recovered.close();
      await insert(db, ++id, 13 * 4096);
      assert.equal(db.state(), "ready");
    }));
});

/** Why system calls cannot be made to fail here; false when they can. */
function noInjection(): string | false {
  try {
    execFileSync("strace", ["-f", "-o", "/dev/null", process.execPath, "--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "strace is missing or not allowed to trace";
  }
}

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  /** What becomes of syncs; none: the disk is sound. */
  readonly inject?: string;
}

/** Runs a fixture and returns what it printed as JSON. */
function runProgram<T>({ name, args, inject }: Program): T {
  const program = fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
  const command = [process.execPath, program, ...args];
  const calls = "fsync,fdatasync";
  const tracer = [
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:${inject}`,
  ];
  const [head = "", ...rest] = inject === undefined ? command : [...tracer, ...command];
  return JSON.parse(execFileSync(head, rest, { encoding: "utf8" })) as T;
}

function inFolder<T>(run: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  const end = () => rmSync(folder, { recursive: true });
  const result = run(join(folder, "data.db"));
  if (!(result instanceof Promise)) end();
  return result instanceof Promise ? (result.finally(end) as T) : result;
}

interface Seen {
  readonly acknowledged: readonly number[];
  readonly codes: readonly string[];
  readonly read: readonly number[];
  readonly state: string;
  readonly troubles: readonly string[];
}

describe("a disk whose sync fails", { skip: noInjection() }, () => {
  const cases = [8, 15, 22].flatMap((when) => [
    { when, pages: 1000 },
    { when, pages: 1 },
    { when: when + 1, pages: 1 },
  ]);
  for (const { when, pages } of cases) {
    test(`takes no more writes after sync ${when} (checkpoint at ${pages}), reads on, and keeps what was acknowledged`, () =>
      inFolder(async (file) => {
        const args = [file, "40", String(pages)];
        const seen = runProgram<Seen>({ name: "sync-fails", args, inject: `error=EIO:when=${when}+` });
        assert.ok(seen.acknowledged.length > 0 && seen.codes.length > 0, "it failed somewhere on the way");
        assert.equal(seen.acknowledged.length + seen.codes.length, 40);
        assert.deepEqual([...new Set(seen.codes)], ["database_read_only"]);
        assert.equal(seen.acknowledged.at(-1), seen.acknowledged.length, "nothing was acknowledged after the failure");
        assert.deepEqual(seen.read, seen.acknowledged);
        assert.deepEqual([seen.state, seen.troubles], ["read-only", ["sync_failed"]]);
        const db = openSqlite({ file });
        const kept = await ids(db);
        // Of the one unit whose sync failed nobody knows; of all others everybody does.
        assert.deepEqual(kept.slice(0, seen.acknowledged.length), seen.acknowledged);
        assert.ok(kept.length <= seen.acknowledged.length + 1);
        await db.close();
      }));
  }

  for (const order of ["apart", "together"]) {
    test(`a sync that fails once is not tried again, for writes that come ${order}`, () =>
      inFolder((file) => {
        const args = [file, "40", "1000", order];
        const seen = runProgram<Seen>({ name: "sync-fails", args, inject: "error=EIO:when=12" });
        assert.equal(seen.state, "read-only");
        assert.ok(seen.codes.length > 10);
        assert.equal(seen.acknowledged.at(-1), seen.acknowledged.length, "nothing was acknowledged after the failure");
        assert.deepEqual(seen.read, seen.acknowledged);
      }));
  }

  test("stops all who share a writer, those who join later too, even when the writer is another one by then", () =>
    inFolder((file) => {
      const seen = runProgram<Seen & { told: readonly boolean[]; lost: boolean }>({
        name: "sync-lost",
        args: [file],
        inject: "error=EIO:when=20+",
      });
      assert.ok(seen.acknowledged.length > 0, "some were written before");
      assert.deepEqual([seen.codes, seen.told, seen.lost], [["database_read_only"], [true, true, true, true], true]);
      assert.deepEqual(seen.read, seen.acknowledged);
    }));

  test("is told from a sound one", () =>
    inFolder((file) => {
      const seen = runProgram<Seen>({ name: "sync-fails", args: [file] });
      assert.deepEqual([seen.state, seen.codes, seen.acknowledged.length], ["ready", [], 40]);
    }));
});

describe("a disk that takes 10 ms to sync", { skip: noInjection() }, () => {
  const inject = "delay_enter=10000";
  const median = (counts: readonly number[]) => counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0;

  test("does not hold up reads: many are answered while one write waits", () =>
    inFolder((file) => {
      const reads = runProgram<number[]>({ name: "read-on", args: [file, "driver"], inject });
      assert.ok(median(reads) >= 20, `reads during each write: ${reads.join(" ")}`);
    }));

  test("would be noticed if a commit ran on the main thread", () =>
    inFolder((file) => {
      const reads = runProgram<number[]>({ name: "read-on", args: [file, "here"], inject });
      assert.ok(median(reads) < 20, `reads during each write: ${reads.join(" ")}`);
    }));
});
