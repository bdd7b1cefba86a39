/** kill -9 while an adopted SQLite database is written: what is committed over two files is whole, or what the guide says of WAL. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { canTrace } from "../crash/disks.ts";
import { needs } from "../needs.ts";
import { tables } from "./crash/backend.ts";
import { makeDatabase } from "./place.ts";

type Mode = "delete" | "wal";

const program = fileURLToPath(new URL("./crash/program.ts", import.meta.url));
/** CRASH_ROUNDS asks for more. */
const rounds = Math.ceil(Number(process.env["CRASH_ROUNDS"] ?? 50) / 10);

async function inFolder(mode: Mode, run: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-adopted-crash-"));
  try {
    const file = join(folder, "theirs.db");
    makeDatabase(file, `PRAGMA journal_mode = ${mode}; ${tables}`);
    await run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Ended {
  readonly acknowledged: readonly number[];
  readonly isKilled: boolean;
}

/** Runs the program until it ends, is killed after so many acknowledgements, or by what it is run under. */
async function runProgram(
  argv: readonly string[],
  { under = [], after }: { readonly under?: readonly string[]; readonly after?: number },
): Promise<Ended> {
  const [command = "", ...rest] = [...under, process.execPath, ...process.execArgv, program, ...argv];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready") continue;
    acknowledged.push(Number(line));
    if (acknowledged.length === after) child.kill("SIGKILL");
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  return { acknowledged, isKilled: signal === "SIGKILL" || code === 128 + 9 };
}

interface Found {
  /** What must never be. */
  readonly faults: readonly string[];
  /** Changes that are in the database and have no record: in WAL, and there alone, those of one commit may be so. */
  readonly unrecorded: readonly string[];
}

/** Compares rows with records. SQLite itself mends both files as they are opened. */
function compare(file: string, acknowledged: readonly number[]): Found {
  const db = new DatabaseSync(file);
  try {
    db.prepare("ATTACH ? AS beside").run(`${file}.holdfast.db`);
    const rows = new Map(
      db
        .prepare("SELECT id, body FROM note")
        .all()
        .map(({ id, body }) => [Number(id), String(body)]),
    );
    const bodies = new Map<number, string>();
    for (const { row_id: id, after } of db.prepare("SELECT row_id, after FROM beside._changes ORDER BY seq").all())
      bodies.set(Number(id), (JSON.parse(String(after)) as { body: string }).body);
    const damage = ["main", "beside"].flatMap((place) =>
      db
        .prepare(`PRAGMA ${place}.integrity_check`)
        .all()
        .map((row) => String(row["integrity_check"]))
        .filter((line) => line !== "ok"),
    );
    const order = ["absent", "first", "second"];
    const differing = [...new Set([...rows.keys(), ...bodies.keys()])].filter((id) => rows.get(id) !== bodies.get(id));
    const isAhead = (id: number) => order.indexOf(rows.get(id) ?? "absent") > order.indexOf(bodies.get(id) ?? "absent");
    return {
      faults: [
        ...damage,
        ...acknowledged
          .filter((id) => rows.get(id) !== "second")
          .map((id) => `${id} was acknowledged and is ${rows.get(id) ?? "lost"}`),
        ...differing
          .filter((id) => !isAhead(id))
          .map((id) => `${id} is ${rows.get(id) ?? "absent"}, and ${bodies.get(id) ?? "absent"} by its records`),
      ],
      unrecorded: differing.filter(isAhead).map((id) => `${id} is ${rows.get(id)}, and its records do not say so`),
    };
  } finally {
    db.close();
  }
}

describe("an adopted database whose writer is killed", () => {
  for (const mode of ["delete", "wal"] as const)
    test(`in the mode ${mode}, ${rounds} times under load`, async (t) => {
      await inFolder(mode, async (file) => {
        const acknowledged: number[] = [];
        let unrecorded = 0;
        for (let round = 0; round < rounds; round++) {
          const ended = await runProgram([file, "8"], { after: 20 + round * 17 });
          assert.ok(ended.isKilled);
          acknowledged.push(...ended.acknowledged);
          const found = compare(file, acknowledged);
          assert.deepEqual(found.faults, []);
          if (mode === "delete") assert.deepEqual(found.unrecorded, []);
          unrecorded = found.unrecorded.length;
        }
        t.diagnostic(`${acknowledged.length} acknowledged in ${rounds} rounds, ${unrecorded} changes without a record`);
      });
    });

  // Without --seccomp-bpf, under which only the first is met.
  const killAt = (call: string, time: number) => {
    const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${time}`];
    return ["strace", "-f", "-qq", "-o", "/dev/null", ...inject];
  };
  const callsMax = 60;
  const modes = [
    { mode: "delete", calls: ["fsync,fdatasync", "unlink"], seen: false, says: "there is never a half" },
    { mode: "wal", calls: ["fsync,fdatasync"], seen: true, says: "a row may lack its record" },
  ] as const;
  for (const { mode, calls, seen, says } of modes)
    test(`in the mode ${mode}, at each sync of a commit: ${says}`, needs("strace", canTrace()), async (t) => {
      await inFolder(mode, async (file) => {
        // What is made once is made.
        assert.equal((await runProgram([file, "1", "1"], {})).isKilled, false);
        let [halves, kills] = [0, 0];
        for (const call of calls)
          for (let time = 1; ; time++) {
            assert.ok(time < callsMax, "the program has an end");
            const { acknowledged, isKilled } = await runProgram([file, "1", "1"], { under: killAt(call, time) });
            const found = compare(file, acknowledged);
            assert.deepEqual(found.faults, [], `${call} ${time}`);
            if (!seen) assert.deepEqual(found.unrecorded, [], `${call} ${time}`);
            if (!isKilled) break;
            kills++;
            halves = found.unrecorded.length;
          }
        t.diagnostic(`killed at ${kills} calls; ${halves} changes without a record at the end`);
        assert.ok(kills >= 4);
        assert.equal(halves > 0, seen);
      });
    });
});

describe("the comparison finds what was done to one of the files", () => {
  const doctored: readonly (readonly [what: string, sql: string, finding: RegExp])[] = [
    ["a row that is lost", "DELETE FROM note WHERE id = 2", /2 was acknowledged and is lost/],
    ["an older row", "UPDATE note SET body = 'first' WHERE id = 1", /1 is first, and second by its records/],
    ["a record that is missing", "DELETE FROM beside._changes WHERE row_id = '2'", /2 is second, and its records do not say so/],
  ];
  for (const [what, sql, finding] of doctored)
    test(what, async () => {
      await inFolder("delete", async (file) => {
        const { acknowledged } = await runProgram([file, "1", "3"], {});
        assert.deepEqual([acknowledged.length, compare(file, acknowledged)], [3, { faults: [], unrecorded: [] }]);
        makeDatabase(file, `ATTACH '${file}.holdfast.db' AS beside; ${sql}`);
        const { faults, unrecorded } = compare(file, acknowledged);
        assert.ok(
          [...faults, ...unrecorded].some((fault) => finding.test(fault)),
          faults.join("\n"),
        );
      });
    });
});
