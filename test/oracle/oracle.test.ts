/**
 * The engine against the oracle: random backends, rows, rules, viewers and queries, answered by both.
 * `ORACLE_SEED` repeats one world, `ORACLE_CASES` asks for a longer run.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { product } from "../fresh.ts";
import { compare, type Difference, makeCase, makeViewers } from "./cases.ts";
import { faults } from "./faults.ts";
import { type Between, load, type Loaded } from "./load.ts";
import { makeModels } from "./make-schema.ts";
import { createRandom } from "./random.ts";
import { report } from "./report.ts";

const casesWanted = Number(process.env["ORACLE_CASES"] ?? 20_000);
const casesPerWorld = 125;
const onlySeed = process.env["ORACLE_SEED"];
/** Cases within which a planted fault must be found. */
const faultCases = 4000;

interface World {
  readonly seed: number;
  readonly cases: number;
  readonly between?: Between;
}

interface Outcome {
  readonly cases: number;
  readonly skipped: number;
  readonly difference: (Difference & { readonly loaded: Loaded; readonly seed: number }) | null;
}

/** Asks one world's cases until one differs. */
async function runWorld({ seed, cases, between = {} }: World): Promise<Outcome> {
  const random = createRandom(seed);
  const loaded = await load({ models: makeModels(random), random, between });
  const viewers = makeViewers(random, loaded.world);
  let skipped = 0;
  try {
    for (let asked = 1; asked <= cases; asked++) {
      const viewer = random.pick(viewers);
      const compared = await compare(loaded, viewer, makeCase({ random, world: loaded.world, viewer }));
      if (compared === "skipped") skipped++;
      else if (compared) return { cases: asked, skipped, difference: { ...compared, loaded, seed } };
    }
    return { cases, skipped, difference: null };
  } finally {
    await loaded.database.close();
  }
}

describe("oracle", () => {
  test("the engine answers as the oracle does", async (context) => {
    const started = Date.now() % 1_000_000;
    const seeds =
      onlySeed === undefined
        ? Array.from({ length: Math.ceil(casesWanted / casesPerWorld) }, (_, index) => started + index)
        : [Number(onlySeed)];
    let cases = 0;
    let skipped = 0;
    for (const seed of seeds) {
      const outcome = await runWorld({ seed, cases: casesPerWorld });
      cases += outcome.cases;
      skipped += outcome.skipped;
      if (outcome.difference) assert.fail(report(outcome.difference));
    }
    context.diagnostic(
      `${cases} cases over ${seeds.length} worlds, seeds ${seeds[0]} to ${seeds.at(-1)}; ${skipped} were refused by a limit`,
    );
    assert.ok(skipped < cases / 20, "most queries stay within the limits");
  });

  // Faults are planted in SQL, and speak SQLite's.
  for (const fault of product === "sqlite" ? faults : []) {
    test(`a planted fault is found: ${fault.name}`, async (context) => {
      let cases = 0;
      for (let seed = 1; cases < faultCases; seed++) {
        const outcome = await runWorld({ seed, cases: 250, between: fault.between });
        cases += outcome.cases;
        if (outcome.difference) return context.diagnostic(`found after ${cases} cases, in world ${seed}`);
      }
      assert.fail(`not found in ${cases} cases`);
    });
  }
});
