/** What a start does to the database, in development and in production, alone and together with another process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { needsService } from "../../../test/needs.ts";
import { freshDatabase } from "../../../test/servers/databases.ts";
import { serviceUrl } from "../../../test/servers/names.ts";
import { openDatabase } from "../../app/wire.ts";
import type { Product } from "../../drivers/database.ts";
import { date, text } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { applyMigration, runEntry } from "./apply/apply.ts";
import { ensureSchema } from "./ensure.ts";
import { readEntries, readEntry, readHead, readSnapshot } from "./journal/journal.ts";
import { planMigration } from "./plan/plan.ts";
import { idOf, type Languages, onEach, type Open, schemaOf, scratchFolder } from "./scratch.test.ts";

const servers = { postgres: needsService("postgres"), mariadb: needsService("mariadb") };
const first = schemaOf(model("people", { name: text() }));
const wider = schemaOf(model("people", { name: text(), born: date().optional() }));
const narrower = schemaOf(model("people", { born: date().optional() }));
const program = fileURLToPath(import.meta.url);

if (process.argv[2] === "start") await startOnce(process.argv[3] ?? "");
else {
  onEach("a start", servers, aloneTests);
  onEach("a start on what is not its own", servers, strangeTests);
  onEach("several at once", servers, togetherTests);
}

/** What a process of the product does first, told when to begin, so that two begin at once; then it serves. */
async function startOnce(url: string): Promise<void> {
  const { database, ddl } = await openDatabase(url, () => undefined);
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  const { status } = await ensureSchema({ database, ddl, clock: Date.now, schema: wider }, { mode: "development" });
  const [row] = await database.read({ text: "SELECT count(*) FROM people WHERE born IS NOT NULL", params: [] });
  process.stdout.write(`${status} ${Number(row?.[0])}\n`);
  await database.close();
  process.exit(0);
}

async function startTogether(url: string, processes: number): Promise<string[]> {
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, [...process.execArgv, program, "start", url], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const said = children.map(({ stdout }) => {
    const chunks: string[] = [];
    stdout.on("data", (chunk) => chunks.push(String(chunk)));
    return chunks;
  });
  await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
  for (const { stdin } of children) stdin.end("go\n");
  await Promise.all(children.map((child) => once(child, "close")));
  return said.map((chunks) => chunks.join("").replace("ready\n", "").trim()).toSorted();
}

/** An empty database that several processes can open, by its URL. */
async function openShared(t: TestContext, product: Product): Promise<string> {
  if (product === "sqlite") return `sqlite:${join(scratchFolder(t), "data.db")}`;
  const { url, drop } = await freshDatabase(serviceUrl(product === "mysql" ? "mariadb" : "postgres"));
  t.after(drop);
  return url;
}

function aloneTests(open: Open): void {
  test("makes everything in an empty database, and the next one changes nothing", async (t) => {
    const scratch = await open(t);
    assert.equal((await ensureSchema({ ...scratch, schema: first }, { mode: "production" })).status, "created");
    const texts: string[] = [];
    const database = {
      ...scratch.database,
      read: (statement: { text: string; params: readonly [] }) => (texts.push(statement.text), scratch.database.read(statement)),
    };
    const counted = { ...scratch, database: database as unknown as typeof scratch.database, schema: first };
    assert.deepEqual(await ensureSchema(counted, { mode: "production" }), {
      status: "unchanged",
      plan: null,
      refusals: [],
      command: null,
      drift: [],
    });
    assert.equal(texts.length, 2);
  });

  test("in development applies what loses nothing, and asks about the rest", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "development" });
    assert.equal((await ensureSchema({ ...scratch, schema: wider }, { mode: "development" })).status, "migrated");
    const asking = await ensureSchema({ ...scratch, schema: narrower }, { mode: "development" });
    assert.deepEqual([asking.status, asking.command], ["asking", 'holdfast migrate apply --confirm "drop people.name"']);
    assert.equal((await readHead(scratch.database, scratch.ddl))?.number, 2);
    const confirmed = await ensureSchema(
      { ...scratch, schema: narrower },
      { mode: "development", confirmations: ["drop people.name"] },
    );
    assert.equal(confirmed.status, "migrated");
  });

  test("in development names what the data refuses", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "development" });
    await scratch.run(`INSERT INTO people (id, name, version) VALUES ('${idOf("p")}', 'x', 1)`);
    const schema = schemaOf(model("people", { name: text(), born: date() }));
    const asking = await ensureSchema({ ...scratch, schema }, { mode: "development" });
    assert.equal(asking.status, "asking");
    assert.match(asking.refusals.join(), /^people\.born is required and has no default/);
  });

  test("in production refuses until asked to migrate, and even then loses nothing unasked", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "production" });
    const start = (schema: typeof first, migrate: boolean) =>
      ensureSchema({ ...scratch, schema }, { mode: "production", migrate });
    await assert.rejects(start(wider, false), {
      code: "migration_pending",
      message: /Adds the column people\.born.*\nRun `holdfast migrate apply`/,
    });
    assert.equal((await start(wider, true)).status, "migrated");
    await assert.rejects(start(narrower, true), { code: "migration_unconfirmed" });
  });
}

