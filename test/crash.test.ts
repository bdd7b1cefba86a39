/** kill -9 under load, again and again: nothing acknowledged is lost, nothing is there by half, nothing is doubled. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { createApp } from "holdfast";
import { ledgerBackend } from "./crash/backend.ts";
import { createLedger, type Ledger } from "./crash/ledger.ts";
import { runRounds } from "./crash/rounds.ts";
import { verify } from "./crash/verify.ts";

/** CRASH_ROUNDS asks for more, CRASH_SEED for others. */
const rounds = Number(process.env["CRASH_ROUNDS"] ?? 50);
const seed = Number(process.env["CRASH_SEED"] ?? 1);

test(`killed ${rounds} times under load (seed ${seed})`, async (t) => {
  const { acknowledged, faults } = await runRounds(rounds, { mode: "honest", seed });
  assert.deepEqual(faults, []);
  assert.ok(acknowledged > rounds * 10, `only ${acknowledged} writes were acknowledged`);
  t.diagnostic(`${acknowledged} writes acknowledged in ${rounds} rounds`);
});

test("a server that acknowledges before it commits is caught", async () => {
  const { faults } = await runRounds(10, { mode: "early", seed });
  assert.ok(
    faults.some((fault) => /was acknowledged/.test(fault)),
    "no round noticed",
  );
});

describe("the verifier finds what was done to a database", () => {
  const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

  /** A sound database with a row that was changed twice, one that is gone, a batch and a keyed row. */
  async function withSound(run: (at: { file: string; ledger: Ledger; db: DatabaseSync }) => void): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-crash-"));
    const file = join(folder, "data.db");
    const app = await createApp(ledgerBackend, { database: `sqlite:${file}`, log: false });
    const { entries } = app.system;
    const ledger = createLedger();
    await entries.create({ id: id(1), tag: "row", value: 1 });
    await entries.update(id(1), { value: 2 });
    await entries.create({ id: id(2), tag: "row", value: 1 });
    await entries.delete(id(2));
    await entries.createMany([3, 4].map((n) => ({ id: id(n), tag: "batch", value: 1 })));
    await entries.create({ id: id(5), tag: "key a", value: 7 });
    await app.stop();
    ledger.rows.set(id(1), { sure: 2, maybe: null });
    ledger.rows.set(id(2), { sure: "absent", maybe: null });
    ledger.batches.push({ ids: [id(3), id(4)], acknowledged: true });
    ledger.keyed.push({ key: "a", tag: "key a", value: 7, answer: "{}" });
    const db = new DatabaseSync(file);
    try {
      assert.deepEqual(verify(file, ledger), []);
      run({ file, ledger, db });
    } finally {
      db.close();
      rmSync(folder, { recursive: true });
    }
  }

  const doctored: readonly [what: string, sql: string, finding: RegExp][] = [
    ["a lost row", `delete from entries where id = '${id(1)}'`, /was acknowledged as 2 and is absent/],
    [
      "a row that is back",
      `insert into entries select '${id(2)}', tag, value, created_at, updated_at, version from entries limit 1`,
      /as absent and is/,
    ],
    ["an older value", `update entries set value = 1 where id = '${id(1)}'`, /was acknowledged as 2 and is 1/],
    ["half a batch", `delete from entries where id = '${id(4)}'`, /is there by 1 of 2/],
    ["a lost batch", "delete from entries where tag = 'batch'", /batch .* was acknowledged and is lost/],
    ["a lost keyed row", "delete from entries where tag = 'key a'", /key a was acknowledged and is lost/],
    [
      "a doubled key",
      `insert into entries select '${id(9)}', tag, value, created_at, updated_at, version from entries where tag = 'key a'`,
      /key a was doubled: 2 rows/,
    ],
    ["a change without a record", "update entries set tag = 'other' where tag = 'row'", /is not what its changes say/],
    ["a record without a change", `delete from entries where id = '${id(3)}'`, /is there by its changes, and is not/],
    ["a record that is missing", `delete from _changes where row_id = '${id(1)}' and kind = 'insert'`, /is version 2 after 0/],
    ["a record of another past", `update _changes set before = '{}' where kind = 'update'`, /says that row .* was \{\}/],
    ["a second insert", `update _changes set kind = 'insert' where kind = 'update'`, /is insert of a row that is there/],
  ];
  for (const [what, sql, finding] of doctored) {
    test(what, () =>
      withSound(({ file, ledger, db }) => {
        db.exec(sql);
        const faults = verify(file, ledger);
        assert.ok(
          faults.some((fault) => finding.test(fault)),
          faults.join("\n"),
        );
      }),
    );
  }
});
