/**
 * The engine's writes against the oracle's: random backends, rows, rules, actors and writes, done by both.
 * `ORACLE_SEED` repeats one world, `ORACLE_WRITES` asks for a longer run.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { product } from "../../fresh.ts";
import { makeViewers } from "../cases.ts";
import { type Between, load, type Loaded } from "../load.ts";
import { createRandom } from "../random.ts";
import { report } from "../report.ts";
import { compareWrite, openArena, type WriteDifference } from "./compare.ts";
import { writeFaults } from "./faults.ts";
import { makeWriteModels } from "./make-models.ts";
import { makeWrite } from "./make-write.ts";

const writesWanted = Number(process.env["ORACLE_WRITES"] ?? 4000);
const writesPerWorld = 50;
const onlySeed = process.env["ORACLE_SEED"];
/** Writes within which a planted fault must be found. */
const faultWrites = 4000;
const startMs = Date.parse("2026-11-21T09:30:00.000Z");

interface Outcome {
  readonly writes: number;
  readonly skipped: number;
  /** Writes that changed something, by their operation. */
  readonly done: ReadonlyMap<string, number>;
  readonly difference: (WriteDifference & { readonly loaded: Loaded; readonly seed: number }) | null;
}

/** Does one world's writes until one differs; each changes the rows that the next one meets. */
async function runWorld(seed: number, between: Between = {}): Promise<Outcome> {
  const random = createRandom(seed);
  const loaded = await load({ models: makeWriteModels(random), random, between, rowsMax: 10 });
  const arena = await openArena(loaded);
  const viewers = makeViewers(random, loaded.world);
  const done = new Map<string, number>();
  let skipped = 0;
  try {
    for (let writes = 1; writes <= writesPerWorld; writes++) {
      const viewer = random.pick(viewers);
      const now = new Date(startMs + writes * 1000).toISOString();
      const { rows } = arena.state;
      const world = { ...loaded.world, rows, now };
      const write = makeWrite({ random, world, viewer });
      const compared = await compareWrite(arena, { viewer, write, now, isLast: writes === writesPerWorld });
      if (compared === "skipped") skipped++;
      else if (compared) return { writes, skipped, done, difference: { ...compared, loaded: { ...loaded, world }, seed } };
      const isDone = [...rows].some(([name, all]) => arena.state.rows.get(name) !== all);
      if (isDone) done.set(write.op, (done.get(write.op) ?? 0) + 1);
    }
    return { writes: writesPerWorld, skipped, done, difference: null };
  } finally {
    await loaded.database.close();
  }
}

describe("oracle of writes", () => {
  test("the engine writes as the oracle does", async (context) => {
    const started = Date.now() % 1_000_000;
    const count = Math.ceil(writesWanted / writesPerWorld);
    const seeds = onlySeed === undefined ? Array.from({ length: count }, (_, index) => started + index) : [Number(onlySeed)];
    const totals = new Map<string, number>();
    let [writes, skipped] = [0, 0];
    for (const seed of seeds) {
      const outcome = await runWorld(seed);
      writes += outcome.writes;
      skipped += outcome.skipped;
      for (const [op, done] of outcome.done) totals.set(op, (totals.get(op) ?? 0) + done);
      if (outcome.difference) assert.fail(report(outcome.difference));
    }
    const told = [...totals].map(([op, done]) => `${done} ${op}`).join(", ");
    context.diagnostic(`${writes} writes over ${seeds.length} worlds, seeds ${seeds[0]} to ${seeds.at(-1)}; done: ${told}`);
    assert.ok(skipped < writes / 20, "most writes stay within the limits");
    if (onlySeed === undefined) assert.equal(totals.size, 9, "each kind of write changes something");
  });

  for (const fault of product === "sqlite" ? writeFaults : []) {
    test(`a planted fault is found: ${fault.name}`, async (context) => {
      let writes = 0;
      for (let seed = 1; writes < faultWrites; seed++) {
        const outcome = await runWorld(seed, fault.between);
        writes += outcome.writes;
        if (outcome.difference) return context.diagnostic(`found after ${writes} writes, in world ${seed}`);
      }
      assert.fail(`not found in ${writes} writes`);
    });
  }
});
