/** Golden plans: what each kind of change runs, says and asks, and the way back. `GOLDEN=write` writes the file anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Ddl } from "../../../drivers/ddl.ts";
import { languagesOf } from "../../../drivers/database/mysql/variants/languages.ts";
import { mariadb } from "../../../drivers/database/mysql/variants/mariadb.ts";
import { postgresDdl } from "../../../drivers/database/postgres/ddl.ts";
import { sqliteDdl as ddl } from "../../../drivers/database/sqlite/ddl.ts";
import { date, decimal, integer, serial, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { type Case, cases, nowMs, people } from "../cases.test.ts";
import { writePlan } from "./explain.ts";
import { downSnapshot, phrasesOf, type Plan, planMigration } from "./plan.ts";
import { schemaOf } from "../scratch.test.ts";
import { checksumOf } from "../snapshot/snapshot.ts";

/** A product, and whether every table has many rows. */
interface Way {
  readonly ddl: Ddl;
  readonly isLarge?: boolean;
}

function planOf({ before, after }: Case, way: Way = { ddl }): Plan {
  const first = planMigration(null, { schema: schemaOf(...before), ddl: way.ddl, nowMs });
  const large = new Set(way.isLarge ? first.to.models.map(({ table }) => table) : []);
  return planMigration(first.to, { schema: schemaOf(...after), ddl: way.ddl, nowMs, large });
}

function write(name: string, plan: Plan): string {
  const told = (steps: Plan["steps"]) => [
    ...writePlan(steps, new Map()),
    ...steps.flatMap(({ refusal, checks }) => [
      ...(refusal ? [`Refused: ${refusal}`] : []),
      ...checks.map((one) => `Refused if ${one.query}\n  ${one.why} ${one.mend}`),
    ]),
  ];
  const back = "refusal" in plan.down ? [`No way back: ${plan.down.refusal}`] : told(plan.down);
  return [`== ${name}`, ...told(plan.steps), ...plan.hints.map((hint) => `Hint: ${hint}`), "-- back", ...back].join("\n");
}

/** Only where there are many rows does a plan differ. */
const onlineCases = [
  "a reference of several columns",
  "optional to required with a default",
  "optional to required without a default",
  "reference to another model",
  "unique and partial indexes",
  "rename a field with an index",
  "type and required at once",
];

function testGolden(file: string, names: readonly string[], way: Way): void {
  const golden = new URL(`./golden/${file}`, import.meta.url);
  const written = names.map((name) => [name, write(name, planOf(cases[name] as Case, way))] as const);
  if (process.env["GOLDEN"] === "write") writeFileSync(golden, `${written.map(([, text]) => text).join("\n\n")}\n`);
  const expected = new Map(
    readFileSync(golden, "utf8")
      .trimEnd()
      .split(/\n\n(?=== )/)
      .map((text) => [text.split("\n")[0]?.slice(3), text]),
  );

  for (const [name, text] of written) test(name, () => assert.equal(text, expected.get(name)));

  test("the golden file has nothing else", () => assert.deepEqual([...expected.keys()], names));
}

describe("plans on SQLite", () => testGolden("plans.txt", Object.keys(cases), { ddl }));
describe("plans on PostgreSQL", () => testGolden("plans-postgres.txt", Object.keys(cases), { ddl: postgresDdl }));
describe("plans on MariaDB", () => testGolden("plans-mariadb.txt", Object.keys(cases), languagesOf(mariadb, null)));
describe("plans on PostgreSQL for many rows", () =>
  testGolden("plans-postgres-online.txt", onlineCases, { ddl: postgresDdl, isLarge: true }));

describe("plans", () => {
  test("a schema that is there already needs no step, whatever was() it still has, in whatever order it stands", () => {
    const films = model("films", { title: text().was("name"), stock: integer() }).was("movies");
    const first = planMigration(null, { schema: schemaOf(people, films), ddl, nowMs });
    const turned = model("films", { stock: integer().default(3), title: text().was("name").max(10) }).was("movies");
    const again = planMigration(first.to, { schema: schemaOf(turned, people), ddl, nowMs });
    assert.deepEqual(again.steps, []);
    assert.equal(again.checksum, first.checksum);
  });

  test("ids go with the thing, not with its name, and are never given twice", () => {
    const plan = planOf(cases["rename a field"] as Case);
    const idOf = (snapshot: Plan["to"], name: string) => snapshot.models[0]?.fields.find((field) => field.name === name)?.id;
    assert.equal(idOf(plan.to, "fullName"), idOf(plan.from, "name"));
    const dropped = downSnapshot(plan.from, planOf(cases["add optional"] as Case).to);
    const added = planMigration(dropped, { schema: schemaOf(model("people", { name: text(), died: date() })), ddl, nowMs });
    assert.equal(idOf(added.to, "died"), `f${dropped.lastId + 1}`);
  });

  test("a plan is frozen, and names every phrase that it must be confirmed with", () => {
    const plan = planOf(cases["what looks like a rename"] as Case);
    assert.deepEqual(phrasesOf(plan.steps), ["drop films", "drop people.name"]);
    assert.ok(Object.isFrozen(plan) && Object.isFrozen(plan.steps) && plan.steps.every(Object.isFrozen));
  });

  test("the checksum sees everything that a table is made of", () => {
    const base = { title: text(), price: decimal(8, 2) };
    const variants = [
      model("films", base),
      model("films", { ...base, price: decimal(8, 3) }),
      model("films", { ...base, price: decimal(9, 2) }),
      model("films", { ...base, title: text().optional() }),
      model("films", { ...base, title: text().column("t") }),
      model("films", { ...base, title: text().unique() }),
      model("films", base).index("title"),
      model("films", base).table("movies"),
      model("films", base).key("title"),
      model("films", { ...base, id: serial() }),
      model("films", base).softDelete(),
    ];
    assert.equal(new Set(variants.map((one) => checksumOf(schemaOf(one), ddl))).size, variants.length);
  });
});
