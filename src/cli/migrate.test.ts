/** `holdfast migrate`: what each action prints, as text and as JSON, and its exit code. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../../test/needs.ts";
import { openSqlite } from "../drivers/database/sqlite/sqlite.ts";
import { applyMigration } from "../engine/migrate/apply/apply.ts";
import { readHead, readSnapshot } from "../engine/migrate/journal/journal.ts";
import { planMigration } from "../engine/migrate/plan/plan.ts";
import { eachProduct, idOf, type Open, openPostgresScratch, schemaOf, scratchFolder } from "../engine/migrate/scratch.test.ts";
import { date, text } from "../schema/field.ts";
import { model } from "../schema/model.ts";
import type { Schema } from "../schema/schema.ts";
import { type MigrateOptions, runMigrate } from "./migrate.ts";

const servers = { postgres: needsService("postgres"), mariadb: needsService("mariadb") };
const first = schemaOf(model("people", { name: text() }));
const wider = schemaOf(model("people", { name: text(), born: date().optional() }));
const narrower = schemaOf(model("people", { born: date().optional() }));
const strict = schemaOf(model("people", { name: text(), born: date() }));

async function openIn(open: Open, t: TestContext) {
  const scratch = await open(t);
  const folder = scratchFolder(t);
  const migrate = async (schema: Schema, action: MigrateOptions["action"], options: Omit<MigrateOptions, "action"> = {}) => {
    const lines: string[] = [];
    const command = {
      ...scratch,
      schema,
      folder,
      openCopy: (file: string) => openSqlite({ file }),
      out: (line: string) => void lines.push(line),
    };
    const code = await runMigrate(command, { action, ...options });
    return { code, text: lines.join("\n"), json: options.json ? JSON.parse(lines.join("\n")) : null };
  };
  return { ...scratch, migrate };
}

for (const { title, need, open, languages } of eachProduct(servers))
  describe(`holdfast migrate, ${title}`, need, () => {
    test("plan shows SQL, locks and losses with the rows there are; 2 while something is pending", async (t) => {
      const { migrate, run } = await openIn(open, t);
      assert.match((await migrate(first, "plan")).text, /Creates the table people/);
      await migrate(first, "apply");
      assert.deepEqual(await migrate(first, "plan"), { code: 0, text: "The database is up to date.", json: null });
      for (const id of ["a", "b"]) await run(`INSERT INTO people (id, name, version) VALUES (?, 'x', 1)`, idOf(id));
      const plan = await migrate(narrower, "plan");
      assert.equal(plan.code, 2);
      const waits = {
        sqlite: /1\. Drops the column people\.name\.\n {3}Writers wait while 2 rows of people are rewritten/,
        postgres: /1\. Drops the column people\.name\.\n {3}Readers and writers of people wait for a moment\./,
        mysql: /1\. Drops the column people\.name\.\n {3}Readers and writers of people wait for a moment\./,
      };
      assert.match(plan.text, waits[languages.product]);
      assert.match(
        plan.text,
        /LOST: All values of people\.name \(2 rows\)\.\n {3}Confirm with --confirm "drop people\.name"\n {5}ALTER TABLE "people" DROP COLUMN "name";/,
      );
      assert.match(plan.text, /Apply it with: holdfast migrate apply --confirm "drop people\.name"$/);
      const { json } = await migrate(narrower, "plan", { json: true });
      assert.deepEqual(
        [json.state, json.steps.length, json.steps[0].confirm, json.command],
        ["pending", 2, ["drop people.name"], 'holdfast migrate apply --confirm "drop people.name"'],
      );
    });

    test("apply does it once; 2 when a confirmation is missing, 1 when the data is in the way", async (t) => {
      const { migrate, run } = await openIn(open, t);
      assert.match((await migrate(first, "apply")).text, /Applied migration 1: 2 steps\.$/);
      assert.deepEqual(await migrate(first, "apply"), { code: 0, text: "The database is up to date.", json: null });
      await run(`INSERT INTO people (id, name, version) VALUES ('${idOf("a")}', 'x', 1)`);
      const refused = await migrate(strict, "apply", { json: true });
      assert.deepEqual([refused.code, refused.json.error.code], [1, "migration_refused"]);
      const unconfirmed = await migrate(narrower, "apply");
      assert.equal(unconfirmed.code, 2);
      assert.match(unconfirmed.text, /All values of people\.name/);
      const applied = await migrate(narrower, "apply", { confirm: ["drop people.name"], json: true });
      assert.deepEqual([applied.code, applied.json], [0, { applied: true, number: 2, steps: 2 }]);
    });

    test("status lists the journal, what is pending and what drifted", async (t) => {
      const { migrate, byHand } = await openIn(open, t);
      assert.match((await migrate(first, "status")).text, /empty/);
      await migrate(first, "apply");
      assert.deepEqual(await migrate(first, "status"), {
        code: 0,
        text: "* 1  2026-01-01T00:00:00.000Z  up  2 steps\nThe database is up to date.",
        json: null,
      });
      assert.equal((await migrate(wider, "status")).code, 2);
      await byHand("CREATE TABLE extra (a TEXT)");
      const drifted = await migrate(first, "status");
      assert.equal(drifted.code, 2);
      assert.match(drifted.text, /DRIFT: table extra is in the database and not in the journal/);
      const { json } = await migrate(first, "status", { json: true });
      assert.deepEqual([json.state, json.current, json.entries.length, json.pending, json.drift.length], ["current", 1, 1, 0, 1]);
    });

    test("plan and status go on where somebody dropped what the plan would ask about", async (t) => {
      const { migrate, byHand } = await openIn(open, t);
      await migrate(first, "apply");
      await byHand("DROP TABLE people");
      for (const action of ["plan", "status"] as const) {
        const told = await migrate(strict, action);
        assert.equal(told.code, 2);
        assert.match(told.text, /DRIFT: table people is in the journal and not in the database/);
      }
      assert.match((await migrate(strict, "apply")).text, /changed the database by hand/);
    });

    test("down undoes the last one, and says what that loses", async (t) => {
      const { migrate } = await openIn(open, t);
      await migrate(first, "apply");
      await migrate(wider, "apply");
      const asked = await migrate(wider, "down");
      assert.equal(asked.code, 2);
      assert.match(asked.text, /All values of people\.born\.\n.*holdfast migrate down --confirm "drop people\.born"/);
      assert.match((await migrate(wider, "down", { confirm: ["drop people.born"] })).text, /Undid migration 2: 1 step\.$/);
      assert.equal((await migrate(first, "status")).code, 0);
      await migrate(first, "down", { confirm: ["drop people"] });
      assert.deepEqual((await migrate(first, "down", { json: true })).json.error.code, "migration_nothing_to_undo");
    });

    // Where definitions commit by themselves a dry run is refused.
    if (!languages.ddl.manner.transactional) return;

    test("--dry-run rehearses plan, apply and down, and changes nothing", async (t) => {
      const { migrate, run, rows, ddl } = await openIn(open, t);
      assert.match(
        (await migrate(first, "apply", { dryRun: true })).text,
        /people: none before, 0 rows after\nThe (copy|outcome) is sound\. The database was not changed\.$/,
      );
      assert.deepEqual(await ddl.catalogue.readTables((sql) => rows(sql)), []);
      await migrate(first, "apply");
      await run(`INSERT INTO people (id, name, version) VALUES ('${idOf("a")}', 'x', 1)`);
      const dry = await migrate(narrower, "apply", { dryRun: true, json: true });
      assert.deepEqual([dry.code, dry.json.dryRun.rows], [0, { people: { before: 1, after: 1 } }]);
      assert.equal((await migrate(strict, "plan", { dryRun: true })).code, 1);
      assert.match((await migrate(first, "down", { dryRun: true })).text, /people: 1 row before, none after/);
      assert.equal((await migrate(first, "status")).code, 0);
    });
  });

describe("holdfast migrate, where a migration was ended in between", needsService("postgres"), () => {
  test("plan and status say so, and apply brings it to its end", async (t) => {
    const { migrate, database, ddl, run } = await openIn(openPostgresScratch, t);
    await migrate(first, "apply");
    const snapshot = await readSnapshot(database, await readHead(database, ddl));
    const plan = planMigration(snapshot, { schema: strict, ddl, nowMs: 0, large: new Set(["people"]) });
    const [step] = plan.steps;
    assert.ok(step);
    const phase = { sql: ["SELECT 1 FROM nowhere"], alone: true, clean: null, unless: null };
    const steps = [...plan.steps, { ...step, sql: [], checks: [], later: [phase] }];
    const head = await readHead(database, ddl);
    const context = { database, ddl, clock: () => 0 };
    await assert.rejects(applyMigration(context, { ...plan, steps }, { head }));
    const entry = `(SELECT replace(up::text, 'SELECT 1 FROM nowhere', 'SELECT 1')::json FROM "_journal" WHERE number = 2)`;
    await run(`UPDATE "_journal" SET up = ${entry} WHERE number = 2`);
    for (const action of ["plan", "status"] as const) {
      const told = await migrate(strict, action);
      assert.equal(told.code, 2);
      assert.match(told.text, /UNFINISHED: migration 2 goes on with `holdfast migrate apply`/);
    }
    assert.equal((await migrate(strict, "status", { json: true })).json.unfinished, 2);
    assert.match((await migrate(strict, "apply")).text, /^Brought migration 2 to its end\.\nThe database is up to date\.$/);
    assert.equal((await migrate(strict, "status")).code, 0);
  });
});
