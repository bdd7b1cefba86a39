/** An adopted SQLite database is backed up under load, restored elsewhere and served there: rows and records are of one moment, and the feed goes on. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { makeDatabase, createPlace, opened, answerOf, queryFile, type Served } from "./place.ts";

const tables = `CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL); CREATE TABLE part (id INTEGER PRIMARY KEY, note_id INTEGER REFERENCES note (id));
  INSERT INTO part VALUES (1, 77)`;
const ways = [
  { mode: "delete", inside: false },
  { mode: "wal", inside: false },
  { mode: "delete", inside: true },
  { mode: "wal", inside: true },
] as const;

async function open(t: TestContext, { mode, inside }: (typeof ways)[number]) {
  const place = createPlace();
  t.after(() => place.remove());
  const file = join(place.path, "shop.db");
  makeDatabase(file, `PRAGMA journal_mode = ${mode}; ${tables}`);
  assert.equal((await place.run("adopt", "shop.db", "--read-only-for", "staff")).code, 0);
  place.write("open.ts", opened(place.read("backend.ts")));
  const serve = (name: string) =>
    place.serve({ file: "open.ts", database: `sqlite:${join(place.path, name)}`, tablesInside: inside });
  return { place, file, serve, recordsOf: (name: string) => join(place.path, inside ? name : `${name}.holdfast.db`) };
}

const write = async ({ ask }: Served, body: string) => {
  const { status, body: row } = await ask("notes", { method: "POST", body: JSON.stringify({ body }) });
  assert.equal(status, 201, JSON.stringify(row));
};

for (const way of ways)
  describe(`a backup of an adopted database in the mode ${way.mode}${way.inside ? ", the tables inside" : ""}`, () => {
    test("is whole, comes back, and the feed goes on where it was", async (t) => {
      const { place, file, serve, recordsOf } = await open(t, way);
      const served = await serve("shop.db");
      t.after(() => served.app.stop());
      assert.equal(existsSync(`${file}.holdfast.db`), !way.inside);
      for (let count = 0; count < 20; count++) await write(served, "x".repeat(2000));
      const state = { isOver: false, written: 0 };
      const load = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (!state.isOver) {
            await write(served, "y");
            state.written++;
          }
        }),
      );
      for (const name of ["a.db", "b.db", "c.db"]) {
        const { code, err } = await place.run("backup", name, "--database", join(place.path, "shop.db"));
        assert.equal(code, 0, err);
      }
      state.isOver = true;
      await load;
      assert.ok(state.written > 0);
      assert.ok(!existsSync(join(place.path, "a.db.partial")));
      for (const name of ["a.db", "b.db", "c.db"]) {
        const rows = queryFile(join(place.path, name), "SELECT id FROM note ORDER BY id").flat();
        const recorded = queryFile(recordsOf(name), "SELECT CAST(row_id AS INTEGER) FROM _changes ORDER BY 1").flat();
        assert.deepEqual(rows, recorded, name);
      }
      const { code, err } = await place.run("restore", "b.db", "--database", join(place.path, "elsewhere/shop.db"));
      assert.equal(code, 0, err);
      const again = await serve("elsewhere/shop.db");
      t.after(() => again.app.stop());
      const mode = queryFile(join(place.path, "elsewhere/shop.db"), "PRAGMA journal_mode").flat();
      // With the tables inside the database is Holdfast's own to open, which puts it into WAL.
      assert.deepEqual(mode, [way.inside ? "wal" : way.mode]);
      const before = await again.app.engine.readChanges({ after: null, limit: 1000 });
      await write(again, "later");
      const { records } = await again.app.engine.readChanges({ after: before.position, limit: 10 });
      assert.equal(records.length, 1);
      const count = (await answerOf(again, "notes/aggregate?count=*")).data[0].count;
      assert.equal(count, before.records.length + 1);
      assert.equal(
        (await place.run("migrate", "status", "--backend", "open.ts", "--database", join(place.path, "elsewhere/shop.db"))).code,
        0,
      );
    });
  });

describe("a backup of two files", () => {
  const way = { mode: "delete", inside: false } as const;

  test("replaces both, and a backup of one leaves nothing of the other", async (t) => {
    const { place, serve } = await open(t, way);
    const served = await serve("shop.db");
    await write(served, "kept");
    assert.equal((await place.run("backup", "a.db", "--database", join(place.path, "shop.db"))).code, 0);
    await write(served, "lost");
    await served.app.stop();
    assert.equal((await place.run("restore", "a.db", "--database", join(place.path, "shop.db"))).code, 2);
    assert.equal((await place.run("restore", "a.db", "--database", join(place.path, "shop.db"), "--force")).code, 0);
    const again = await serve("shop.db");
    assert.deepEqual(
      (await answerOf(again, "notes")).data.map(({ body }: { body: string }) => body),
      ["kept"],
    );
    assert.equal((await again.app.engine.readChanges({ after: null, limit: 10 })).records.length, 1);
    await again.app.stop();
  });

  test("is refused where one of them is damaged, missing, or nothing of ours", async (t) => {
    const { place, serve } = await open(t, way);
    const served = await serve("shop.db");
    await write(served, "kept");
    assert.equal((await place.run("backup", "a.db", "--database", join(place.path, "shop.db"))).code, 0);
    await served.app.stop();
    const restore = async (name: string) => (await place.run("restore", name, "--database", join(place.path, "new.db"))).err;
    makeDatabase(join(place.path, "other.db"), tables);
    assert.match(await restore("other.db"), /no journal/);
    makeDatabase(join(place.path, "other.db.holdfast.db"), "CREATE TABLE a (b)");
    assert.match(await restore("other.db"), /no journal/);
    place.write("bad.db", "no database ".repeat(100));
    new DatabaseSync(join(place.path, "a.db.holdfast.db")).exec(`VACUUM INTO '${join(place.path, "bad.db.holdfast.db")}'`);
    assert.match(await restore("bad.db"), /damaged, or no database/);
    assert.ok(!existsSync(join(place.path, "new.db")) && !existsSync(join(place.path, "new.db.holdfast.db")));
  });
});