function strangeTests(open: Open): void {
  test("leaves a database alone that is not ours", async (t) => {
    const scratch = await open(t);
    await scratch.byHand("CREATE TABLE theirs (a TEXT)");
    await assert.rejects(ensureSchema({ ...scratch, schema: first }, { mode: "development" }), {
      code: "database_not_ours",
      message: /theirs/,
    });
  });

  test("refuses a journal of a newer version", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "development" });
    const newer = `replace(CAST(snapshot AS ${scratch.product === "mysql" ? "CHAR" : "TEXT"}), '"format":1', '"format":99')`;
    await scratch.run(`UPDATE _journal SET snapshot = ${scratch.product === "postgres" ? `(${newer})::json` : newer}`);
    await assert.rejects(ensureSchema({ ...scratch, schema: wider }, { mode: "development" }), {
      code: "migration_journal_unreadable",
    });
  });
}

function togetherTests(open: Open, { product }: Languages): void {
  test("processes that start together migrate once, on an empty database and on an old one", async (t) => {
    for (const kind of ["empty", "old"] as const) {
      const url = await openShared(t, product);
      const { database, ddl } = await openDatabase(url, () => undefined);
      if (kind === "old") await ensureSchema({ database, ddl, clock: Date.now, schema: first }, { mode: "development" });
      const done = kind === "old" ? "migrated 0" : "created 0";
      assert.deepEqual(await startTogether(url, 3), [done, "unchanged 0", "unchanged 0"].toSorted());
      const numbers = (await readEntries(database)).map(({ number }) => number);
      assert.deepEqual(numbers, kind === "old" ? [1, 2] : [1]);
      await database.close();
    }
  });

  test("the second of two that planned from one state finds it done, and is refused when it planned something else", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "development" });
    const head = await readHead(scratch.database, scratch.ddl);
    const snapshot = await readSnapshot(scratch.database, head);
    const planOf = (schema: typeof first) => planMigration(snapshot, { schema, ddl: scratch.ddl, nowMs: 0 });
    const other = planOf(schemaOf(model("people", { name: text(), died: date().optional() })));
    assert.deepEqual(await applyMigration(scratch, planOf(wider), { head }), { number: 2, applied: true });
    assert.deepEqual(await applyMigration(scratch, planOf(wider), { head }), { number: 2, applied: false });
    await assert.rejects(applyMigration(scratch, other, { head }), { code: "migration_raced" });
  });

  test("planted fault: without its own number an entry would be applied twice", async (t) => {
    const scratch = await open(t);
    await ensureSchema({ ...scratch, schema: first }, { mode: "development" });
    const entry = await readEntry(scratch.database, 1);
    assert.ok(entry);
    assert.equal(await runEntry(scratch, { ...entry, up: [] }), false);
    assert.equal(await runEntry(scratch, { ...entry, number: 2, up: [] }), true);
  });
}
