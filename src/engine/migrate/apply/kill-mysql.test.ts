/** Killed after any statement (`KILLS=every`; else after some), a migration on MariaDB or MySQL goes on at the next start, and leads back from there too. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import mysql2 from "mysql2";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { openMysql, recogniseMysql } from "../../../drivers/database/mysql/mysql.ts";
import { date, decimal, integer, json, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { migrateDown, planDown } from "./down.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead } from "../journal/journal.ts";
import { faultsOf, migrateAndDie, withoutMarks } from "./killed.test.ts";
import { phrasesOf } from "../plan/plan.ts";
import { addressOf, idOf, type Languages, mariadb, mysql, type Scratch, schemaOf, speaking } from "../scratch.test.ts";

/** Names that change places, a type, a key's text, requirements, references and indexes of each kind: each of the servers' ways occurs. */
const people = model("people", { name: text() });
const firms = model("firms", { name: text() });
const before = schemaOf(
  people,
  firms,
  model("films", {
    title: text().optional(),
    price: integer(),
    code: text().max(40),
    director: belongsTo(() => people),
    studio: belongsTo(() => people).optional(),
  })
    .index("title")
    .index("code"),
  model("left", { a: text(), b: text() }),
  model("right", { c: text() }),
);
const persons = model("persons", { name: text(), country: text().default("CZ") }).was("people");
const after = schemaOf(
  persons,
  firms,
  model("films", {
    label: text().default("none").was("title").unique(),
    price: decimal(8, 2),
    code: text().max(80).optional(),
    director: belongsTo(() => persons),
    studio: belongsTo(() => firms).optional(),
    seen: date().default("2026-01-01"),
    notes: json().optional(),
  })
    .softDelete()
    .index("price")
    .index("code"),
  model("left", { a: text().column("b"), b: text().column("a") }).table("right"),
  model("right", { c: text(), person: belongsTo(() => persons).optional() }).table("left"),
  model("genres", { name: text().max(60).unique() }).softDelete(),
);
const program = fileURLToPath(import.meta.url);
const rowCount = 20;
const isEvery = process.env["KILLS"] === "every";

/** `answered`: dies when the answer is there. `sent`: once the server has been asked, and may go on. `careless` is the planted fault: no marks in the journal. */
type Manner = "answered" | "sent" | "careless";

if (process.argv[2] === "die") await die(process.argv[3] ?? "", Number(process.argv[4]), process.argv[5] as Manner);
else tests();

/** Migrates, and dies at that statement of the connection that holds the lock of migrations. */
async function die(url: string, atStatement: number, manner: Manner): Promise<void> {
  const counted = { holder: null as unknown, texts: [] as string[] };
  const prototype = mysql2.Connection.prototype as unknown as Record<"query" | "execute", (...args: unknown[]) => unknown>;
  for (const name of ["query", "execute"] as const) {
    const ask = prototype[name];
    prototype[name] = function countQuery(this: unknown, ...args: unknown[]) {
      const [textOf] = args;
      const answer = args.at(-1) as (...results: unknown[]) => void;
      if (String(textOf as string).includes("get_lock")) counted.holder = this;
      if (this !== counted.holder) return ask.apply(this, args);
      const isIt = counted.texts.push(String(textOf as string)) === atStatement;
      if (isIt && manner === "sent") setTimeout(() => process.kill(process.pid, "SIGKILL"));
      return ask.apply(this, [
        ...args.slice(0, -1),
        (...results: unknown[]) => {
          if (isIt) process.kill(process.pid, "SIGKILL");
          answer(...results);
        },
      ]);
    };
  }
  const database = await openMysql({ url });
  const scratch = speaking(manner === "careless" ? withoutMarks(database) : database, await languagesAt(url));
  const ensured = await finish(scratch);
  assert.equal(ensured.status, "migrated", [...ensured.refusals, ensured.command].join("; "));
  process.stdout.write(JSON.stringify(placesIn(counted.texts)));
  process.exit(0);
}

/** Where a kill is worth its time: after each definition, and at the edges of each transaction. */
function placesIn(texts: readonly string[]): readonly number[] {
  return texts.flatMap((current, index) => {
    const isEdge = /^(ALTER|CREATE|DROP|start)/.test(current) || texts[index + 1] === "commit";
    return isEvery || isEdge ? [index + 1] : [];
  });
}

/** Some of them, evenly, the first and the last too. */
function someOf(places: readonly number[], count: number): readonly number[] {
  if (isEvery) return places;
  const step = (places.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, at) => places[Math.round(at * step)] as number);
}

/** A database with the old schema and rows in it. */
async function prepare(url: string): Promise<void> {
  await withScratch(url, async (scratch) => {
    await ensureSchema({ ...scratch, schema: before }, { mode: "development" });
    const rows = Array.from({ length: rowCount }, (_, row) => {
      const id = idOf("f").replace(/..$/, String(row + 10));
      return `('${id}', ${row === 0 ? "NULL" : `'film ${row}'`}, ${row}, 'c${row}', '${idOf("p")}', 1)`;
    });
    await scratch.byHand(
      `INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'Forman', 1)`,
      `INSERT INTO films (id, title, price, code, director_id, version) VALUES ${rows.join(", ")}`,
      `INSERT INTO "left" (id, a, b, version) VALUES ('${idOf("l")}', 'A', 'B', 1)`,
      `INSERT INTO "right" (id, c, version) VALUES ('${idOf("r")}', 'C', 1)`,
    );
  });
}

