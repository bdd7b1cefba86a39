/** What is measured: films that a rule guards, the same films unguarded, and notes to write. */
import { backend, belongsTo, choice, decimal, everyone, integer, me, model, text } from "holdfast";

export const people = model("people", {
  name: text().max(100),
  country: text().max(2),
}).access(() => ({ read: everyone }));

/** Each team reads its own; half of them are of the team `red`. */
export const films = model("films", {
  title: text().max(200),
  rating: choice("G", "PG", "PG-13", "R"),
  price: decimal(8, 2).min(0),
  stock: integer().min(0),
  team: text().max(20),
  director: belongsTo(() => people),
})
  .access(({ row, me }) => ({ read: row.team.eq(me.claim("team")), write: me.has("staff") }))
  .timestamps()
  .index("team", "rating", "price")
  .index("director");

/** The same rows, for everybody. */
export const openFilms = model("openFilms", {
  title: text().max(200),
  rating: choice("G", "PG", "PG-13", "R"),
  price: decimal(8, 2).min(0),
  stock: integer().min(0),
  team: text().max(20),
  director: belongsTo(() => people),
})
  .access(() => ({ read: everyone }))
  .timestamps()
  .index("rating", "price")
  .index("price")
  .index("director");

export const notes = model("notes", {
  subject: text().max(200),
  body: text().max(2_000),
  amount: decimal(10, 2),
  owner: text().max(100).default(me).immutable(),
})
  .access(({ row, me }) => ({ read: row.owner.eq(me.id), create: row.owner.eq(me.id) }))
  .timestamps()
  .index("owner");

export const measured = backend({ people, films, openFilms, notes });

/** For the command line. */
export default measured;
