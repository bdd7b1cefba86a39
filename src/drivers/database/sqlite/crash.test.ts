/** Killed at any moment, the database has every acknowledged unit, and every unit whole or not at all. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSqlite } from "./sqlite.ts";

const program = fileURLToPath(new URL("./fixtures/acknowledge.ts", import.meta.url));
const rounds = 5;
/** The number of acknowledgements after which a round is killed grows, so that it hits other moments. */
const killAfter = (round: number) => 40 + round * 37;

/** Runs the program until it has acknowledged so much, kills it, and returns what it had acknowledged by then. */
async function killed(file: string, mode: "honest" | "lying", after: number): Promise<number[]> {
  const child = spawn(process.execPath, [program, file, mode], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === after) child.kill("SIGKILL");
  }
  assert.deepEqual(await exited, [null, "SIGKILL"]);
  return acknowledged;
}

async function assertWhole(file: string, acknowledged: readonly number[]): Promise<void> {
  const db = openSqlite({ file });
  try {
    const rows = await db.read({ text: "SELECT id, count(*) FROM halves GROUP BY id", params: [] });
    const present = new Set(rows.map(([id]) => id));
    assert.deepEqual(
      acknowledged.filter((id) => !present.has(id)),
      [],
      "acknowledged and lost",
    );
    assert.deepEqual(
      rows.filter(([, halves]) => halves !== 2),
      [],
      "half of a unit",
    );
    assert.deepEqual(await db.read({ text: "PRAGMA integrity_check", params: [] }), [["ok"]]);
  } finally {
    await db.close();
  }
}

async function inFolder(run: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-crash-"));
  try {
    await run(join(folder, "data.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a process killed with SIGKILL", () => {
  test("loses no acknowledged unit and leaves no half of one", () =>
    inFolder(async (file) => {
      const acknowledged: number[] = [];
      for (let round = 0; round < rounds; round++) {
        acknowledged.push(...(await killed(file, "honest", killAfter(round))));
        await assertWhole(file, acknowledged);
      }
      assert.equal(new Set(acknowledged).size, acknowledged.length);
    }));

  test("is caught when it acknowledges what it has not written", () =>
    inFolder(async (file) => {
      const acknowledged = await killed(file, "lying", 60);
      await assert.rejects(assertWhole(file, acknowledged), /acknowledged and lost/);
    }));
});