async function withScratch<T>(url: string, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const database = await openMysql({ url, lockTimeoutMs: 20_000 });
  try {
    return await work(speaking(database, await languagesAt(url)));
  } finally {
    await database.close();
  }
}

async function languagesAt(url: string): Promise<Languages> {
  return (await recogniseMysql({ url })).title === "MySQL" ? mysql : mariadb;
}

async function inFresh<T>(languages: Languages, work: (url: string) => Promise<T>): Promise<T> {
  const { url, drop } = await freshDatabase(addressOf(languages));
  try {
    await prepare(url);
    return await work(url);
  } finally {
    await drop();
  }
}

/** Which schema the database has, or what is wrong with it. */
async function judge(scratch: Scratch): Promise<string> {
  const head = await readHead(scratch.database, scratch.ddl);
  if (head !== null && head.next !== null) return "unfinished";
  const faults = await faultsOf(scratch, head);
  if (faults !== "") return faults;
  const isNew = head?.number === 2;
  const [films, sides] = isNew
    ? [
        `SELECT count(label), CAST(sum(price) AS SIGNED) FROM films JOIN persons p ON p.id = director_id WHERE seen = '2026-01-01'`,
        `SELECT r.b, r.a, l.c FROM "right" r JOIN "left" l`,
      ]
    : [
        `SELECT count(title) + ${head?.number === 3 ? 0 : 1}, CAST(sum(price) AS SIGNED) FROM films JOIN people p ON p.id = director_id`,
        `SELECT l.a, l.b, r.c FROM "left" l JOIN "right" r`,
      ];
  assert.deepEqual(await scratch.rows(films), [[rowCount, (rowCount * (rowCount - 1)) / 2]]);
  assert.deepEqual(await scratch.rows(sides), [["A", "B", "C"]]);
  return isNew ? "new" : "old";
}

function finish(scratch: Scratch): ReturnType<typeof ensureSchema> {
  return ensureSchema({ ...scratch, schema: after }, { mode: "development" });
}

async function killAt(languages: Languages, place: number, manner: Manner): Promise<string> {
  return inFresh(languages, async (url) => {
    assert.ok(migrateAndDie({ program, url }, place, manner).killed);
    return withScratch(url, async (scratch) => {
      const state = await judge(scratch);
      await finish(scratch);
      assert.equal(await judge(scratch), "new", `${manner} ${place}`);
      return state;
    });
  });
}

async function findPlaces(languages: Languages): Promise<readonly number[]> {
  return inFresh(languages, async (url) => {
    const { places } = migrateAndDie({ program, url }, 0, "answered");
    assert.equal(await withScratch(url, judge), "new");
    assert.ok(places.length > 30, String(places));
    return places;
  });
}

function tests(): void {
  describe("killed at any statement, on MariaDB", needsService("mariadb"), () => testKills(mariadb, [10, 6, 3]));
  describe("killed at any statement, on MySQL", needsService("mysql"), () => testKills(mysql, [4, 2, 2]));
}

/** Counts: of kills, of those while the server is at it, and of ways back. */
function testKills(languages: Languages, [kills, sent, ways]: readonly [number, number, number]): void {
  let found: Promise<readonly number[]> | undefined;
  const listPlaces = () => (found ??= findPlaces(languages));

  test("a migration goes on at the next start, with every row", async () => {
    const states = new Set<string>();
    for (const place of someOf(await listPlaces(), kills)) states.add(await killAt(languages, place, "answered"));
    assert.deepEqual([...states].toSorted(), ["old", "unfinished"]);
  });

  test("and so it does where the server was still at it", async () => {
    for (const place of someOf(await listPlaces(), sent)) await killAt(languages, place, "sent");
  });

  test("it leads back as well, from where it was killed", async () => {
    const places = await listPlaces();
    for (const place of someOf(places.slice(8, -8), ways))
      await inFresh(languages, async (url) => {
        assert.ok(migrateAndDie({ program, url }, place, "answered").killed);
        await withScratch(url, async (scratch) => {
          assert.equal(await judge(scratch), "unfinished");
          const down = await planDown(scratch);
          await migrateDown(scratch, down, phrasesOf(down.steps));
          assert.equal(await judge(scratch), "old");
        });
      });
  });

  test("planted fault: without marks in the journal it does not", async () => {
    const places = await listPlaces();
    await inFresh(languages, async (url) => {
      migrateAndDie({ program, url }, Math.floor((places.at(-1) as number) / 3), "careless");
      await withScratch(url, async (scratch) => {
        await finish(scratch);
        assert.match(await judge(scratch), /in the journal/);
      });
    });
  });
}
