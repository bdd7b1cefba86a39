/** A small film shop for the tests of REST: every kind of key, rule and relation that the wire can meet. */
import { backend } from "../../src/engine/backend.ts";
import { everyone } from "../../src/schema/cond.ts";
import { choice, decimal, integer, json, list, text } from "../../src/schema/field.ts";
import { model } from "../../src/schema/model.ts";
import { belongsTo } from "../../src/schema/relation.ts";

export const people = model("people", { name: text(), country: text().optional() }).access(({ me }) => ({
  read: everyone,
  write: me.has("staff"),
}));

export const films = model("films", {
  title: text().max(300),
  sku: text().unique(),
  rating: choice("G", "PG", "R"),
  price: decimal(8, 2).min(0),
  stock: integer().min(0).default(0),
  cost: decimal(8, 2).optional(),
  notes: json().optional(),
  tags: list(text()).optional(),
  director: belongsTo(() => people, { inverse: "films" }).optional(),
})
  .access(({ me }) => ({
    read: everyone,
    write: me.has("staff"),
    fields: { cost: { read: me.has("staff"), write: me.has("staff") } },
  }))
  .search("title")
  .timestamps()
  .softDelete();

export const reviews = model("reviews", {
  film: belongsTo(() => films, { inverse: "reviews" }),
  stars: integer().min(1).max(5),
  body: text().optional(),
}).access(({ me }) => ({
  read: everyone,
  write: me.signedIn,
}));

/** A natural key, with whatever characters a caller puts into it. */
export const genres = model("genres", { name: text(), rank: integer().default(0) })
  .key("name")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** A composite key. */
export const shelves = model("shelves", { room: text(), place: integer(), label: text().optional() })
  .key("room", "place")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** Only signed-in people see it, and only with its version may it be changed. */
export const drafts = model("drafts", { body: text() })
  .access(({ me }) => ({ read: me.signedIn, write: me.signedIn }))
  .requireVersion();

export const store = backend({ films, people, reviews, genres, shelves, drafts })
  .action("double", { kind: "read", input: { of: integer() }, access: everyone, run: ({ input }) => ({ twice: input.of * 2 }) })
  .action("restock", {
    input: { film: text(), copies: integer().min(1) },
    access: ({ me }) => me.has("staff"),
    run: ({ input, db }) => db.films.update(input.film, { stock: input.copies }),
  })
  .action("explode", {
    access: everyone,
    run: () => {
      throw new Error("select secret from /etc/passwd");
    },
  });
