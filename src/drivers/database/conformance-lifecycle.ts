/** Cases of the conformance kit about migrations and the end of a database. */
import assert from "node:assert/strict";
import { addFilm, ask, assertFails, assertRefused, filmIds, first, rejection, runStep, type Case } from "./conformance-asks.ts";

export const lifecycleCases: readonly Case[] = [
  {
    name: "a migration is all or nothing",
    async run(db) {
      const statements = [ask("CREATE TABLE shelves (id INTEGER PRIMARY KEY)"), ask("INSERT INTO shelves (id) VALUES (?)", 1)];
      await rejection(db.migrate([...statements, ask("INSERT INTO nowhere (id) VALUES (1)")]));
      await db.migrate(statements);
      assert.deepEqual(await db.read(ask("SELECT id FROM shelves")), [[1]]);
      await assertRefused(db.migrate([ask("DELETE FROM shelves"), ask("INSERT INTO shelves (id) VALUES (2), (2)")]), "unique", 1);
      assert.deepEqual(await db.read(ask("SELECT id FROM shelves")), [[1]]);
    },
  },
  {
    name: "a migration may break references for a while, but not at its end",
    async run(db) {
      const orphan = ask("INSERT INTO films (id, title, director) VALUES (1, 'Heat', 7)");
      const refusal = await rejection(db.migrate([orphan]));
      assert.equal((refusal as { reason?: string }).reason, "foreign_key");
      assert.deepEqual(await filmIds(db), []);
      await db.migrate([orphan, ask("INSERT INTO people (id, name) VALUES (7, 'Mann')")]);
      assert.deepEqual(await filmIds(db), [1]);
      const unchecked = db.write([runStep("INSERT INTO films (id, title, director) VALUES (2, 'Up', 8)")]);
      await assertRefused(unchecked, "foreign_key", 0);
    },
  },
  {
    name: "statements that were prepared before a migration are right after it",
    async run(db) {
      const all = ask("SELECT * FROM people");
      const add = runStep("INSERT INTO people VALUES (1, 'Mann')");
      await db.write([add]);
      for (const long of [false, true]) assert.deepEqual(await db.read(all, { long }), [[1, "Mann"]]);
      await db.migrate([ask("ALTER TABLE people ADD COLUMN born INTEGER DEFAULT 1943")]);
      for (const long of [false, true]) assert.deepEqual(await db.read(all, { long }), [[1, "Mann", 1943]]);
      assert.deepEqual((await db.write([{ ...all, kind: "rows" }]))[0]?.rows, [[1, "Mann", 1943]]);
      // Databases differ in whether a row without the new column will do; here it has a key that is taken.
      await rejection(db.write([add]));
    },
  },
  {
    name: "a migration waits for open work, and later work for it",
    async run(db) {
      const before = db.transaction(async (tx) => {
        await tx.write([addFilm(1)]);
        await tx.read(ask("SELECT 1"));
      });
      const migrated = db.migrate([ask("ALTER TABLE films ADD COLUMN seen INTEGER DEFAULT 5")]);
      const after = db.write([runStep("UPDATE films SET seen = seen + 1")]);
      await Promise.all([before, migrated, after]);
      assert.equal(first(await db.read(ask("SELECT seen FROM films"))), 6);
    },
  },
  {
    name: "who listens is told of commits until it has enough, and a last time when the database closes",
    async run(db) {
      const listen = (heard: () => void) => {
        const unlisten = db.listen?.(heard, ask("SELECT max(id) FROM films"));
        assert.ok(unlisten, "every driver here can be listened to");
        return unlisten;
      };
      const ear = { calls: 0, heard: Promise.withResolvers<void>() };
      const wake = () => {
        ear.calls++;
        ear.heard.resolve();
      };
      const unlisten = listen(wake);
      for (const commit of [() => db.write([addFilm(1)]), () => db.transaction((tx) => tx.write([addFilm(2)]))]) {
        ear.heard = Promise.withResolvers<void>();
        await commit();
        await ear.heard.promise;
      }
      unlisten();
      const { calls } = ear;
      await db.write([addFilm(3)]);
      const other = Promise.withResolvers<void>();
      listen(other.resolve);
      await db.write([addFilm(4)]);
      await db.close();
      await other.promise;
      assert.equal(ear.calls, calls, "who has ended it hears nothing");
    },
  },
  {
    name: "closing finishes what was submitted, and then everything is refused",
    async run(db) {
      const writes = Array.from({ length: 30 }, (_, id) => db.write([addFilm(id)]));
      const open = db.transaction(async (tx) => {
        await tx.write([addFilm(100)]);
        return first(await tx.read(ask("SELECT count(*) FROM films")));
      });
      const closed = db.close();
      assert.equal(db.state(), "closed");
      await Promise.all([...writes, closed, db.close()]);
      const seen = Number(await open);
      assert.ok(seen >= 1 && seen <= 31, "it sees its own row, and of the others those that came before it");
      await assertFails(
        later(() => db.read(ask("SELECT 1"))),
        "database_closed",
      );
      await assertFails(
        later(() => db.read(ask("SELECT 1"), { long: true })),
        "database_closed",
      );
      await assertFails(db.write([addFilm(200)]), "database_closed");
      await assertFails(
        db.transaction(async () => 1),
        "database_closed",
      );
      await assertFails(db.migrate([]), "database_closed");
    },
  },
];

/** A driver may fail at once or later; both count. */
async function later(run: () => unknown): Promise<unknown> {
  return await run();
}
