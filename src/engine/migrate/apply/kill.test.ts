/** Killed after any statement, a migration leaves the old schema or the new one, with every row: by a real process that dies. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Database, Statement } from "../../../drivers/database.ts";
import { openWriter } from "../../../drivers/database/sqlite/connection.ts";
import { resolveOptions } from "../../../drivers/database/sqlite/options.ts";
import { openSqlite } from "../../../drivers/database/sqlite/sqlite.ts";
import { migrate } from "../../../drivers/database/sqlite/writer/migrate.ts";
import { createTurns } from "../../../drivers/database/sqlite/writer/turns.ts";
import { decimal, integer, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead } from "../journal/journal.ts";
import { faultsOf } from "./killed.test.ts";
import { openScratch, type Scratch, schemaOf, scratchFolder, withDatabase } from "../scratch.test.ts";

const people = model("people", { name: text() });
const before = schemaOf(
  people,
  model("films", { title: text(), price: integer(), director: belongsTo(() => people) }).index("title"),
);
const after = schemaOf(
  model("persons", { name: text(), country: text().default("CZ") }).was("people"),
  model("films", {
    label: text().optional().was("title"),
    price: decimal(8, 2),
    director: belongsTo(() => model("persons", {})),
  }).index("label"),
  model("genres", { name: text().unique() }),
);
const program = fileURLToPath(import.meta.url);
const rowCount = 200;

/** `atomic` is the driver's own procedure; `careless` is the planted fault: no transaction around the statements. */
type Manner = "atomic" | "careless";

if (process.argv[2] === "die") await die(process.argv[3] ?? "", Number(process.argv[4]), process.argv[5] as Manner);
else tests();

/** Migrates through the driver's writer, on this thread, and dies after so many statements. Says so when it got to the end. */
async function die(file: string, afterStatements: number, manner: Manner): Promise<void> {
  const { onTrouble: _, ...settings } = resolveOptions({ file });
  const writer = openWriter({ ...settings, temporary: false });
  const turns = createTurns(writer, { busyTimeoutMs: settings.busyTimeoutMs, now: () => performance.now() });
  let ran = 0;
  const run = (textOf: string, params: Statement["params"]) => {
    const changed = writer.statements.run(textOf, params);
    if (++ran === afterStatements) process.kill(process.pid, "SIGKILL");
    return changed;
  };
  const database = openSqlite({ file });
  const dying = {
    read: (statement: Statement) => database.read(statement),
    migrate: async (statements: readonly Statement[]) => {
      if (manner === "careless") for (const statement of statements) run(statement.text, statement.params);
      else assert.equal(migrate({ ...writer, statements: { ...writer.statements, run } }, statements, turns), null);
    },
  };
  await ensureSchema({ ...withDatabase(dying as unknown as Database, file), schema: after }, { mode: "development" });
  process.stdout.write(String(ran));
  process.exit(0);
}

function migrateAndDie(file: string, afterStatements: number, manner: Manner): { killed: boolean; ran: number } {
  const child = spawnSync(process.execPath, [program, "die", file, String(afterStatements), manner], { encoding: "utf8" });
  assert.ok(child.signal === "SIGKILL" || child.status === 0, child.stderr);
  return { killed: child.signal === "SIGKILL", ran: Number(child.stdout) };
}

async function prepare(scratch: Scratch): Promise<void> {
  await ensureSchema({ ...scratch, schema: before }, { mode: "development" });
  await scratch.run(`INSERT INTO people (id, name, version) VALUES ('p', 'Forman', 1)`);
  const rows = Array.from({ length: rowCount }, (_, row) => `('f${row}', 'film ${row}', ${row}, 'p', 1)`).join(", ");
  await scratch.run(`INSERT INTO films (id, title, price, director_id, version) VALUES ${rows}`);
  await scratch.database.close();
}

/** Which schema the file has, or what is wrong with it. */
async function judge(file: string): Promise<string> {
  const scratch = withDatabase(openSqlite({ file }), file);
  try {
    const head = await readHead(scratch.database, scratch.ddl);
    const faults = await faultsOf(scratch, head);
    if (faults !== "") return faults;
    const isNew = head?.number === 2;
    const sum = isNew
      ? `SELECT count(label), sum(price) / 100 FROM films JOIN persons p ON p.id = director_id`
      : `SELECT count(title), sum(price) FROM films JOIN people p ON p.id = director_id`;
    assert.deepEqual(await scratch.rows(sum), [[rowCount, (rowCount * (rowCount - 1)) / 2]]);
    return isNew ? "new" : "old";
  } finally {
    await scratch.database.close();
  }
}

function tests(): void {
  describe("killed after any statement", () => {
    test("the database has the old schema or the new one, and the next start brings the new one", async (t) => {
      const folder = scratchFolder(t);
      const template = join(folder, "template.db");
      await prepare(openScratch(t, template));
      const whole = join(folder, "whole.db");
      cpSync(template, whole);
      const { ran } = migrateAndDie(whole, 0, "atomic");
      assert.equal(await judge(whole), "new");
      assert.ok(ran > 10);
      for (let statement = 1; statement <= ran; statement++) {
        const file = join(folder, `${statement}.db`);
        cpSync(template, file);
        assert.ok(migrateAndDie(file, statement, "atomic").killed);
        assert.equal(await judge(file), "old", `after statement ${statement}`);
      }
      migrateAndDie(join(folder, "1.db"), 0, "atomic");
      assert.equal(await judge(join(folder, "1.db")), "new");
    });

    test("planted fault: without a transaction it has neither", async (t) => {
      const folder = scratchFolder(t);
      const file = join(folder, "data.db");
      await prepare(openScratch(t, file));
      migrateAndDie(file, 5, "careless");
      assert.match(await judge(file), /in the journal/);
    });
  });
}
