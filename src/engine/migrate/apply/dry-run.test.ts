/** A rehearsal tells what would become of every table, finds what is broken, and leaves the database and the folder as they were. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { openSqlite } from "../../../drivers/database/sqlite/sqlite.ts";
import { decimal, integer, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { planEntry } from "./apply.ts";
import { dryRun } from "./dry-run.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead, readSnapshot } from "../journal/journal.ts";
import { type Plan, planMigration } from "../plan/plan.ts";
import { idOf, onEach, openMysqlScratch, type Scratch, schemaOf, scratchFolder } from "../scratch.test.ts";

const servers = { postgres: needsService("postgres"), mariadb: needsService("mariadb") };
const before = schemaOf(model("films", { title: text(), price: integer() }), model("people", { name: text() }));
const after = schemaOf(
  model("movies", { title: text().unique(), price: decimal(8, 2) }).was("films"),
  model("genres", { name: text() }),
);

async function prepare(scratch: Scratch): Promise<Plan> {
  await ensureSchema({ ...scratch, schema: before }, { mode: "development" });
  for (const id of ["a", "b"])
    await scratch.run(`INSERT INTO films (id, title, price, version) VALUES (?, 'same', 1, 1)`, idOf(id));
  const snapshot = await readSnapshot(scratch.database, await readHead(scratch.database, scratch.ddl));
  return planMigration(snapshot, { schema: after, ddl: scratch.ddl, nowMs: 0 });
}

onEach("a dry run", servers, (open, { product }) => {
  // Definitions commit by themselves there, so it is refused: see below.
  if (product === "mysql") return;
  test("counts the rows before and after, and changes nothing", async (t) => {
    const [scratch, folder] = [await open(t), scratchFolder(t)];
    const plan = await prepare(scratch);
    await scratch.run(`UPDATE films SET title = CAST(id AS TEXT)`);
    const head = await readHead(scratch.database, scratch.ddl);
    const run = await dryRun(scratch, planEntry(scratch, plan, head), { folder, openCopy: (file) => openSqlite({ file }) });
    assert.deepEqual(Object.fromEntries(run.rows), {
      films: { before: 2, after: null },
      genres: { before: null, after: 0 },
      movies: { before: null, after: 2 },
      people: { before: 0, after: null },
    });
    assert.deepEqual(run.faults, []);
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(await readHead(scratch.database, scratch.ddl), head);
    assert.deepEqual(await scratch.rows(`SELECT count(*) FROM films`), [[2]]);
  });

  test("finds what only the data can tell, and removes the copy then too", async (t) => {
    const [scratch, folder] = [await open(t), scratchFolder(t)];
    const plan = await prepare(scratch);
    const entry = planEntry(scratch, plan, await readHead(scratch.database, scratch.ddl));
    await assert.rejects(dryRun(scratch, entry, { folder, openCopy: (file) => openSqlite({ file }) }), {
      code: "migration_refused",
      message: /movies_title_key.*Two rows/,
    });
    assert.deepEqual(readdirSync(folder), []);
  });

  test("planted fault: a plan that does not do what it says is found out", async (t) => {
    const [scratch, folder] = [await open(t), scratchFolder(t)];
    const plan = await prepare(scratch);
    const steps = plan.steps.filter(({ kind }) => kind === "create-table");
    const entry = planEntry(scratch, { ...plan, steps }, await readHead(scratch.database, scratch.ddl));
    const { faults } = await dryRun(scratch, entry, { folder, openCopy: (file) => openSqlite({ file }) });
    assert.ok(faults.includes("table movies is in the journal and not in the database"), faults.join("\n"));
  });
});

describe("a dry run, on MariaDB", needsService("mariadb"), () => {
  test("is refused, and changes nothing", async (t) => {
    const scratch = await openMysqlScratch(t);
    const plan = planMigration(null, { schema: before, ddl: scratch.ddl, nowMs: 0 });
    const run = dryRun(scratch, planEntry(scratch, plan, null), { folder: ".", openCopy: () => scratch.database });
    await assert.rejects(run, { code: "dry_run_unsupported" });
    assert.deepEqual(await scratch.ddl.catalogue.readTables((sql) => scratch.rows(sql)), []);
  });
});
