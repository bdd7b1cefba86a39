/**
 * The same backend, rows and calls on every database: answers are compared to the byte, and refusals to the word.
 * `ORACLE_SEED` repeats one world, `DATABASES_CASES` asks for a longer run.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { describe, test } from "node:test";
import { needsService } from "../needs.ts";
import type { Dialect } from "../../src/drivers/dialect.ts";
import { type FreshDatabase, freshDatabase } from "../servers/databases.ts";
import { type ServiceName, serviceUrl } from "../servers/names.ts";
import { answerText, type Case, makeCase, makeViewers } from "./cases.ts";
import { type Between, load, type Loaded } from "./load.ts";
import { makeModels } from "./make-schema.ts";
import { createRandom } from "./random.ts";
import type { Viewer } from "./world.ts";

const casesWanted = Number(process.env["DATABASES_CASES"] ?? 20_000);
const casesPerWorld = 400;
const onlySeed = process.env["ORACLE_SEED"];

type OpenEmpty = () => Promise<FreshDatabase>;

const sqlite: OpenEmpty = () => Promise.resolve({ url: "sqlite::memory:", drop: async () => {} });

/** The world of a seed on one database, and what is asked of it: both follow from the seed alone. */
async function openWorld(seed: number, openEmpty: OpenEmpty, between: Between = {}) {
  const random = createRandom(seed);
  const loaded = await load({ models: makeModels(random), random, openEmpty, between });
  return { loaded, random, viewers: makeViewers(random, loaded.world) };
}

interface Asked {
  readonly viewer: Viewer;
  readonly asked: Case;
}

interface Compared {
  readonly cases: number;
  readonly other: OpenEmpty;
  /** A fault planted in the other. */
  readonly between?: Between;
}

/** Asks both until they differ. */
async function compareWorld(seed: number, { cases, other, between = {} }: Compared): Promise<void> {
  const { loaded, random, viewers } = await openWorld(seed, sqlite);
  const { loaded: theirs } = await openWorld(seed, other, between);
  try {
    for (let count = 0; count < cases; count++) {
      const viewer = random.pick(viewers);
      const asked = makeCase({ random, world: loaded.world, viewer });
      await compareCase({ viewer, asked }, { mine: loaded, theirs, seed });
    }
  } finally {
    await Promise.all([loaded.database.close(), theirs.database.close()]);
  }
}

async function compareCase({ viewer, asked }: Asked, at: { mine: Loaded; theirs: Loaded; seed: number }): Promise<void> {
  const all = togetherWith(asked, at.mine);
  const mine = await Promise.all(all.map((one) => answerText(at.mine, viewer, one)));
  const theirs = await Promise.all(all.map((one) => answerText(at.theirs, viewer, theirsOf(one, at))));
  if (isDeepStrictEqual(mine, theirs)) return;
  const said = { viewer, asked, sqlite: mine, other: theirs };
  assert.fail(`world ${at.seed}: the databases differ; ORACLE_SEED=${at.seed} asks again\n${JSON.stringify(said, null, 1)}`);
}

// Single rows that are asked for at once share a statement on a server: each is asked for along with another one.
function togetherWith(asked: Case, { world }: Loaded): readonly Case[] {
  if (asked.kind !== "get") return [asked];
  return [asked, { ...asked, row: world.rows.get(asked.model)?.[0] ?? null }];
}

// A single row is named by the row itself, which each world has of its own.
function theirsOf(asked: Case, { mine, theirs }: { mine: Loaded; theirs: Loaded }): Case {
  if (asked.kind !== "get" || asked.row === null) return asked;
  const place = mine.world.rows.get(asked.model)?.indexOf(asked.row) ?? -1;
  return { ...asked, row: theirs.world.rows.get(asked.model)?.[place] ?? null };
}

/** Spelt so that every database understands them. */
const faults: readonly (readonly [name: string, between: Between])[] = [
  ["not as SQL has it", { dialect: (dialect) => ({ ...dialect, not: (condition) => `not (${condition})` }) }],
  [
    "lists that only rise",
    {
      dialect: (dialect) => {
        const term: Dialect["sorting"]["term"] = (by) => dialect.sorting.term({ ...by, descending: false });
        return { ...dialect, sorting: { ...dialect.sorting, term } };
      },
    },
  ],
  [
    "a byte too many in related rows",
    {
      dialect: (dialect) => {
        const when: Dialect["json"]["when"] = (condition, object) => `concat(${dialect.json.when(condition, object)}, ' ')`;
        return { ...dialect, json: { ...dialect.json, when } };
      },
    },
  ],
];
/** Worlds within which a planted fault must be found. */
const faultWorlds = 6;

function compareWith(name: ServiceName, wanted: number = casesWanted): void {
  const other = () => freshDatabase(serviceUrl(name));

  test("answers as SQLite does, to the byte", async (context) => {
    const started = Date.now() % 1_000_000;
    const worlds = Math.ceil(wanted / casesPerWorld);
    const seeds = onlySeed === undefined ? Array.from({ length: worlds }, (_, index) => started + index) : [Number(onlySeed)];
    for (const seed of seeds) await compareWorld(seed, { cases: casesPerWorld, other });
    context.diagnostic(`${seeds.length * casesPerWorld} cases over ${seeds.length} worlds, seeds ${seeds[0]} to ${seeds.at(-1)}`);
  });

  for (const [fault, between] of faults) {
    test(`a planted fault is found: ${fault}`, async () => {
      const asked = async () => {
        for (let seed = 1; seed <= faultWorlds; seed++) await compareWorld(seed, { cases: casesPerWorld, other, between });
      };
      await assert.rejects(asked, /the databases differ/);
    });
  }
}

describe("PostgreSQL", needsService("postgres"), () => compareWith("postgres"));
describe("MariaDB", needsService("mariadb"), () => compareWith("mariadb"));
// It shares MariaDB's dialect but for a few words.
describe("MySQL", needsService("mysql"), () => compareWith("mysql", casesWanted / 4));
