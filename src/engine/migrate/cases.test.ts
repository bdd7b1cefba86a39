/** Each kind of change that a migration may make, as the models before and after; tests of plans and of their locks go through them. */
import type { DeclaredModel } from "../../schema/compile.ts";
import { boolean, choice, date, datetime, decimal, integer, now, serial, text, uuid } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo } from "../../schema/relation.ts";

export const nowMs = 1_767_225_600_000;
export const people = model("people", { name: text() });
export const seats = model("seats", { row: text(), number: integer() }).key("row", "number");

export interface Case {
  readonly before: readonly DeclaredModel[];
  readonly after: readonly DeclaredModel[];
}

export const cases: Readonly<Record<string, Case>> = {
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
