/** Golden plans: what each kind of change runs, says and asks, and the way back. `GOLDEN=write` writes the file anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Ddl } from "../../drivers/ddl.ts";
import { postgresDdl } from "../../drivers/database/postgres/ddl.ts";
import { sqliteDdl as ddl } from "../../drivers/database/sqlite/ddl.ts";
import type { DeclaredModel } from "../../schema/compile.ts";
import { boolean, choice, date, datetime, decimal, integer, now, serial, text, uuid } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo } from "../../schema/relation.ts";
import { writePlan } from "./explain.ts";
import { downSnapshot, phrasesOf, type Plan, planMigration } from "./plan.ts";
import { schemaOf } from "./scratch.test.ts";
import { checksumOf } from "./snapshot.ts";

const nowMs = 1_767_225_600_000;
const people = model("people", { name: text() });
const seats = model("seats", { row: text(), number: integer() }).key("row", "number");

interface Case {
  readonly before: readonly DeclaredModel[];
  readonly after: readonly DeclaredModel[];
}

const cases: Readonly<Record<string, Case>> = {
  "everything anew": {
    before: [],
    after: [
      people,
      model("films", { title: text(), sold: boolean(), director: belongsTo(() => people), slug: text().unique() })
        .timestamps()
        .softDelete()
        .index("title", "-createdAt"),
      model("tickets", { id: serial(), price: decimal(8, 2) }),
      model("seats", { row: text(), number: integer() }).key("row", "number"),
    ],
  },
  "a reference of several columns": {
    before: [seats],
    after: [seats, model("tickets", { seat: belongsTo(() => seats), label: text() })],
  },
  "rename a reference of several columns": {
    before: [seats, model("tickets", { seat: belongsTo(() => seats) })],
    after: [seats, model("tickets", { place: belongsTo(() => seats).was("seat") })],
  },
  "add and drop a reference of several columns": {
    before: [seats, model("tickets", { seat: belongsTo(() => seats) })],
    after: [seats, model("tickets", { other: belongsTo(() => seats).optional() })],
  },
  "add optional": { before: [people], after: [model("people", { name: text(), born: date().optional() })] },
  "add required with a default": {
    before: [people],
    after: [
      model("people", {
        name: text(),
        kind: text().default("it's"),
        paid: decimal(8, 2).default("1.50"),
        seen: datetime().default(now),
      }),
    ],
  },
  "add required without a default": { before: [people], after: [model("people", { name: text(), born: date() })] },
  "drop a field": { before: [model("people", { name: text(), born: date() })], after: [people] },
  "drop a model": { before: [people, model("films", { title: text() })], after: [people] },
  "rename a field": { before: [people], after: [model("people", { fullName: text().was("name") })] },
  "rename a field and keep its column": {
    before: [people],
    after: [model("people", { fullName: text().column("name").was("name") })],
  },
  "rename a model": {
    before: [people, model("films", { title: text().unique(), director: belongsTo(() => people) })],
    after: [people, model("movies", { title: text().unique(), director: belongsTo(() => people) }).was("films")],
  },
  "what looks like a rename": {
    before: [people, model("films", { title: text() })],
    after: [model("people", { label: text() }), model("movies", { title: text() })],
  },
  "integer to decimal": { before: [model("films", { price: integer() })], after: [model("films", { price: decimal(8, 2) })] },
  "decimal to fewer digits": {
    before: [model("films", { price: decimal(8, 2) })],
    after: [model("films", { price: decimal(6, 1) })],
  },
  "datetime to date": { before: [model("films", { shown: datetime() })], after: [model("films", { shown: date() })] },
  "text to choice": { before: [model("films", { rating: text() })], after: [model("films", { rating: choice("G", "PG") })] },
  "uuid to text": { before: [model("films", { code: uuid() })], after: [model("films", { code: text() })] },
  "text to uuid": { before: [model("films", { code: text() })], after: [model("films", { code: uuid() })] },
  "optional to required with a default": {
    before: [model("films", { title: text().optional() }).index("title")],
    after: [model("films", { title: text().default("none") }).index("title")],
  },
  "optional to required without a default": {
    before: [model("films", { title: text().optional() })],
    after: [model("films", { title: text() })],
  },
  "required to optional": { before: [people], after: [model("people", { name: text().optional() })] },
  "reference to another model": {
    before: [people, model("firms", { name: text() }), model("films", { owner: belongsTo(() => people) })],
    after: [people, model("firms", { name: text() }), model("films", { owner: belongsTo(() => model("firms", {})) })],
  },
  "rebuild a counted table": {
    before: [model("tickets", { id: serial(), note: text() })],
    after: [model("tickets", { id: serial(), note: text().optional() })],
  },
  "unique and partial indexes": {
    before: [model("films", { title: text(), stock: integer() }).index("stock")],
    after: [
      model("films", { title: text().unique(), stock: integer() }).indexed(["stock"], { where: ({ row }) => row.stock.gt(0) }),
    ],
  },
  "natural key from a field that is there": {
    before: [model("films", { isbn: text() })],
    after: [model("films", { isbn: text() }).key("isbn")],
  },
  "natural key from a new field": { before: [people], after: [model("people", { name: text(), nick: text() }).key("nick")] },
  "key that others refer to": {
    before: [people, model("films", { director: belongsTo(() => people) })],
    after: [model("people", { name: text() }).key("name"), model("films", { director: belongsTo(() => model("people", {})) })],
  },
  "names that change places": {
    before: [model("films", { a: text().column("x"), b: text().column("y") })],
    after: [model("films", { a: text().column("y"), b: text().column("x") })],
  },
  "rename a field with an index": {
    before: [model("films", { title: text().unique() }).index("title")],
    after: [model("films", { label: text().was("title").unique() }).index("label")],
  },
  "type and required at once": {
    before: [model("films", { price: integer().optional() })],
    after: [model("films", { price: decimal(8, 2).default("1.50") })],
  },
  "the type of a key that others refer to": {
    before: [
      model("shelves", { code: text(), row: integer() }).key("code"),
      model("books", { shelf: belongsTo(() => model("shelves", { code: text() }).key("code")) }),
    ],
    after: [
      model("shelves", { code: uuid(), row: integer() }).key("code"),
      model("books", { shelf: belongsTo(() => model("shelves", { code: uuid() }).key("code")) }),
    ],
  },
  "drop models that refer to each other": {
    before: [people, model("films", { star: belongsTo(() => people) })],
    after: [model("genres", { name: text() })],
  },
  "a new name for a column that stays": {
    before: [model("films", { title: text() }).index("title")],
    after: [model("films", { label: text().optional().column("title") }).index("label")],
  },
};

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
