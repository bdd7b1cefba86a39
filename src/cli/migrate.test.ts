/** `holdfast migrate`: what each action prints, as text and as JSON, and its exit code. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { openSqlite } from "../drivers/database/sqlite/sqlite.ts";
import { openScratch, schemaOf } from "../engine/migrate/scratch.test.ts";
import { date, text } from "../schema/field.ts";
import { model } from "../schema/model.ts";
import type { Schema } from "../schema/schema.ts";
import { type MigrateOptions, runMigrate } from "./migrate.ts";

const first = schemaOf(model("people", { name: text() }));
const wider = schemaOf(model("people", { name: text(), born: date().optional() }));
const narrower = schemaOf(model("people", { born: date().optional() }));
const strict = schemaOf(model("people", { name: text(), born: date() }));

function open(t: TestContext) {
  const scratch = openScratch(t);
  const migrate = async (schema: Schema, action: MigrateOptions["action"], options: Omit<MigrateOptions, "action"> = {}) => {
    const lines: string[] = [];
    const command = {
      ...scratch,
      schema,
      openCopy: (file: string) => openSqlite({ file }),
      out: (line: string) => void lines.push(line),
    };
    const code = await runMigrate(command, { action, ...options });
    return { code, text: lines.join("\n"), json: options.json ? JSON.parse(lines.join("\n")) : null };
  };
  return { ...scratch, migrate };
}

describe("holdfast migrate", () => {
  test("plan shows SQL, locks and losses with the rows there are; 2 while something is pending", async (t) => {
    const { migrate, run } = open(t);
    assert.match((await migrate(first, "plan")).text, /Creates the table people/);
    await migrate(first, "apply");
    assert.deepEqual(await migrate(first, "plan"), { code: 0, text: "The database is up to date.", json: null });
    for (const id of ["a", "b"]) await run(`INSERT INTO people (id, name, version) VALUES (?, 'x', 1)`, id);
    const plan = await migrate(narrower, "plan");
    assert.equal(plan.code, 2);
    assert.match(plan.text, /1\. Drops the column people\.name\.\n {3}Writers wait while 2 rows of people are rewritten/);
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
    const { migrate, run } = open(t);
    assert.match((await migrate(first, "apply")).text, /Applied migration 1: 2 steps\.$/);
    assert.deepEqual(await migrate(first, "apply"), { code: 0, text: "The database is up to date.", json: null });
    await run(`INSERT INTO people (id, name, version) VALUES ('a', 'x', 1)`);
    const refused = await migrate(strict, "apply", { json: true });
    assert.deepEqual([refused.code, refused.json.error.code], [1, "migration_refused"]);
    const unconfirmed = await migrate(narrower, "apply");
    assert.equal(unconfirmed.code, 2);
    assert.match(unconfirmed.text, /All values of people\.name/);
    const applied = await migrate(narrower, "apply", { confirm: ["drop people.name"], json: true });
    assert.deepEqual([applied.code, applied.json], [0, { applied: true, number: 2, steps: 2 }]);
  });

  test("status lists the journal, what is pending and what drifted", async (t) => {
    const { migrate, byHand } = open(t);
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
    const { migrate, byHand } = open(t);
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
    const { migrate } = open(t);
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

  test("--dry-run rehearses plan, apply and down, and changes nothing", async (t) => {
    const { migrate, run, rows } = open(t);
    assert.match(
      (await migrate(first, "apply", { dryRun: true })).text,
      /people: none before, 0 rows after\nThe copy is sound\. The database was not changed\.$/,
    );
    assert.deepEqual(await rows("SELECT count(*) FROM sqlite_schema"), [[0]]);
    await migrate(first, "apply");
    await run(`INSERT INTO people (id, name, version) VALUES ('a', 'x', 1)`);
    const dry = await migrate(narrower, "apply", { dryRun: true, json: true });
    assert.deepEqual([dry.code, dry.json.dryRun.rows], [0, { people: { before: 1, after: 1 } }]);
    assert.equal((await migrate(strict, "plan", { dryRun: true })).code, 1);
    assert.match((await migrate(first, "down", { dryRun: true })).text, /people: 1 row before, none after/);
    assert.equal((await migrate(first, "status")).code, 0);
  });
});
