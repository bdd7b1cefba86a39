/** Cases of the conformance kit about reads and values: what is stored comes back as it was. */
import assert from "node:assert/strict";
import type { Value } from "../database.ts";
import { addFilm, ask, assertFails, filmIds, first, rejection, runStep, type Case } from "./conformance-asks.ts";

const allBytes = Uint8Array.from({ length: 256 }, (_, index) => index);
const insertSample = "INSERT INTO samples (id, big, real_number, words, bytes) VALUES (?, ?, ?, ?, ?)";

/** A value and the column that holds it. */
const samples: readonly (readonly [column: "big" | "real_number" | "words" | "bytes", value: Value])[] = [
  ["big", null],
  ["big", 0],
  ["big", -1],
  ["big", Number.MAX_SAFE_INTEGER],
  ["big", Number.MIN_SAFE_INTEGER],
  ["big", 2n ** 53n + 1n],
  ["big", 2n ** 63n - 1n],
  ["big", -(2n ** 63n)],
  ["real_number", 0.1],
  ["real_number", -1.5e300],
  ["real_number", 5e-324],
  ["words", ""],
  ["words", 'it\'s "quoted"; -- % _ \\ ?'],
  ["words", "Æsop 映画 🎬 é e\u0301\n\t"],
  ["words", "x".repeat(100_000)],
  ["bytes", new Uint8Array(0)],
  ["bytes", allBytes],
  ["bytes", allBytes.subarray(100, 110)],
  ["bytes", Buffer.from("pooled")],
];

export const readCases: readonly Case[] = [
  {
    name: "every kind of value comes back as it was stored, on every way to read it",
    async run(db) {
      for (const [id, [column, value]] of samples.entries()) {
        const values = ["big", "real_number", "words", "bytes"].map((name) => (name === column ? value : null));
        await db.write([runStep(insertSample, id, ...values)]);
        const statement = ask(`SELECT ${column} FROM samples WHERE id = ?`, id);
        assertSame(first(await db.read(statement)), value);
        assertSame(first(await db.read(statement, { long: true })), value);
        assertSame(first((await db.write([{ ...statement, kind: "rows" }]))[0]?.rows ?? []), value);
        assertSame(await db.transaction(async (tx) => first(await tx.read(statement))), value);
      }
    },
  },
  {
    name: "an integer is a bigint only where a number would not hold it, though a row has both",
    async run(db) {
      await db.write([runStep("INSERT INTO samples (id, big) VALUES (?, ?), (?, ?)", 1, 2n ** 60n, 2, 7)]);
      const statement = ask("SELECT id, big FROM samples ORDER BY id");
      for (let times = 0; times < 2; times++)
        assert.deepEqual(await db.read(statement), [
          [1, 2n ** 60n],
          [2, 7],
        ]);
    },
  },
  {
    name: "rows are arrays in the order of the columns, also of columns of one name",
    async run(db) {
      await db.write([addFilm(1, "Heat"), addFilm(2, "Up")]);
      const rows = await db.read(ask("SELECT title, id, title FROM films ORDER BY id"));
      assert.deepEqual(rows, [
        ["Heat", 1, "Heat"],
        ["Up", 2, "Up"],
      ]);
      assert.deepEqual(await db.read(ask("SELECT id FROM films WHERE id = ?", 3)), []);
    },
  },
  {
    name: "a read sees every write that was acknowledged before",
    async run(db) {
      for (let id = 0; id < 50; id++) {
        await db.write([addFilm(id)]);
        assert.equal((await filmIds(db)).length, id + 1);
        if (id % 10 === 0) assert.equal(first(await db.read(ask("SELECT count(*) FROM films"), { long: true })), id + 1);
      }
    },
  },
  {
    name: "a read cannot write",
    async run(db) {
      await rejection(read(() => db.read(ask("DELETE FROM people"))));
      await rejection(read(() => db.read(ask("DELETE FROM people"), { long: true })));
    },
  },
  {
    name: "a statement that the database does not understand fails, and the next one does not",
    async run(db) {
      const nonsense = ask("SELECT nothing FROM nowhere");
      await assertFails(
        read(() => db.read(nonsense)),
        "database_failed",
      );
      await assertFails(
        read(() => db.read(nonsense, { long: true })),
        "database_failed",
      );
      await assertFails(db.write([{ ...nonsense, kind: "rows" }]), "database_failed");
      await db.write([addFilm(1)]);
      assert.deepEqual(await filmIds(db), [1]);
    },
  },
  {
    name: "a value that no database binds is refused at once, and reaches nobody else's work",
    async run(db) {
      for (const bad of [undefined, true, {}, Symbol("x"), () => 1, Number.NaN, 2n ** 64n]) {
        const good = db.write([addFilm(1)]);
        const text = "INSERT INTO films (id, title) VALUES (2, ?)";
        await rejection(db.write([runStep(text, bad as unknown as Value)]));
        await good;
        await rejection(read(() => db.read(ask("SELECT ?", bad as unknown as Value))));
        assert.deepEqual(await filmIds(db), [1]);
        await db.write([runStep("DELETE FROM films")]);
      }
    },
  },
  {
    name: "a long read that takes too long fails with read_timeout, and the next one is served",
    async run(db) {
      const slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n";
      await assertFails(
        read(() => db.read(ask(slow), { long: true, timeoutMs: 5 })),
        "read_timeout",
      );
      assert.deepEqual(await db.read(ask("SELECT 1"), { long: true }), [[1]]);
    },
  },
  {
    name: "long reads run beside each other and beside short ones, each with its own answer",
    async run(db) {
      const all = Array.from({ length: 20 }, async (_, id) =>
        first(await db.read(ask("SELECT ? + 0", id), { long: id % 2 === 0 })),
      );
      assert.deepEqual(
        await Promise.all(all),
        Array.from({ length: 20 }, (_, id) => id),
      );
    },
  },
];

/** A driver may fail at once or later; both count. */
async function read(run: () => unknown): Promise<unknown> {
  return await run();
}

function assertSame(actual: Value, expected: Value): void {
  if (!(expected instanceof Uint8Array)) return assert.deepEqual(actual, expected);
  assert.ok(actual instanceof Uint8Array);
  assert.deepEqual([...actual], [...expected]);
}
