/** What a plan says of who waits, on MariaDB: the server itself is asked, with the lock written out that the plan promises. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createConnection } from "mysql2/promise";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { openMysql } from "../../../drivers/database/mysql/mysql.ts";
import { date, integer, json, text, url } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { type Case, cases, nowMs, people } from "../cases.test.ts";
import { ensureSchema } from "../ensure.ts";
import { planMigration } from "./plan.ts";
import { mariadb, schemaOf, speaking } from "../scratch.test.ts";
import { isCopied, type Step } from "../steps/step.ts";

const hashed = { title: text(), page: url().unique(), seen: date().optional(), mark: text().max(20) };
const conditioned = (fields: Record<string, unknown>) =>
  model("films", { code: text().max(40).unique(), ...fields } as never).softDelete();

/** Where an index makes a change heavier than it is elsewhere, and where a text's length decides. */
const further: Readonly<Record<string, Case>> = {
  "beside a hash: a new column, an index and a requirement": {
    before: [model("films", hashed)],
    after: [model("films", { ...hashed, seen: date().default("2026-01-01"), note: text().optional() }).index("mark")],
  },
  "beside a hash: other names, and one less": {
    before: [model("films", hashed)],
    after: [model("films", { label: text().was("title"), page: url().unique(), mark: text().max(20) })],
  },
  "beside a hash: a reference": {
    before: [people, model("films", hashed)],
    after: [people, model("films", { ...hashed, director: belongsTo(() => people).optional() })],
  },
  "a hash that goes": { before: [model("films", hashed)], after: [model("films", { ...hashed, page: url() })] },
  "beside a condition: a new column, an index and a requirement": {
    before: [conditioned({ note: text().max(20), seen: date().optional() })],
    after: [conditioned({ note: text().max(20), seen: date(), year: integer().default(1) }).index("note")],
  },
  "beside a condition: other names, and one less": {
    before: [conditioned({ note: text(), seen: date() })],
    after: [conditioned({ remark: text().was("note") })],
  },
  "a condition that comes": {
    before: [model("films", { code: text().max(40).unique() })],
    after: [conditioned({})],
  },
  "a condition that goes": { before: [conditioned({})], after: [model("films", { code: text().max(40).unique() })] },
  "a longer text": {
    before: [model("films", { code: text().max(40).unique(), name: text().max(100).unique() })],
    after: [model("films", { code: text().max(50).unique(), name: text().max(200).unique() })],
  },
  "a text that outgrows a byte": {
    before: [model("films", { code: text().max(40).unique() })],
    after: [model("films", { code: text().max(100).unique() })],
  },
  documents: {
    before: [model("films", { a: json(), b: json(), c: text() })],
    after: [model("films", { a: json().optional(), c: text(), d: json().optional() })],
  },
};

/** The statements that say how they lock; names, tables and rows say nothing. */
const speaks = /^(ALTER TABLE (?!.* RENAME TO )|CREATE (UNIQUE )?INDEX)/;

/** Runs a step with its lock written out; what the server refuses of it is returned, and then it runs as it is. */
async function runStep(query: (sql: string) => Promise<unknown>, step: Step, lock: string): Promise<string[]> {
  const refused: string[] = [];
  for (const sql of step.sql) {
    if (!speaks.test(sql)) await query(sql);
    else {
      const asked = `${sql}${sql.startsWith("ALTER") ? "," : ""} LOCK = ${lock}`;
      await query(asked).catch(async (error: Error & { errno?: number }) => {
        assert.ok(error.errno === 1845 || error.errno === 1846, `${asked}: ${error.message}`);
        refused.push(sql);
        await query(sql);
      });
    }
  }
  return refused;
}

/** What each step claims, and whether the server denies it. */
async function findLies({ before, after }: Case, claim: (step: Step) => boolean): Promise<string[]> {
  const { url: address, drop } = await freshDatabase(serviceUrl("mariadb"));
  const scratch = speaking(await openMysql({ url: address }), mariadb);
  const connection = await createConnection(address);
  try {
    await ensureSchema({ ...scratch, schema: schemaOf(...before) }, { mode: "development" });
    const from = planMigration(null, { schema: schemaOf(...before), ddl: scratch.ddl, nowMs }).to;
    const { steps } = planMigration(from, { schema: schemaOf(...after), ddl: scratch.ddl, nowMs });
    await connection.query(
      "set sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', foreign_key_checks = 0, lock_wait_timeout = 5",
    );
    const lies: string[] = [];
    if (steps.some(({ refusal }) => refusal !== null)) return [];
    for (const step of steps) {
      const refused = await runStep((sql) => connection.query(sql), step, "NONE");
      const isUpdate = step.sql.some((sql) => sql.startsWith("UPDATE"));
      const isNew = ["system", "create-table"].includes(step.kind) || (step.kind === "add-references" && step.table === null);
      if (isNew) continue;
      // A step that says that writers wait has a statement for which they do.
      if (claim(step) ? refused.length === 0 && !isUpdate : refused.length > 0)
        lies.push(`${step.does.join(" ")} ${refused.join("; ")}`);
    }
    return lies;
  } finally {
    await connection.end();
    await scratch.database.close();
    await drop();
  }
}

describe("who waits, on MariaDB", needsService("mariadb"), () => {
  for (const [name, one] of Object.entries({ ...cases, ...further }))
    test(name, async () => assert.deepEqual(await findLies(one, isCopied), []));

  test("planted faults: a plan that promises too much, or too little, is found out", async () => {
    const heavy = cases["integer to decimal"] as Case;
    assert.equal((await findLies(heavy, () => false)).length, 1);
    assert.equal((await findLies(cases["add optional"] as Case, () => true)).length, 1);
  });
});
