/** The small backend whose plans and SQL are kept as golden files; every construct of the schema language that changes SQL is in it. */
import {
  and,
  backend,
  belongsTo,
  boolean,
  choice,
  datetime,
  decimal,
  everyone,
  expr,
  hasMany,
  integer,
  json,
  list,
  manyToMany,
  me,
  model,
  not,
  now,
  or,
  serial,
  text,
} from "../../src/index.ts";

const people = model("people", {
  name: text(),
  country: text().optional(),
  email: text().optional(),
  get films() {
    return hasMany(() => films, { by: "director" });
  },
}).access(({ me, row }) => ({
  read: everyone,
  write: me.has("staff"),
  fields: { email: { read: or(me.has("staff"), row.id.eq(me.id)) } },
}));

const genres = model("genres", { code: text(), name: text() })
  .key("code")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

const films = model("films", {
  title: text().max(300),
  rating: choice("G", "PG", "R").optional(),
  price: decimal(8, 2).min(0),
  cost: decimal(8, 2),
  stock: integer().min(0),
  released: datetime().optional(),
  published: boolean().default(true),
  tags: list(text()).optional(),
  meta: json().optional(),
  director: belongsTo(() => people).optional(),
  get genres() {
    return manyToMany(() => genres, { through: () => filmGenres, from: "film", to: "genre" });
  },
  get reviews() {
    return hasMany(() => reviews, { by: "film", owned: true });
  },
})
  .computed("margin", decimal(10, 2)).from(({ row }) => expr.sub(row.price, row.cost))
  .softDelete()
  .timestamps()
  .index("price")
  .search("title")
  .access(({ me, row }) => ({
    read: or(me.has("staff"), row.published.eq(true)),
    write: me.has("staff"),
    fields: { cost: { read: me.has("staff") }, margin: { read: me.has("staff") } },
  }));

const filmGenres = model("filmGenres", {
  get film() {
    return belongsTo(() => films);
  },
  genre: belongsTo(() => genres),
})
  .key("film", "genre")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

const reviews = model("reviews", {
  stars: integer().min(1).max(5),
  body: text().optional(),
  film: belongsTo(() => films).immutable(),
  author: belongsTo(() => people)
    .default(me)
    .immutable(),
}).access(({ me, row, input }) => ({
  read: everyone,
  create: and(me.signedIn, row.author.eq(me.id)),
  update: and(row.author.eq(me.id), not(input.stars.eq(1))),
  delete: or(row.author.eq(me.id), me.has("staff")),
}));

const orders = model("orders", {
  id: serial(),
  total: decimal(10, 2),
  due: datetime().optional(),
  customer: belongsTo(() => people, { inverse: "orders" }).default(me),
}).access(({ me, row }) => ({
  read: row.customer.eq(me.id),
  create: row.customer.eq(me.id),
  update: and(row.customer.eq(me.id), row.due.gt(now)),
}));

export const golden = backend({ people, genres, films, filmGenres, reviews, orders });
