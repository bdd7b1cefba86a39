/** Which texts are bounded, and how far an index holds them, where the database has such bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { languagesOf } from "../../../drivers/database/mysql/variants/languages.ts";
import { mariadb } from "../../../drivers/database/mysql/variants/mariadb.ts";
import { sqliteDdl } from "../../../drivers/database/sqlite/ddl.ts";
import { compileSchema } from "../../../schema/compile.ts";
import { integer, text, url } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import type { Model } from "../../../schema/schema.ts";
import { boundsOf } from "./bounds.ts";

const { forms } = languagesOf(mariadb, null).ddl;
const people = model("people", { name: text() }).key("name");
const films = model("films", {
  code: text().max(40).unique(),
  title: text(),
  page: url().unique(),
  director: belongsTo(() => people),
  year: integer(),
  note: text().max(100),
  rating: text().max(100),
})
  .index("title", "year")
  .index("rating");

const schema = compileSchema({ people, films } as never);
const modelOf = (name: string) => schema.models.get(name) as Model;

test("keys, references and indexes of short texts bound their columns, and nothing else does", () => {
  const bounds = boundsOf(modelOf("films"), { forms });
  const lengths = [...modelOf("films").fields.values()].map((field) => [field.name, bounds.column(field).length]);
  assert.deepEqual(
    lengths.filter(([, length]) => length !== undefined),
    [
      ["code", 40],
      ["director", 255],
      ["rating", 100],
    ],
  );
});

test("an index of long texts holds their beginning, a unique one all of them", () => {
  const bounds = boundsOf(modelOf("films"), { forms });
  const prefixes = modelOf("films").indexes.flatMap((index) =>
    index.columns.flatMap(({ column }) => {
      const { prefix } = bounds.prefix(index, column);
      return prefix === undefined ? [] : [[column, prefix]];
    }),
  );
  assert.deepEqual(prefixes, [["title", 191]]);
});

test("elsewhere nothing is bounded", () => {
  const bounds = boundsOf(modelOf("films"), { forms: sqliteDdl.forms });
  for (const field of modelOf("films").fields.values()) assert.deepEqual(bounds.column(field), {});
});

test("a key that no index entry holds is refused by name", () => {
  const wide = model("wide", { a: text().max(500), b: text().max(300) }).key("a", "b");
  const { models } = compileSchema({ wide } as never);
  assert.throws(() => boundsOf(models.get("wide") as Model, { forms }), { code: "key_too_long" });
});

test("so is a reference with a column that may be longer than what it refers to", () => {
  const seats = model("seats", { row: text(), number: integer() }).key("row", "number");
  const visits = model("visits", { row: text().immutable(), seat: belongsTo(() => seats).column("row", "seat_number") });
  const { models } = compileSchema({ seats, visits } as never);
  assert.throws(() => boundsOf(models.get("visits") as Model, { forms }), {
    code: "key_too_long",
    message: /visits\.seat/,
  });
});
