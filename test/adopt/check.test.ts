/** `holdfast adopt` as a command: what it writes over, and `--check`, which names every way in which a database has moved on. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createPlace, makeDatabase } from "./place.ts";

const tables = `CREATE TABLE artist (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, kind TEXT CHECK (kind IN ('solo', 'band')));
CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id));`;

async function adopt(t: TestContext) {
  const place = createPlace();
  t.after(() => place.remove());
  const change = (sql: string) => makeDatabase(join(place.path, "music.db"), sql);
  change(tables);
  assert.equal((await place.run("adopt", "./music.db")).code, 0);
  return { ...place, change };
}

describe("adopt --check", () => {
  test("is content with the database that was adopted", async (t) => {
    const { run } = await adopt(t);
    assert.deepEqual(await run("adopt", "./music.db", "--check"), {
      code: 0,
      out: "backend.ts stands for the database as it is.\n",
      err: "",
    });
  });

  const moves: readonly (readonly [sql: string, ...told: readonly string[]])[] = [
    ["ALTER TABLE artist ADD COLUMN web TEXT", "column artist.web (TEXT) is in the database and not in the file"],
    ["ALTER TABLE artist DROP COLUMN born", "column artist.born (artists.born) is in the file and not in the database"],
    ["DROP TABLE album", "table album (albums) is in the file and not in the database"],
    ["CREATE VIEW names AS SELECT name FROM artist", "view names is in the database and not in the file"],
    [
      "DROP TABLE artist; CREATE TABLE artist (id INTEGER NOT NULL, name TEXT NOT NULL, born INTEGER NOT NULL, kind TEXT CHECK (kind IN ('solo', 'duo')), PRIMARY KEY (id, born))",
      "column artist.name (artists.name) is TEXT in the database and VARCHAR(40) in the file",
      "column artist.born (artists.born) is required in the database and optional in the file",
      "column artist.kind (artists.kind) may be solo, duo in the database and solo, band in the file",
      "table artist (artists): its key is id, born in the database and id in the file",
    ],
  ];
  for (const [sql, ...told] of moves)
    test(`tells of ${sql.slice(0, 60)}`, async (t) => {
      const { run, change } = await adopt(t);
      change(sql);
      const { code, out } = await run("adopt", "./music.db", "--check");
      assert.equal(code, 1);
      for (const line of told) assert.ok(out.split("\n").includes(line), out);
      const { differences } = JSON.parse((await run("adopt", "./music.db", "--check", "--json")).out) as {
        differences: string[];
      };
      assert.deepEqual(differences, told);
    });

  test("what was left out on purpose is not asked after", async (t) => {
    const { run, change, path, read } = await adopt(t);
    change("ALTER TABLE artist ADD COLUMN web TEXT; CREATE TABLE cache (id INTEGER PRIMARY KEY)");
    writeFileSync(
      join(path, "backend.ts"),
      read("backend.ts").replace('.table("artist")', '.table("artist")\n  .without("web")'),
    );
    assert.equal((await run("adopt", "./music.db", "--check", "--without", "cache")).code, 0);
  });

  test("a file that is there is not written over unasked", async (t) => {
    const { run, path, read } = await adopt(t);
    writeFileSync(join(path, "backend.ts"), "// mine");
    const { code, err } = await run("adopt", "./music.db");
    assert.deepEqual([code, read("backend.ts")], [2, "// mine"]);
    assert.match(err, /backend\.ts exists already/);
    assert.equal((await run("adopt", "./music.db", "--out", "other.ts")).code, 0);
    assert.equal((await run("adopt", "./music.db", "--force")).code, 0);
    assert.match(read("backend.ts"), /Nobody may do anything yet/);
  });

  test("--json tells the same to a program", async (t) => {
    const { run } = await adopt(t);
    const { out } = await run("adopt", "./music.db", "--force", "--json");
    const { models, remarks } = JSON.parse(out) as { models: unknown; remarks: unknown };
    assert.deepEqual(models, [
      { name: "albums", table: "album", kind: "table", key: ["id"] },
      { name: "artists", table: "artist", kind: "table", key: ["id"] },
    ]);
    assert.deepEqual(remarks, []);
  });

  test("an adopted model that asks for what no adopted table has is refused with the mend", async (t) => {
    const { path, run } = await adopt(t);
    const text =
      'import { backend, everyone, model, text } from "holdfast";\nexport const a = model("a", { name: text() }).adopted().timestamps();\nexport const v = model("v", { name: text() }).view().access(() => ({ create: everyone }));\nexport default backend({ a, v });\n';
    writeFileSync(join(path, "wrong.ts"), text);
    const { code, err } = await run("check", "--backend", "wrong.ts");
    assert.equal(code, 1);
    for (const part of ["an adopted table needs its key", "an adopted table has no timestamps()", "the model is read only"])
      assert.ok(err.includes(part), err);
  });
});
