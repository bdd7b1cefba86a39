/** The SQLite driver keeps the contract, and the kit that says so catches drivers that do not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Database, type Step, UnitRefused, type Value } from "../../database.ts";
import { databaseCases, runCase, testDatabase } from "../conformance.ts";
import type { Case } from "../conformance-asks.ts";
import { openSqlite } from "./sqlite.ts";

testDatabase("SQLite", () => openSqlite({ file: ":memory:" }));

/** A fault put over a sound driver, and a case that must catch it. */
interface Planted {
  readonly fault: string;
  readonly caughtBy: string;
  readonly plant: (db: Database) => Partial<Database>;
}

const planted: readonly Planted[] = [
  {
    fault: "a refused unit leaves its first steps behind",
    caughtBy: "a refused unit leaves no trace, wherever in it the refusal is",
    plant: (db) => ({
      async write(unit) {
        const results = [];
        for (const step of unit) results.push(...(await db.write([step])));
        return results;
      },
    }),
  },
  {
    fault: "units that share a commit share its fate",
    caughtBy: "units that are submitted together share no fate",
    plant: (db) => ({ write: shareFate(db) }),
  },
  {
    fault: "large integers are rounded",
    caughtBy: "every kind of value comes back as it was stored, on every way to read it",
    plant: (db) => ({
      read: async (statement, options) => (await db.read(statement, options)).map((row) => row.map(rounded)),
    }),
  },
  {
    fault: "a transaction's writes are committed one by one",
    caughtBy: "a throw undoes the transaction and reaches the caller as it is",
    plant: (db) => ({
      transaction: (work) => work({ read: async (statement) => db.read(statement), write: async (unit) => db.write(unit) }),
    }),
  },
  {
    fault: "a step that changes too few rows passes",
    caughtBy: "of fifty buyers of three copies three win, in whatever company",
    plant: (db) => ({ write: (unit) => db.write(unit.map(({ changes: _, ...step }) => step)) }),
  },
  {
    fault: "a check is run but not heeded",
    caughtBy: "a check passes on null and on no row, and sees the steps before it",
    plant: (db) => ({
      write: (unit) => db.write(unit.map((step) => (step.kind === "check" ? { ...step, kind: "rows" } : step))),
    }),
  },
  {
    fault: "the last of the parts that repeat is blamed",
    caughtBy: "of parts that repeat the one that fails is told by its step, and nothing is left of any",
    plant: (db) => ({
      write: (unit, options) =>
        db.write(unit, options).catch((error: unknown) => {
          throw error instanceof UnitRefused ? new UnitRefused(error.reason, unit.length - 1, error) : error;
        }),
    }),
  },
  {
    fault: "parts that repeat answer in another order",
    caughtBy: "parts that repeat answer each for itself, in their order",
    plant: (db) => ({
      async write(unit, options) {
        const results = await db.write(unit, options);
        return options?.repeats ? results.toReversed() : results;
      },
    }),
  },
  {
    fault: "a write is acknowledged before it is made",
    caughtBy: "a read sees every write that was acknowledged before",
    plant: (db) => ({
      async write(unit) {
        void Promise.allSettled([db.write(unit)]);
        return unit.map(() => ({ rows: [], changes: 1 }));
      },
    }),
  },
];

describe("the conformance kit catches a driver in which", () => {
  for (const { fault, caughtBy, plant } of planted) {
    test(fault, async () => {
      const demand = databaseCases.find(({ name }) => name === caughtBy) as Case;
      const open = () => {
        const db = openSqlite({ file: ":memory:" });
        return { ...db, ...plant(db) };
      };
      await assert.rejects(runCase(demand, open));
    });
  }
});

/** Gathers the units of one turn into a single one: what group commit must not be. */
function shareFate(db: Database): Database["write"] {
  let gathered: Step[] = [];
  let together: Promise<unknown> | null = null;
  return async (unit) => {
    const from = gathered.length;
    gathered.push(...unit);
    together ??= Promise.resolve().then(() => {
      const steps = gathered;
      gathered = [];
      together = null;
      return db.write(steps);
    });
    return ((await together) as Awaited<ReturnType<Database["write"]>>).slice(from, from + unit.length);
  };
}

function rounded(value: Value): Value {
  return typeof value === "bigint" ? Number(value) : value;
}
