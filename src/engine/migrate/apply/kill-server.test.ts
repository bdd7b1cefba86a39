/** Killed after any statement (`KILLS=every`; else at the edges), a migration on a server leaves the old schema, the new one, or one that the next start brings to its end. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { queryOnce } from "../../../../test/servers/postgres.ts";
import { openPostgres } from "../../../drivers/database/postgres/postgres.ts";
import { decimal, integer, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead } from "../journal/journal.ts";
import { faultsOf, migrateAndDie, withoutMarks } from "./killed.test.ts";
import { idOf, postgres, type Scratch, schemaOf, speaking } from "../scratch.test.ts";

const people = model("people", { name: text() });
const firms = model("firms", { name: text() });
const before = schemaOf(
  people,
  firms,
  model("films", {
    title: text().optional(),
    price: integer(),
    director: belongsTo(() => people),
    studio: belongsTo(() => people).optional(),
  }).index("title"),
);
const after = schemaOf(
  model("persons", { name: text(), country: text().default("CZ") }).was("people"),
  firms,
  model("films", {
    label: text().default("none").was("title").unique(),
    price: decimal(8, 2),
    director: belongsTo(() => model("persons", {})),
    studio: belongsTo(() => firms).optional(),
  }).index("price"),
  model("genres", { name: text().unique() }),
);
const program = fileURLToPath(import.meta.url);

/** What the library tells a statement of its end. */
const hearing = ["handleReadyForQuery", "handleError"] as const;
type Heard = Record<(typeof hearing)[number], (...results: unknown[]) => void>;

const rowCount = 50;

/**
 * `whole`: everything fits into one transaction. `phases`: every table counts as one with many rows. `bare`: as a database whose
 * definitions commit by themselves. `careless` is the planted fault: the same without marks in the journal.
 */
type Manner = "whole" | "phases" | "bare" | "careless";

if (process.argv[2] === "die") await die(process.argv[3] ?? "", Number(process.argv[4]), process.argv[5] as Manner);
else tests();

function speakingIn(manner: Manner, database: Scratch["database"]): Scratch {
  const scratch = { ...speaking(database, postgres), manyRowsMin: manner === "phases" ? 0 : 10_000 };
  if (manner === "whole" || manner === "phases") return scratch;
  const bare = { ...postgres.ddl.manner, transactional: false, lockTables: null, online: null };
  return { ...scratch, ddl: { ...postgres.ddl, manner: bare } };
}

/** Migrates, and dies once so many statements have been answered on the connection that holds the lock of migrations. */
async function die(url: string, afterStatements: number, manner: Manner): Promise<void> {
  const counted = { holder: null as unknown, texts: [] as string[] };
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const query = prototype.query;
  prototype.query = function countQuery(this: unknown, ...args: unknown[]) {
    const [asked] = args as [Partial<Heard> & { readonly text?: string }];
    if (asked.text?.includes("pg_try_advisory_lock")) counted.holder = this;
    for (const name of this === counted.holder ? hearing : []) {
      const hear = asked[name];
      if (hear === undefined) continue;
      asked[name] = (...results) => {
        if (counted.texts.push(asked.text ?? "") === afterStatements) process.kill(process.pid, "SIGKILL");
        hear.apply(asked, results);
      };
    }
    return query.apply(this, args);
  };
  const database = await openPostgres({ url });
  const scratch = speakingIn(manner, manner === "careless" ? withoutMarks(database) : database);
  await ensureSchema({ ...scratch, schema: after }, { mode: "development" });
  process.stdout.write(JSON.stringify(placesIn(counted.texts)));
  process.exit(0);
}

/** After which statements a kill is worth its time: at the edges of each transaction, and around what stands alone. */
function placesIn(texts: readonly string[]): readonly number[] {
  const isEvery = process.env["KILLS"] === "every";
  return texts.flatMap((current, index) => {
    const next = texts[index + 1] ?? "";
    const isInside =
      texts.slice(0, index + 1).findLastIndex((one) => one.startsWith("begin")) > texts.slice(0, index + 1).lastIndexOf("commit");
    return isEvery || !isInside || next === "commit" || current.startsWith("set constraints") ? [index + 1] : [];
  });
}

