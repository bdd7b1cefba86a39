/** Conditions of partial indexes: as SQL, judged by SQLite over rows with nulls; and those that are refused. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { postgresDdl } from "../../../drivers/database/postgres/ddl.ts";
import { sqliteDdl as ddl } from "../../../drivers/database/sqlite/ddl.ts";
import type { Ddl } from "../../../drivers/ddl.ts";
import { and, not, or } from "../../../schema/cond.ts";
import { choice, date, integer, json, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import { expr } from "../../../schema/rule.ts";
import { planMigration } from "../plan/plan.ts";
import { openPostgresScratch, schemaOf } from "../scratch.test.ts";

const people = model("people", { name: text() });
const films = model("films", {
  title: text().optional(),
  stock: integer().optional(),
  rating: choice("G", "it's"),
  shown: date().optional(),
  extra: json(),
  director: belongsTo(() => people),
})
  .computed("double", integer())
  .from(({ row }) => expr.mul(row.stock, 2));

type Where = NonNullable<NonNullable<Parameters<typeof films.indexed>[1]>["where"]>;

function indexOf(where: Where, of: Ddl = ddl): string {
  const plan = planMigration(null, { schema: schemaOf(people, films.indexed(["title"], { where })), ddl: of, nowMs: 0 });
  return (
    plan.to.models.find(({ name }) => name === "films")?.indexes.find(({ name }) => name === "films_title_part_idx")?.where ?? ""
  );
}

const rows = [
  { title: "a", stock: 1, rating: "G" },
  { title: "b", stock: null, rating: "it's" },
  { title: null, stock: 5, rating: "G" },
];

/** The places of the rows that the condition holds for. */
function holdsFor(where: string): number[] {
  const db = new DatabaseSync(":memory:");
  db.exec(
    `CREATE TABLE films (title TEXT, stock INTEGER, rating TEXT, shown TEXT) STRICT; CREATE INDEX i ON films (title) WHERE ${where}`,
  );
  for (const { title, stock, rating } of rows) db.prepare("INSERT INTO films VALUES (?, ?, ?, NULL)").run(title, stock, rating);
  const found = db.prepare(`SELECT rowid - 1 AS place FROM films WHERE ${where} ORDER BY place`).all();
  db.close();
  return found.map(({ place }) => Number(place));
}

const cases: readonly (readonly [sql: string, where: Where, holds: readonly number[]])[] = [
  [`"stock" > 0`, ({ row }) => row.stock.gt(0), [0, 2]],
  [`"stock" IS NULL`, ({ row }) => row.stock.isNull(), [1]],
  [`"stock" IS NOT NULL`, ({ row }) => not(row.stock.isNull()), [0, 2]],
  [`"rating" = 'it''s'`, ({ row }) => row.rating.eq("it's"), [1]],
  [
    `"rating" IN ('G', 'it''s') AND ("stock" = 5) IS NOT TRUE`,
    ({ row }) => and(row.rating.in(["G", "it's"]), row.stock.ne(5)),
    [0, 1],
  ],
  [
    `("title" IN ('a')) IS NOT TRUE OR ("stock" >= 5 AND "rating" = 'G')`,
    ({ row }) => or(row.title.nin(["a"]), and(row.stock.gte(5), row.rating.eq("G"))),
    [1, 2],
  ],
  [`("stock" > 0) IS NOT TRUE`, ({ row }) => not(row.stock.gt(0)), [1]],
  [`("stock" >= 1 AND "stock" <= 4)`, ({ row }) => row.stock.between(1, 4), [0]],
  [`"shown" < '2026-01-01'`, ({ row }) => row.shown.lt("2026-01-01"), []],
];

describe("a partial index, on PostgreSQL", needsService("postgres"), () => {
  test("has the same words, and holds for the same rows", async (t) => {
    const scratch = await openPostgresScratch(t);
    await scratch.byHand("CREATE TABLE films (place integer, title text, stock bigint, rating text, shown date)");
    for (const [place, { title, stock, rating }] of rows.entries())
      await scratch.run("INSERT INTO films VALUES (?, ?, ?, ?, NULL)", place, title, stock, rating);
    for (const [sql, where, holds] of cases) {
      assert.equal(indexOf(where, postgresDdl), sql);
      await scratch.byHand(`CREATE INDEX i ON films (title) WHERE ${sql}`, "DROP INDEX i");
      const found = await scratch.rows(`SELECT place FROM films WHERE ${sql} ORDER BY place`);
      assert.deepEqual(
        found.map(([place]) => place),
        holds,
        sql,
      );
    }
  });
});

describe("a partial index", () => {
  for (const [sql, where, holds] of cases) {
    test(sql, () => {
      assert.equal(indexOf(where), sql);
      assert.deepEqual(holdsFor(sql), holds);
    });
  }

  const refused: readonly (readonly [says: string, where: Where])[] = [
    ["compares two fields", ({ row }) => row.title.eq(row.rating as never)],
    ["follows a relation", ({ row }) => row.director.name.eq("x")],
    ["uses contains", ({ row }) => row.title.contains("x")],
    [
      "looks inside the document extra",
      ({ row }) => (row.extra as unknown as Record<string, { eq(value: string): never }>)["a"]?.eq("x") as never,
    ],
    ["double is computed", ({ row }) => row.double.gt(2)],
  ];
  for (const [says, where] of refused) {
    test(`refused: ${says}`, () =>
      assert.throws(() => indexOf(where), { code: "index_condition_unsupported", message: new RegExp(says) }));
  }
});
