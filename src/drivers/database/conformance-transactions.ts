/** Cases of the conformance kit about transactions that a caller holds open. */
import assert from "node:assert/strict";
import type { Transaction } from "../database.ts";
import {
  addFilm,
  ask,
  assertFails,
  assertRefused,
  checkStep,
  filmIds,
  first,
  rejection,
  runStep,
  type Case,
} from "./conformance-asks.ts";

const readStock = ask("SELECT stock FROM films WHERE id = ?", 1);

export const transactionCases: readonly Case[] = [
  {
    name: "a transaction sees its own writes, and others see them only when it has ended",
    async run(db) {
      const seen = await db.transaction(async (tx) => {
        await tx.write([addFilm(1)]);
        const inside = first(await tx.read(ask("SELECT count(*) FROM films")));
        const outside = (await filmIds(db)).length;
        const far = first(await db.read(ask("SELECT count(*) FROM films"), { long: true }));
        return [inside, outside, far];
      });
      assert.deepEqual(seen, [1, 0, 0]);
      assert.deepEqual(await filmIds(db), [1]);
    },
  },
  {
    name: "a throw undoes the transaction and reaches the caller as it is",
    async run(db) {
      const mistake = new Error("changed my mind");
      const failed = db.transaction(async (tx) => {
        await tx.write([addFilm(1)]);
        throw mistake;
      });
      assert.equal(await rejection(failed), mistake);
      assert.deepEqual(await filmIds(db), []);
    },
  },
  {
    name: "a refused unit leaves no trace in its transaction, which goes on",
    async run(db) {
      await db.transaction(async (tx) => {
        await tx.write([addFilm(1)]);
        await assertRefused(tx.write([addFilm(2), addFilm(1)]), "unique", 1);
        await assertRefused(tx.write([addFilm(2), checkStep("SELECT 'no'")]), "no", 1);
        await tx.write([addFilm(3)]);
      });
      assert.deepEqual(await filmIds(db), [1, 3]);
    },
  },
  {
    name: "a transaction that is held too long is undone, and those who waited go on",
    async run(db) {
      let handle: Transaction | undefined;
      const held = db.transaction(
        async (tx) => {
          handle = tx;
          await tx.write([addFilm(1)]);
          return new Promise<never>(() => {});
        },
        { timeoutMs: 30 },
      );
      const waiting = db.write([addFilm(2)]);
      await assertFails(held, "transaction_timeout");
      await waiting;
      await assertFails((handle as Transaction).write([addFilm(3)]), "transaction_timeout");
      await assertFails((handle as Transaction).read(readStock), "transaction_timeout");
      assert.deepEqual(await filmIds(db), [2]);
    },
  },
  {
    name: "the handle of a transaction that has ended refuses to be used",
    async run(db) {
      const handle = await db.transaction(async (tx) => tx);
      await rejection(handle.write([addFilm(1)]));
      await rejection(handle.read(readStock));
      await db.write([addFilm(2)]);
      assert.deepEqual(await filmIds(db), [2]);
    },
  },
  {
    name: "transactions are serial: read, think, write adds up",
    async run(db) {
      await db.write([addFilm(1), runStep("UPDATE films SET stock = 0")]);
      const addOne = async (tx: Transaction) => {
        const stock = first(await tx.read(readStock)) as number;
        await tx.write([runStep("UPDATE films SET stock = ? WHERE id = ?", stock + 1, 1)]);
        return stock;
      };
      const alone = db.write([runStep("UPDATE films SET stock = stock + 100")]);
      const stocks = await Promise.all(Array.from({ length: 20 }, () => db.transaction(addOne)));
      await alone;
      assert.equal(new Set(stocks).size, 20);
      assert.equal(first(await db.read(readStock)), 120);
    },
  },
  {
    name: "units and transactions that are submitted together all end, each with its own outcome",
    async run(db) {
      const jobs = Array.from({ length: 60 }, (_, id) => {
        if (id % 3 === 0) return db.write([addFilm(id)]);
        return db.transaction(async (tx) => {
          await tx.write([addFilm(id)]);
          if (id % 3 === 1) throw new Error("undone");
        });
      });
      const outcomes = await Promise.allSettled(jobs);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        jobs.map((_, id) => (id % 3 === 1 ? "rejected" : "fulfilled")),
      );
      assert.deepEqual(
        await filmIds(db),
        [...jobs.keys()].filter((id) => id % 3 !== 1),
      );
    },
  },
];