/** A database with the old schema and rows in it, which others are copied from. */
async function prepare(t: TestContext): Promise<string> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  t.after(drop);
  const scratch = speaking(await openPostgres({ url }), postgres);
  await ensureSchema({ ...scratch, schema: before }, { mode: "development" });
  await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'Forman', 1)`);
  await scratch.run(
    `INSERT INTO films (id, title, price, director_id, version) SELECT gen_random_uuid(), nullif('film ' || n, 'film 0'), n, '${idOf("p")}', 1 FROM generate_series(0, ${rowCount - 1}) n`,
  );
  await scratch.database.close();
  return url;
}

async function copyOf(template: string, work: (url: string) => Promise<void>): Promise<void> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const name = new URL(url).pathname.slice(1);
  await drop();
  await queryOnce(serviceUrl("postgres"), `create database ${name} template ${new URL(template).pathname.slice(1)}`);
  try {
    await work(url);
  } finally {
    await drop();
  }
}

async function withScratch<T>(url: string, manner: Manner, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const database = await openPostgres({ url });
  try {
    return await work(speakingIn(manner, database));
  } finally {
    await database.close();
  }
}

/** Which schema the database has, or what is wrong with it. */
async function judge(scratch: Scratch): Promise<string> {
  const head = await readHead(scratch.database, scratch.ddl);
  if (head !== null && head.next !== null) return "unfinished";
  const faults = await faultsOf(scratch, head);
  if (faults !== "") return faults;
  const isNew = head?.number === 2;
  const sum = isNew
    ? `SELECT count(label), sum(price)::bigint FROM films JOIN persons p ON p.id = director_id`
    : `SELECT count(title) + 1, sum(price)::bigint FROM films JOIN people p ON p.id = director_id`;
  assert.deepEqual(await scratch.rows(sum), [[rowCount, (rowCount * (rowCount - 1)) / 2]]);
  return isNew ? "new" : "old";
}

async function killEverywhere(t: TestContext, manner: Manner): Promise<ReadonlySet<string>> {
  const template = await prepare(t);
  let places: readonly number[] = [];
  await copyOf(template, async (url) => {
    places = migrateAndDie({ program, url }, 0, manner).places;
    assert.equal(await withScratch(url, manner, judge), "new");
  });
  assert.ok(places.length > 3, String(places));
  const states = new Set<string>();
  for (const statement of places) {
    await copyOf(template, async (url) => {
      assert.ok(migrateAndDie({ program, url }, statement, manner).killed);
      await withScratch(url, manner, async (scratch) => {
        states.add(await judge(scratch));
        await ensureSchema({ ...scratch, schema: after }, { mode: "development" });
        assert.equal(await judge(scratch), "new", `after statement ${statement}`);
      });
    });
  }
  return states;
}

function tests(): void {
  describe("killed after any statement, on PostgreSQL", needsService("postgres"), () => {
    test("a migration of one transaction is done or not", async (t) => {
      assert.deepEqual([...(await killEverywhere(t, "whole"))].toSorted(), ["new", "old"]);
    });

    test("a migration in phases goes on at the next start", async (t) => {
      assert.deepEqual([...(await killEverywhere(t, "phases"))].toSorted(), ["new", "old", "unfinished"]);
    });

    test("so does one whose definitions commit by themselves", async (t) => {
      assert.deepEqual([...(await killEverywhere(t, "bare"))].toSorted(), ["new", "old", "unfinished"]);
    });

    test("planted fault: without marks in the journal it does not", async (t) => {
      const template = await prepare(t);
      await copyOf(template, async (url) => {
        migrateAndDie({ program, url }, 20, "careless");
        await withScratch(url, "bare", async (scratch) => {
          await ensureSchema({ ...scratch, schema: after }, { mode: "development" });
          assert.match(await judge(scratch), /in the journal/);
        });
      });
    });
  });
}
