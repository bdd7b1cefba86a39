/** Golden files of plan and SQL: every call in golden/calls.ts against what stands in golden/*.txt. `GOLDEN=write` rewrites them. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { createCountingIds } from "../src/base/ids.ts";
import { createSteppedClock } from "../src/base/clock.ts";
import type { Database } from "../src/drivers/database.ts";
import { sqliteDdl } from "../src/drivers/database/sqlite/ddl.ts";
import { sqliteDialect } from "../src/drivers/database/sqlite/dialect.ts";
import { openSqlite } from "../src/drivers/database/sqlite/sqlite.ts";
import { createEngine } from "../src/engine/create.ts";
import { ensureSchema } from "../src/engine/migrate/ensure.ts";
import type { ReadCall } from "../src/engine/call.ts";
import { readShape } from "../src/engine/run/bind.ts";
import { compileSchema, type DeclaredModel } from "../src/schema/compile.ts";
import { golden } from "./golden/backend.ts";
import { type GoldenCall, goldenReads, goldenRows, goldenWrites } from "./golden/calls.ts";

const clock = createSteppedClock();
const texts: string[] = [];
const database = openSqlite({ file: ":memory:" });
const schema = compileSchema(golden.spec.models as Readonly<Record<string, DeclaredModel>>);
await ensureSchema({ database, ddl: sqliteDdl, clock, schema }, { mode: "development" });
const engine = createEngine(golden, {
  schema,
  database: recording(database),
  dialect: sqliteDialect,
  commits: null,
  cursorKey: new Uint8Array(32),
  clock,
  newId: createCountingIds(),
  onListenerError: assert.ifError,
});
for (const [model, rows] of Object.entries(goldenRows)) {
  for (const data of rows)
    await engine.execute(
      { op: "create", model, data },
      { actor: { kind: "system", id: null, roles: [], claims: {} }, requestId: null },
    );
}
after(() => database.close());

for (const golden of goldenReads) {
  test(`plan and SQL of ${golden.name}`, async () => {
    const { sql } = await run(golden);
    const { actor, call } = golden;
    const facts = engine.context.factsOf(actor);
    const shaped = readShape(call as ReadCall, { context: engine.context, actor, facts });
    compare(golden.name, `${planText(engine.context.plans.get(shaped.key)?.plan)}\n\n${sql}`);
  });
}
for (const golden of goldenWrites) test(`SQL of ${golden.name}`, async () => compare(golden.name, (await run(golden)).sql));

test("a rule that is gone from a plan shows in its golden file", async () => {
  const wanted = readFileSync(pathOf("list-row-rule"), "utf8");
  const faulty = wanted.replace(/ and t0\."published" = 1/, "");
  assert.notEqual(faulty, wanted);
  assert.throws(() => compareTexts("list-row-rule", faulty));
});

async function run({ call, actor }: GoldenCall): Promise<{ sql: string }> {
  texts.length = 0;
  await engine.execute(call, { actor, requestId: "golden" }).catch((error: { code?: string }) => {
    // A row that is not there has its plan and SQL all the same.
    assert.equal(error.code, "not_found");
  });
  return { sql: texts.map((text) => `${wrap(text)};`).join("\n\n") };
}

/** The database itself; what runs on it is written down. */
function recording(real: Database): Database {
  return {
    ...real,
    read(statement, options) {
      texts.push(statement.text);
      return real.read(statement, options);
    },
    write(unit) {
      texts.push(...unit.map(({ text, kind }) => `-- ${kind}\n${text}`));
      return real.write(unit);
    },
  };
}

function planText(plan: unknown): string {
  return JSON.stringify(
    plan,
    (key, value: unknown) => {
      if (value instanceof Map || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
      const named = value as { name?: string; table?: string; columns?: unknown; model?: string; via?: string; column?: string };
      if (typeof value === "object" && named.table !== undefined) return named.name;
      if (typeof value === "object" && (named.column !== undefined || named.via !== undefined))
        return `${named.model}.${named.name}`;
      return (key === "up" && value === 0) || (key === "of" && value === "row") ? undefined : value;
    },
    1,
  )
    .replace(/\n\s*([\]}])/g, "$1")
    .replace(/([[{])\n\s*/g, "$1");
}

// One clause a line, so that a difference is seen where it is.
function wrap(text: string): string {
  return text.replace(/ (from|where|and|order by|group by|limit|left join|join|values|set|when) /g, "\n  $1 ");
}

function compare(name: string, text: string): void {
  if (process.env["GOLDEN"] === "write") writeFileSync(pathOf(name), `${text}\n`);
  compareTexts(name, `${text}\n`);
}

function compareTexts(name: string, text: string): void {
  assert.equal(text, readFileSync(pathOf(name), "utf8"), `${name} differs; where that is meant, run it with GOLDEN=write`);
}

function pathOf(name: string): string {
  return new URL(`golden/${name}.txt`, import.meta.url).pathname;
}
