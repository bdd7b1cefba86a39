/** Cases of the conformance kit about units: all or nothing, and never the fate of a neighbour. */
import assert from "node:assert/strict";
import { type Step, UnitRefused } from "../database.ts";
import {
  addFilm,
  ask,
  assertFails,
  assertRefused,
  checkStep,
  filmIds,
  first,
  rejection,
  rowsStep,
  runStep,
  type Case,
} from "./conformance-asks.ts";

const takeOne: Step = {
  ...runStep("UPDATE films SET stock = stock - 1 WHERE id = ? AND stock > 0", 1),
  changes: { min: 1, max: 1, reason: "sold_out" },
};

export const writeCases: readonly Case[] = [
  {
    name: "a unit answers each step: rows where it asked for rows, the count of changes where it ran",
    async run(db) {
      const results = await db.write([
        runStep("INSERT INTO films (id, title) VALUES (?, ?), (?, ?)", 1, "Heat", 2, "Up"),
        rowsStep("SELECT id, title FROM films ORDER BY id"),
        checkStep("SELECT NULL"),
        runStep("DELETE FROM films WHERE id = ?", 3),
        rowsStep("SELECT id FROM films WHERE id = ?", 3),
      ]);
      assert.deepEqual(results, [
        { rows: [], changes: 2 },
        {
          rows: [
            [1, "Heat"],
            [2, "Up"],
          ],
          changes: 0,
        },
        { rows: [], changes: 0 },
        { rows: [], changes: 0 },
        { rows: [], changes: 0 },
      ]);
      assert.deepEqual(await db.write([]), []);
    },
  },
  {
    name: "a refused unit leaves no trace, wherever in it the refusal is",
    async run(db) {
      await db.write([addFilm(1, "Heat")]);
      await assertRefused(db.write([addFilm(2), addFilm(3), addFilm(4, "Heat"), addFilm(5)]), "unique", 2);
      await assertRefused(db.write([addFilm(2), checkStep("SELECT 'too many' FROM films WHERE id = ?", 2)]), "too many", 1);
      await assertFails(db.write([addFilm(2), runStep("UPDATE nowhere SET a = 1")]), "database_failed");
      assert.deepEqual(await filmIds(db), [1]);
    },
  },
  {
    name: "a check passes on null and on no row, and sees the steps before it",
    async run(db) {
      const reason = "SELECT CASE WHEN count(*) = 1 THEN NULL ELSE 'not one' END FROM films";
      await db.write([addFilm(1), checkStep(reason), checkStep("SELECT 'never' FROM films WHERE id = ?", 9)]);
      await assertRefused(db.write([checkStep(reason), addFilm(2), checkStep(reason)]), "not one", 2);
      assert.deepEqual(await filmIds(db), [1]);
    },
  },
  {
    name: "a count of changes outside its bounds undoes the unit with its reason",
    async run(db) {
      await db.write([addFilm(1), addFilm(2)]);
      const touchAll = runStep("UPDATE films SET stock = 1");
      const bounds = (min: number, max: number) => ({ ...touchAll, changes: { min, max, reason: "count" } });
      await assertRefused(db.write([addFilm(3), bounds(4, 9)]), "count", 1);
      await assertRefused(db.write([addFilm(3), bounds(0, 2)]), "count", 1);
      await db.write([bounds(2, 2)]);
      assert.equal(first(await db.read(ask("SELECT sum(stock) FROM films"))), 2);
    },
  },
  {
    name: "a step binds what an earlier step returned",
    async run(db, { integer, returns }) {
      const add = "INSERT INTO people (id, name) VALUES (?, ?)";
      const step = returns ? 0 : 1;
      await db.write([
        ...(returns ? [] : [runStep(add, 7, "Mann")]),
        returns ? rowsStep(`${add} RETURNING name, id`, 7, "Mann") : rowsStep("SELECT name, id FROM people"),
        // What a step hands on may come as a text: a statement says what it takes it for.
        runStep(
          `INSERT INTO films (id, title, director) VALUES (?, ?, CAST(? AS ${integer}))`,
          1,
          { step, column: 0 },
          { step, column: 1 },
        ),
      ]);
      assert.deepEqual(await db.read(ask("SELECT title, director FROM films")), [["Mann", 7]]);
    },
  },
  {
    name: "a reference to nothing undoes the unit",
    async run(db) {
      const none = rowsStep("SELECT id FROM people");
      for (const bad of [
        { step: 1, column: 0 },
        { step: 0, column: 0 },
        { step: 2, column: 0 },
        { step: 3, column: 0 },
      ]) {
        await rejection(db.write([addFilm(1), none, runStep("UPDATE films SET stock = ?", bad)]));
      }
      await rejection(db.write([rowsStep("SELECT 1"), runStep("UPDATE films SET stock = ?", { step: 0, column: 1 })]));
      assert.deepEqual(await filmIds(db), []);
    },
  },
  {
    name: "the database's own refusals are told by reason, table and columns",
    async run(db) {
      await db.write([addFilm(1, "Heat")]);
      const unique = await assertRefused(db.write([addFilm(2, "Heat")]), "unique", 0);
      assert.deepEqual([unique.table, unique.columns], ["films", ["title", "year"]]);
      const key = await assertRefused(db.write([addFilm(1, "Up")]), "unique", 0);
      assert.deepEqual([key.table, key.columns], ["films", ["id"]]);
      const empty = runStep("INSERT INTO films (id, title) VALUES (?, ?)", 3, null);
      const missing = await assertRefused(db.write([empty]), "not_null", 0);
      assert.deepEqual([missing.table, missing.columns], ["films", ["title"]]);
      const orphan = runStep("INSERT INTO films (id, title, director) VALUES (?, ?, ?)", 3, "Up", 99);
      await assertRefused(db.write([orphan]), "foreign_key", 0);
      const negative = await assertRefused(db.write([runStep("UPDATE films SET stock = ?", -1)]), "check", 0);
      assert.equal(negative.constraint, "films_stock_min");
    },
  },
  {
    name: "units that are submitted together share no fate",
    async run(db) {
      await db.write([addFilm(1000, "taken")]);
      const units = Array.from({ length: 200 }, (_, id): Step[] => {
        if (id % 7 === 0) return [addFilm(id), addFilm(id + 500, "taken")];
        if (id % 11 === 0) return [addFilm(id), runStep("UPDATE nowhere SET a = 1")];
        return [addFilm(id), addFilm(id + 500)];
      });
      const outcomes = await Promise.allSettled(units.map((unit) => db.write(unit)));
      for (const [id, outcome] of outcomes.entries()) {
        const good = id % 7 !== 0 && id % 11 !== 0;
        assert.equal(outcome.status, good ? "fulfilled" : "rejected", `unit ${id}`);
        if (outcome.status === "rejected") assert.equal(outcome.reason instanceof UnitRefused, id % 7 === 0, `unit ${id}`);
      }
      const kept = units.flatMap((_, id) => (id % 7 !== 0 && id % 11 !== 0 ? [id, id + 500] : [])).toSorted((a, b) => a - b);
      assert.deepEqual(await filmIds(db), [...kept, 1000]);
    },
  },
  {
    name: "alike units that run together answer each for itself, and share no fate",
    async run(db, { integer }) {
      // Values, a query, a check and an answer, as the compiler writes them: each parameter says its type.
      const unit = (id: number, title: string): Step[] => [
        { ...runStep(`insert into "people" (id, name) values (CAST(? AS ${integer}), CAST(? AS CHAR(20)))`, id, title) },
        checkStep(
          `select case when name = CAST(? AS CHAR(20)) then 'not him' end from people where id = CAST(? AS ${integer})`,
          "Nobody",
          id,
        ),
        {
          ...runStep(`insert into "films" (id, title) select id, name from people where id = CAST(? AS ${integer})`, id),
          changes: { min: 1, max: 1, reason: "count" },
        },
        rowsStep(`select id, stock from films where id = CAST(? AS ${integer})`, id),
      ];
      const name = (id: number) => (id % 10 === 9 ? "Nobody" : `it's ? "${id}"`);
      const all = (ids: readonly number[]) => Promise.allSettled(ids.map((id) => db.write(unit(id, name(id)), { alike: true })));
      const good = await all([1, 2, 3, 4, 5, 6]);
      for (const [index, outcome] of good.entries()) {
        assert.ok(outcome.status === "fulfilled");
        assert.deepEqual(
          outcome.value.map(({ rows, changes }) => [rows, changes]),
          [
            [[], 1],
            [[], 0],
            [[], 1],
            [[[index + 1, null]], 0],
          ],
        );
      }
      const mixed = await all([11, 19, 12, 3, 13]);
      assert.deepEqual(
        mixed.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"],
      );
      const reasons = mixed.flatMap((outcome) => (outcome.status === "rejected" ? [(outcome.reason as UnitRefused).reason] : []));
      assert.deepEqual(reasons, ["not him", "unique"]);
      assert.deepEqual(await filmIds(db), [1, 2, 3, 4, 5, 6, 11, 12, 13]);
    },
  },
  {
    name: "units of one caller run in the order in which it submitted them",
    async run(db) {
      const append = "UPDATE people SET name = name || ? WHERE id = 1";
      await db.write([runStep("INSERT INTO people (id, name) VALUES (1, '')")]);
      const letters = "the quick brown fox jumps over the lazy dog".split("");
      await Promise.all(letters.map((letter) => db.write([runStep(append, letter)])));
      assert.equal(first(await db.read(ask("SELECT name FROM people"))), letters.join(""));
    },
  },
  {
    name: "units that come while others are written run after them, and see what they wrote",
    async run(db) {
      await db.write([runStep("INSERT INTO people (id, name) VALUES (1, '0')")]);
      const writes: Promise<unknown>[] = [];
      for (let next = 1; next <= 60; next++) {
        const changes = { min: 1, max: 1, reason: "out_of_order" };
        const step = runStep("UPDATE people SET name = ? WHERE name = ?", String(next), String(next - 1));
        writes.push(db.write([{ ...step, changes }]));
        // A few turns, so that each group has only a few of them.
        for (let turn = next % 4; turn > 0; turn--) await new Promise(setImmediate);
      }
      await Promise.all(writes);
      assert.equal(first(await db.read(ask("SELECT name FROM people"))), "60");
    },
  },
  {
    name: "of fifty buyers of three copies three win, in whatever company",
    async run(db) {
      await db.write([addFilm(1), runStep("UPDATE films SET stock = ? WHERE id = ?", 3, 1)]);
      const buyers = Array.from({ length: 50 }, () => db.write([takeOne]));
      const outcomes = await Promise.allSettled(buyers);
      assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
      const losers = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as UnitRefused] : []));
      assert.ok(losers.every(({ reason, step }) => reason === "sold_out" && step === 0));
      assert.equal(first(await db.read(ask("SELECT stock FROM films"))), 0);
    },
  },
  {
    name: "a unit of a thousand steps is one unit",
    async run(db) {
      const steps = Array.from({ length: 1000 }, (_, id) => addFilm(id));
      await assertRefused(db.write([...steps, addFilm(0, "again")]), "unique", 1000);
      assert.deepEqual(await filmIds(db), []);
      assert.equal((await db.write(steps)).length, 1000);
      assert.equal((await filmIds(db)).length, 1000);
    },
  },
];
