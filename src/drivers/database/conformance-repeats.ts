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

/** Changes of films, each recorded with its title as it was: five steps each, of which the fourth looks back at the second. */
export function changesOf(
  changed: readonly (readonly [id: number, title: string])[],
  verb: "update" | "delete",
  { integer }: KitWords = standardWords,
) {
  const key = `"films".id = CAST(? AS ${integer})`;
  const one = { min: 1, max: 1, reason: "count" };
  const parts = changed.map(([id, title], index): Step[] => {
    const before = { step: index * 5 + 1, column: 0 };
    return [
      checkStep(`select case when t0.year > 1 then 'too late' end from "films" t0 where t0.id = CAST(? AS ${integer})`, id),
      rowsStep(`select t0.title, t0.year from "films" t0 where t0.id = CAST(? AS ${integer})`, id),
      verb === "delete"
        ? runStep(`update "films" set "year" = "year" + 1 where ${key} and "title" <> ' where ?'`, id)
        : {
            ...runStep(`update "films" set "title" = CAST(? AS CHAR(40)), "year" = "year" + 1 where ${key}`, title, id),
            changes: one,
          },
      {
        ...runStep(
          `insert into "samples" (id, words) select t0.id + 100 * t0.year, CAST(? AS CHAR(40)) from "films" t0 where t0.id = CAST(? AS ${integer})`,
          before,
          id,
        ),
        changes: one,
      },
      verb === "delete"
        ? { ...runStep(`delete from "films" where ${key}`, id), changes: one }
        : rowsStep(`select t0.title, t0.year from "films" t0 where t0.id = CAST(? AS ${integer})`, id),
    ];
  });
  const options: UnitOptions = { repeats: [{ from: 0, steps: 5, times: changed.length }] };
  return { unit: parts.flat(), options };
}

const insertFilm = "insert into films (id, title) values (?, ?)";
const oddTitles = ["it's", '\\n{"a",NULL}', "NULL", "", "=", "-", "😀 ?", " where b", "a\nb", "x".repeat(40)];

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
  {
    name: "of changes that repeat each is of its own row, and hands on what it has found there itself",
    async run(db, words) {
      const ids = oddTitles.map((_, id) => id);
      await db.write(oddTitles.map((title, id) => runStep(insertFilm, id, title)));
      const turned = ids.map((id) => [id, oddTitles.at(-1 - id) ?? ""] as const);
      const temporary = changesOf(
        ids.toReversed().map((id) => [id, `film ${id}`] as const),
        "update",
        words,
      );
      const results = await db.write(temporary.unit, temporary.options);
      assert.deepEqual(
        ids.toReversed().map((id, index) => results.slice(index * 5, index * 5 + 5).map(({ rows, changes }) => [rows, changes])),
        ids.toReversed().map((id) => [
          [[], 0],
          [[[oddTitles[id], 0]], 0],
          [[], 1],
          [[], 1],
          [[[`film ${id}`, 1]], 0],
        ]),
      );
      assert.deepEqual(
        await db.read(ask("select id % 100, words from samples order by id")),
        oddTitles.map((title, id) => [id, title]),
      );
      await db.write([runStep("delete from samples")]);
      const gone = changesOf(turned, "delete", words);
      await db.transaction((tx) => tx.write(gone.unit, gone.options));
      assert.deepEqual(await filmIds(db), []);
      assert.deepEqual(
        await db.read(ask("select id % 100, words from samples order by id")),
        ids.map((id) => [id, `film ${id}`]),
      );
    },
  },
  {
    name: "of changes that repeat none is made where one of them is refused",
    async run(db, words) {
      const ids = [1, 2, 3, 4];
      await db.write(ids.map((id) => runStep(insertFilm, id, `film ${id}`)));
      await db.write([runStep("update films set year = 5 where id = 3")]);
      for (const write of waysOf(db)) {
        const late = changesOf(
          ids.map((id) => [id, `new ${id}`] as const),
          "update",
          words,
        );
        await assertRefused(write(late.unit, late.options), "too late", 10);
        const taken = changesOf(
          [
            [1, "other"],
            [2, "other"],
            [4, "another"],
          ],
          "update",
          words,
        );
        const refused = await assertRefused(write(taken.unit, taken.options), "unique", 7);
        assert.deepEqual(refused.columns, ["title", "year"]);
        const none = changesOf(
          [
            [1, "other"],
            [9, "nobody"],
            [4, "another"],
          ],
          "update",
          words,
        );
        await assertRefused(write(none.unit, none.options), "count", 7);
      }
      assert.deepEqual(
        await db.read(ask("select title from films order by id")),
        ids.map((id) => [`film ${id}`]),
      );
      assert.deepEqual(await db.read(ask("select * from samples")), []);
    },
  },
  {
    name: "units of changes that are alike run as if one came after the other, also where two are of one row",
    async run(db, words) {
      await db.write(oddTitles.map((title, id) => runStep(insertFilm, id, title)));
      await db.write([runStep("update films set year = 5 where id = 3")]);
      // Of its first two changes either is made in time; the third comes too late.
      const changed = [...oddTitles.keys(), 7, 8, 7].map((id, index) => [id, `film ${id}.${index}`] as const);
      const outcomes = await Promise.allSettled(
        changed.map((one) => db.write(changesOf([one], "update", words).unit, { alike: true, row: `films ${one[0]}` })),
      );
      for (const [index, outcome] of outcomes.entries()) {
        const [id, title] = changed[index] as readonly [number, string];
        const isLate = id === 3 || index === changed.length - 1;
        if (outcome.status === "rejected") {
          assert.ok(isLate && outcome.reason instanceof UnitRefused, `${index}: ${String(outcome.reason)}`);
          assert.deepEqual([outcome.reason.reason, outcome.reason.step], ["too late", 0]);
          continue;
        }
        assert.ok(!isLate);
        const isSecond = index >= oddTitles.length;
        const before = isSecond ? [`film ${id}.${id}`, 1] : [oddTitles[id], 0];
        assert.deepEqual([outcome.value[1]?.rows, outcome.value[4]?.rows], [[before], [[title, isSecond ? 2 : 1]]]);
      }
      assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 2);
    },
  },
];
