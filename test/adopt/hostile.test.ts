/** Schemas that nobody would design and somebody has: each table is served, or left out with the reason. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { after, describe, test, type TestContext } from "node:test";
import { answerOf, createPlace, makeDatabase, type Place, queryFile, type Row, type Served } from "./place.ts";

interface Hostile {
  readonly place: Place;
  readonly out: string;
  readonly text: string;
  readonly serve: () => Promise<Served>;
}

/** Every backend file that was written: in the end, all of them are type-checked at once. */
const written = createPlace();
after(() => written.remove());
const count = { files: 0 };

/** Adopts a database of these tables. */
async function adopt(t: TestContext, sql: string, ...flags: readonly string[]): Promise<Hostile> {
  const place = createPlace();
  t.after(() => place.remove());
  const file = join(place.path, "hostile.db");
  makeDatabase(file, sql);
  const { code, out, err } = await place.run("adopt", "hostile.db", "--read-only-for", "staff", ...flags);
  assert.equal(code, 0, `${out}${err}`);
  writeFileSync(join(written.path, `backend-${count.files++}.ts`), place.read("backend.ts"));
  const serve = async () => {
    const served = await place.serve({ database: `sqlite:${file}` });
    t.after(() => served.app.stop());
    return served;
  };
  return { place, out, text: place.read("backend.ts"), serve };
}

