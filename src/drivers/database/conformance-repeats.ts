/** The conformance kit's cases of parts that repeat within a unit: whether they run together or not, nobody can tell. */
import assert from "node:assert/strict";
import { type Database, type Step, type StepResult, UnitRefused, type UnitOptions } from "../database.ts";
import {
  ask,
  assertRefused,
  type Case,
  checkStep,
  filmIds,
  type KitWords,
  rowsStep,
  runStep,
  standardWords,
} from "./conformance-asks.ts";

/** A director, then films of theirs: four steps each, as the compiler writes them. */
export function filmsOf(
  director: number,
  titles: readonly (readonly [id: number, title: string])[],
  { integer, returns }: KitWords = standardWords,
) {
  const add = `insert into people (id, name) values (CAST(? AS ${integer}), 'Mann')`;
  const directors = returns
    ? [rowsStep(`${add} returning id`, director)]
    : [runStep(add, director), rowsStep(`select CAST(? AS ${integer})`, director)];
  const from = directors.length;
  const parts = titles.map(([id, title]): Step[] => [
    runStep(
      `insert into "films" (id, title, director) values (CAST(? AS ${integer}), CAST(? AS CHAR(40)), CAST(? AS ${integer}))`,
      id,
      title,
      { step: from - 1, column: 0 },
    ),
    checkStep(
      `select case when t0.title = CAST(? AS CHAR(40)) then 'not that' end from "films" t0 where t0.id = CAST(? AS ${integer})`,
      "Cats",
      id,
    ),
    {
      ...runStep(
        `insert into "samples" (id, words) select t0.id, t0.title from "films" t0 where t0.id = CAST(? AS ${integer})`,
        id,
      ),
      changes: { min: 1, max: 1, reason: "count" },
    },
    rowsStep(`select t0.title, t0.director, t0.stock from "films" t0 where t0.id = CAST(? AS ${integer})`, id),
  ]);
  const unit = [
    ...directors,
    ...parts.flat(),
    rowsStep(`select count(*) from films where director = CAST(? AS ${integer})`, director),
  ];
  const options: UnitOptions = { repeats: [{ from, steps: 4, times: titles.length }] };
  return { unit, options, from };
}

type Write = (unit: readonly Step[], options: UnitOptions) => Promise<readonly StepResult[]>;

/** Writes by itself, and in a transaction that goes on after a refusal. */
function waysOf(db: Database): readonly Write[] {
  return [
    (unit, options) => db.write(unit, options),
    (unit, options) =>
      db.transaction(async (tx) => {
        const outcome = await tx.write(unit, options).catch((error: unknown) => error);
        assert.equal((await tx.read(ask("select 1"))).length, 1);
        if (!Array.isArray(outcome)) throw outcome;
        return outcome as readonly StepResult[];
      }),
  ];
}

export const repeatCases: readonly Case[] = [
  {
    name: "parts that repeat answer each for itself, in their order",
    async run(db, words) {
      for (const [way, write] of waysOf(db).entries()) {
        const titles = Array.from(
          { length: 30 },
          (_, index) => [way * 100 + 30 - index, `it's ? "${way}.${index}" 😀\\`] as const,
        );
        const { unit, options, from } = filmsOf(way, titles, words);
        const results = await write(unit, options);
        assert.equal(results.length, unit.length);
        for (const [index, [, title]] of titles.entries()) {
          const own = results.slice(from + index * 4, from + 4 + index * 4).map(({ rows, changes }) => [rows, changes]);
          assert.deepEqual(own, [
            [[], 1],
            [[], 0],
            [[], 1],
            [[[title, way, null]], 0],
          ]);
        }
        assert.deepEqual(results.at(-1)?.rows, [[30]]);
      }
    },
  },
  {
    name: "of parts that repeat the one that fails is told by its step, and nothing is left of any",
    async run(db, words) {
      const { from } = filmsOf(0, [], words);
      const argumentsOf = (director: number, titles: Parameters<typeof filmsOf>[1]): Parameters<Write> => {
        const { unit, options } = filmsOf(director, titles, words);
        return [unit, options];
      };
      const [alone] = waysOf(db) as readonly [Write];
      await alone(...argumentsOf(0, [[1, "Heat"]]));
      for (const write of waysOf(db)) {
        const taken = await assertRefused(
          write(
            ...argumentsOf(7, [
              [11, "Ali"],
              [12, "Thief"],
              [13, "Heat"],
              [14, "Cats"],
            ]),
          ),
          "unique",
          from + 8,
        );
        assert.deepEqual(taken.columns, ["title", "year"]);
        // The first in the order of the unit, not of the steps.
        await assertRefused(
          write(
            ...argumentsOf(7, [
              [11, "Ali"],
              [12, "Cats"],
              [13, "Heat"],
            ]),
          ),
          "not that",
          from + 5,
        );
      }
      const alsoGood = await Promise.allSettled([
        db.write(...argumentsOf(8, [[21, "Ali"]])),
        db.write(
          ...argumentsOf(9, [
            [22, "Thief"],
            [23, "Cats"],
          ]),
        ),
        db.write(
          ...argumentsOf(10, [
            [24, "Miami"],
            [25, "Blackhat"],
          ]),
        ),
      ]);
      assert.deepEqual(
        alsoGood.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      const [, refused] = alsoGood as readonly PromiseRejectedResult[];
      assert.ok(refused?.reason instanceof UnitRefused && refused.reason.step === from + 5);
      assert.deepEqual(await filmIds(db), [1, 21, 24, 25]);
    },
  },
];