describe("hostile schemas", () => {
  test("reserved words, quotes, emoji and other scripts in names", async (t) => {
    const { serve, text, place } = await adopt(
      t,
      `CREATE TABLE "select" ("group" INTEGER PRIMARY KEY, "or" TEXT, "in" TEXT, "class" TEXT, "say ""hi""" TEXT, "it's" TEXT, "back\`tick" TEXT, "a.b" TEXT, "x:y" TEXT, "line
break" TEXT, "\${x}" TEXT, "back\\slash" TEXT, "*/" TEXT);
       CREATE TABLE "日本" ("名前" TEXT PRIMARY KEY, "数" INTEGER, "🎂" TEXT);
       CREATE TABLE "📦 boxes" (id INTEGER PRIMARY KEY, "select" INTEGER REFERENCES "select" ("group"), "日本" TEXT REFERENCES "日本" ("名前"));
       CREATE TABLE "Größe" ("ß" INTEGER PRIMARY KEY);
       CREATE TABLE bytes (id INTEGER PRIMARY KEY, "default" TEXT, "constructor" TEXT, "__proto__" TEXT, "toString" TEXT);
       CREATE TABLE actions (id INTEGER PRIMARY KEY);
       CREATE TABLE "drop table x; --" ("'; drop table y" TEXT);
       INSERT INTO "select" VALUES (1, 'o', 'i', 'c', 'hi', 'its', 't', 'ab', 'xy', 'lb', 'd', 'bs', 'end');
       INSERT INTO "日本" VALUES ('東京', 7, '🍰'); INSERT INTO "📦 boxes" VALUES (1, 1, '東京');
       INSERT INTO bytes VALUES (1, 'd', 'c', 'p', 's'); INSERT INTO "drop table x; --" VALUES ('still here');`,
    );
    const served = await serve();
    assert.deepEqual(await answerOf(served, "selects/1"), {
      groupValue: 1,
      orValue: "o",
      inValue: "i",
      class: "c",
      sayHi: "hi",
      its: "its",
      backTick: "t",
      aB: "ab",
      xY: "xy",
      lineBreak: "lb",
      x: "d",
      backSlash: "bs",
      column: "end",
    });
    assert.deepEqual((await answerOf(served, "rows")).data, [{ column: "東京", column2: 7, column3: "🍰" }]);
    const box = await answerOf(served, "boxes/1?fields=*,select.orValue,row.column2");
    assert.deepEqual(box, { id: 1, select: { orValue: "o" }, row: { column2: 7 } });
    assert.deepEqual((await answerOf(served, "bytesRows")).data, [
      { id: 1, default: "d", constructor: "c", proto: "p", toString: "s" },
    ]);
    assert.deepEqual((await answerOf(served, "dropTableXes")).data, [{ dropTableY: "still here" }]);
    assert.deepEqual((await answerOf(served, "selects?filter[sayHi]=hi")).data.length, 1);
    assert.deepEqual((await answerOf(served, "actionsRows")).data, []);
    assert.ok(text.includes('.table("📦 boxes")'));
    assert.deepEqual((await place.run("adopt", "hostile.db", "--check")).code, 0);
  });

  test("no primary key: listed, counted and paged through, equal rows included, and never written", async (t) => {
    const { serve, out } = await adopt(t, `CREATE TABLE log (at TEXT, what TEXT, size INTEGER);`);
    assert.match(out, /log: has no primary key: it is read only/);
    const served = await serve();
    assert.deepEqual([...served.app.engine.operations.keys()], ["logs.list", "logs.aggregate"]);
    assert.deepEqual(await answerOf(served, "logs"), { data: [], page: { next: null, prev: null } });
    assert.equal((await served.ask("logs/1")).status, 404);
    assert.equal((await served.ask("logs", { method: "POST", body: '{"what":"x"}' })).status, 404);
    await assert.rejects((served.app.system as Row).logs.create({ what: "x" }), { code: "unknown_operation" });
  });

  test("pages of a table without a key hold every row once", async (t) => {
    const values = Array.from({ length: 45 }, (_, index) => `('a', ${index % 3 === 0 ? "NULL" : index % 4})`);
    const { serve } = await adopt(t, `CREATE TABLE log (what TEXT, size INTEGER); INSERT INTO log VALUES ${values.join(", ")};`);
    const served = await serve();
    const seen: Row[] = [];
    const prevs: Row[] = [];
    for (let path: string | null = "logs?sort=-size&limit=10"; path !== null; ) {
      const { data, page }: Row = await answerOf(served, path);
      seen.push(...data);
      prevs.push(page.prev);
      path = page.next === null ? null : `logs?sort=-size&limit=10&after=${page.next}`;
    }
    assert.equal(seen.length, 45);
    const sizes = (rows: readonly Row[]) => rows.map(({ size }) => size ?? -1);
    assert.deepEqual(
      sizes(seen),
      sizes(seen).toSorted((a, b) => b - a),
    );
    const back = await answerOf(served, `logs?sort=-size&limit=10&before=${prevs[2]}`);
    assert.deepEqual(back.data, seen.slice(10, 20));
    assert.equal((await answerOf(served, "logs?count=exact&limit=1")).page.count, 45);
    assert.deepEqual((await answerOf(served, "logs?sort=-size&page[number]=5&limit=10")).data, seen.slice(40));
  });

  test("foreign keys in circles, to themselves, and twice to the same table", async (t) => {
    const { serve } = await adopt(
      t,
      `CREATE TABLE team (id INTEGER PRIMARY KEY, captain_id INTEGER REFERENCES player (id), vice_id INTEGER REFERENCES player (id));
       CREATE TABLE player (id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES team (id), mentor_id INTEGER REFERENCES player (id));
       CREATE TABLE a (id INTEGER PRIMARY KEY REFERENCES b (id)); CREATE TABLE b (id INTEGER PRIMARY KEY REFERENCES a (id));
       CREATE TABLE friend (player_id INTEGER REFERENCES player (id), other_id INTEGER REFERENCES player (id), PRIMARY KEY (player_id, other_id));
       CREATE TABLE profile (player_id INTEGER PRIMARY KEY REFERENCES player (id), motto TEXT);
       INSERT INTO player VALUES (1, NULL, NULL), (2, NULL, 1); INSERT INTO team VALUES (1, 1, 2); UPDATE player SET team_id = 1;
       INSERT INTO friend VALUES (1, 2); INSERT INTO profile VALUES (1, 'go');`,
    );
    const served = await serve();
    assert.deepEqual(await answerOf(served, "teams/1?fields=captain.id,vice.mentor.id,players.id"), {
      captain: { id: 1 },
      vice: { mentor: { id: 1 } },
      players: [{ id: 1 }, { id: 2 }],
    });
    assert.deepEqual(
      await answerOf(served, "players/1?fields=profile.motto,playersByOther.id,teamsByCaptain.id,playersByMentor.id"),
      {
        profile: { motto: "go" },
        playersByOther: [{ id: 2 }],
        teamsByCaptain: [{ id: 1 }],
        playersByMentor: [{ id: 2 }],
      },
    );
    assert.equal((await served.ask("as")).status, 200);
  });

  test("foreign keys that lead nowhere, to what is no key, or share their columns", async (t) => {
    const { serve, out } = await adopt(
      t,
      `CREATE TABLE orphan (id INTEGER PRIMARY KEY, gone_id INTEGER REFERENCES gone (id), code TEXT REFERENCES country (iso), mixed TEXT REFERENCES country (id));
       CREATE TABLE country (id INTEGER PRIMARY KEY, iso TEXT UNIQUE);
       CREATE TABLE place (tenant INTEGER, id INTEGER, parent INTEGER, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, parent) REFERENCES place (tenant, id));
       INSERT INTO orphan VALUES (1, NULL, 'cz', NULL);`,
    );
    for (const why of [
      /orphan\.gone_id: it refers to gone, which is not served/,
      /orphan\.code: it refers to country\.iso, which is not the key there/,
      /orphan\.mixed: it is of another type/,
      /place\.tenant, parent: .*plain fields/,
    ])
      assert.match(out, why);
    assert.deepEqual((await answerOf(await serve(), "orphans/1")).code, "cz");
  });

  test("values that no declaration foresaw", async (t) => {
    const { serve, out, text } = await adopt(
      t,
      `CREATE TABLE mix (id INTEGER PRIMARY KEY, any_thing, both INTEGER, large INTEGER, price DECIMAL(8,2), ratio NUMERIC, day DATE, clock TIME, stamp TIMESTAMP, ms BIGINT, iso DATETIME, odd DATETIME, flag BOOLEAN, word BOOLEAN, doc JSON, photo BLOB, guid CHAR(36), tiny TINYINT(1), huge DECIMAL(30, 10));
       INSERT INTO mix VALUES (1, 'a', 1, 9007199254740993, 1.005, 0.5, '2026-01-02', '10:11:12', '2026-01-02 03:04:05', 1700000000000, '2026-01-02T03:04:05.678Z', 'soon', 1, 'true', '{"a": [1]}', x'00ff', '01a21534-6470-7000-850e-9b91115102d0', 1, 12.5),
       (2, 'b', 'two', 1, 2, 3, NULL, NULL, NULL, NULL, NULL, '2026-01-01', 0, 'false', '[]', NULL, NULL, 0, 1);`,
    );
    assert.match(out, /mix\.both: holds numbers, texts or bytes/);
    assert.ok(text.includes('.without("both")'));
    const row = await answerOf(await serve(), "mixes/1");
    assert.deepEqual(row, {
      id: 1,
      anyThing: "a",
      large: "9007199254740993",
      price: 1.005,
      ratio: 0.5,
      day: "2026-01-02",
      clock: "10:11:12",
      stamp: "2026-01-02T03:04:05.000Z",
      ms: 1700000000000,
      iso: "2026-01-02T03:04:05.678Z",
      odd: "soon",
      flag: true,
      word: true,
      doc: { a: [1] },
      photo: "AP8=",
      guid: "01a21534-6470-7000-850e-9b91115102d0",
      tiny: 1,
      huge: 12.5,
    });
  });

  test("tables of 500 columns are read, written and filtered whole", async (t) => {
    const columns = Array.from({ length: 500 }, (_, index) => `c${index} INTEGER DEFAULT ${index}`);
    const { serve, place } = await adopt(
      t,
      `CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns.join(", ")}); INSERT INTO wide (id, c499) VALUES (1, NULL);
      CREATE TABLE keyless_wide (${columns.join(", ")}); INSERT INTO keyless_wide (c7) VALUES (8);`,
    );
    const served = await serve();
    const row = await answerOf(served, "wides/1");
    assert.deepEqual([Object.keys(row).length, row.c0, row.c498, row.c499], [501, 0, 498, null]);
    assert.equal((await answerOf(served, "keylessWides?filter[c7]=8")).data[0].c498, 498);
    await (served.app.system as Row).wides.create({ c3: 4 });
    await (served.app.system as Row).wides.update(2, { c499: 5 });
    assert.deepEqual(queryFile(join(place.path, "hostile.db"), "SELECT id, c3, c498, c499 FROM wide WHERE id = 2"), [
      [2, 4, 498, 5],
    ]);
  });

  test("views, generated columns, virtual tables and tables named like our own", async (t) => {
    const { serve, out, place } = await adopt(
      t,
      `CREATE TABLE item (id INTEGER PRIMARY KEY, net NUMERIC(8,2) NOT NULL, gross NUMERIC(8,2) GENERATED ALWAYS AS (round(net * 1.2, 2)) STORED);
       CREATE VIEW dear AS SELECT id, gross FROM item WHERE gross > 10;
       CREATE VIEW broken AS SELECT a FROM nowhere;
       CREATE VIRTUAL TABLE texts USING fts5(body);
       CREATE TABLE "_private" (id INTEGER PRIMARY KEY);
       INSERT INTO item (net) VALUES (1), (100); INSERT INTO texts VALUES ('hello');`,
    );
    assert.match(out, /broken: .*cannot be read/);
    const served = await serve();
    assert.deepEqual((await answerOf(served, "dears")).data, [{ id: 2, gross: "120.00" }]);
    assert.deepEqual((await answerOf(served, "items/aggregate?sum=gross")).data, [{ sum: { gross: "121.20" } }]);
    await (served.app.system as Row).items.create({ net: "10" });
    assert.equal((await answerOf(served, "items/3")).gross, "12.00");
    assert.equal((await served.ask("privates")).status, 200);
    assert.equal(place.read("backend.ts").includes("texts_data"), false);
  });

  test("broken references that were there before stand in nobody's way", async (t) => {
    const { serve } = await adopt(
      t,
      `PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p (id)); INSERT INTO c VALUES (1, 99);`,
    );
    assert.deepEqual(await answerOf(await serve(), "cs/1?fields=id,p.id"), { id: 1, p: null });
  });

  test("every file that was written type-checks", async () => {
    assert.ok(count.files > 5);
    assert.equal(await written.typeErrors(), "");
  });

  test("a database without a table that could be served is refused", async (t) => {
    const place = createPlace();
    t.after(() => place.remove());
    makeDatabase(join(place.path, "own.db"), "CREATE TABLE _changes (seq INTEGER PRIMARY KEY)");
    const { code, err } = await place.run("adopt", "own.db");
    assert.equal(code, 1);
    assert.match(err, /has no table that can be served/);
    assert.equal((await place.run("adopt", "missing.db")).code, 2);
  });
});
