/** The film shop: its data, who may touch it, and the one thing it does for a living, in one file. */
import {
  and,
  backend,
  belongsTo,
  choice,
  date,
  type Db,
  decimal,
  email,
  everyone,
  expr,
  integer,
  json,
  list,
  me,
  model,
  or,
  refuse,
  text,
  uuid,
} from "holdfast";

export const genres = model("genres", {
  name: text().max(60).unique(),
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** Directors. */
export const people = model("people", {
  name: text().max(120).unique(),
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

export const distributors = model("distributors", {
  name: text().max(120).unique(),
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** What the shop sells. Anybody may look; what a film costs us is for staff. */
export const films = model("films", {
  /** The number in the catalogue. */
  number: integer().min(1).unique().immutable(),
  title: text().min(1).max(300),
  releasedOn: date().optional(),
  rating: choice("G", "PG", "PG-13", "R", "NC-17", "Not Rated").optional(),
  minutes: integer().min(1).max(1_000).optional(),
  basedOn: text().max(60).optional(),
  viewers: decimal(3, 1).min(0).max(10).optional(),
  critics: integer().min(0).max(100).optional(),
  genre: belongsTo(() => genres, { inverse: "films" }).optional(),
  director: belongsTo(() => people, { inverse: "films" }).optional(),
  distributor: belongsTo(() => distributors, { inverse: "films" }).optional(),
  price: decimal(8, 2).min(0),
  stock: integer().min(0),
  /** What we pay for a copy. */
  cost: decimal(8, 2).min(0),
  /** What it cost to make, in dollars. */
  budget: integer().min(0).optional(),
})
  .computed("margin", decimal(8, 2))
  .from(({ row }) => expr.sub(row.price, row.cost))
  .access(({ me }) => ({
    read: everyone,
    write: me.has("staff"),
    fields: {
      cost: { read: me.has("staff") },
      budget: { read: me.has("staff") },
      margin: { read: me.has("staff") },
    },
  }))
  .timestamps()
  .softDelete()
  .index("title")
  .index("price")
  .index("rating", "price")
  .index("genre", "price")
  .index("director")
  .index("distributor")
  .search("title");

/** One row for each person who may buy; the id is the subject of their token. */
export const customers = model("customers", {
  id: text().min(1).max(100).default(me).immutable(),
  name: text().min(1).max(120),
  email: email().optional(),
})
  .key("id")
  .access(({ row, me }) => ({
    read: or(row.id.eq(me.id), me.has("staff")),
    create: and(row.id.eq(me.id), me.has("customer")),
    update: row.id.eq(me.id),
  }));

/** Written by checkout alone: there is no rule that lets anybody create one. */
export const orders = model("orders", {
  customer: belongsTo(() => customers, { inverse: "orders" }).immutable(),
  status: choice("placed", "shipped", "cancelled").default("placed"),
  total: decimal(10, 2).readOnly(),
})
  .access(({ row, me }) => ({
    read: or(row.customer.eq(me.id), me.has("staff")),
    update: me.has("staff"),
  }))
  .timestamps()
  .index("customer", "createdAt");

/** One film of an order, at the price of that day. */
export const lines = model("lines", {
  order: belongsTo(() => orders, { inverse: "lines", onDelete: "cascade" }).immutable(),
  film: belongsTo(() => films).immutable(),
  quantity: integer().min(1).immutable(),
  price: decimal(8, 2).immutable(),
})
  .computed("amount", decimal(10, 2))
  .from(({ row }) => expr.mul(row.price, row.quantity))
  .access(({ row, me }) => ({ read: or(row.order.customer.eq(me.id), me.has("staff")) }))
  .index("order")
  .index("film");

/** Everybody may read them; a customer writes one a film. */
export const reviews = model("reviews", {
  film: belongsTo(() => films, { inverse: "reviews" }).immutable(),
  customer: belongsTo(() => customers, { inverse: "reviews" })
    .default(me)
    .immutable(),
  stars: integer().min(1).max(5),
  text: text().max(2_000).default(""),
})
  .access(({ row, me }) => ({
    read: everyone,
    create: and(row.customer.eq(me.id), me.has("customer")),
    update: row.customer.eq(me.id),
    delete: or(row.customer.eq(me.id), me.has("staff")),
  }))
  .timestamps()
  .unique("film", "customer")
  .index("customer");

const models = { genres, people, distributors, films, customers, orders, lines, reviews };

/** The typed API of this shop. */
export type StoreDb = Db<typeof models>;

/** A film and how many of it. */
interface Wanted {
  readonly film: string;
  readonly quantity: number;
}

export const store = backend(models)
  .action("checkout", {
    summary: "Buys films: takes them from stock, prices them, and writes the order; all of it or nothing.",
    input: {
      lines: list(json({ film: uuid(), quantity: integer().min(1).max(10) }))
        .min(1)
        .max(20),
    },
    access: ({ me }) => me.has("customer"),
    run: ({ input, me, transaction }) =>
      transaction(async ({ system }) => {
        const customer = await system.customers.first({ where: { id: me.id ?? "" } });
        if (!customer) throw refuse("not_registered", "Tell us your name first: POST /api/customers.", { status: 409 });
        const bought = [];
        for (const [index, wanted] of input.lines.entries()) bought.push(await take(system, wanted, `/lines/${index}`));
        const order = await system.orders.create({ customer: customer.id, total: sumOf(bought) });
        await system.lines.createMany(bought.map((line) => ({ ...line, order: order.id })));
        return system.orders.get(order.id, {
          select: { "*": true, lines: { film: { title: true }, quantity: true, price: true, amount: true } },
        });
      }),
  })
  .action("bestsellers", {
    kind: "read",
    summary: "The ten films of which most copies were sold.",
    access: everyone,
    run: ({ system }) =>
      system.lines.aggregate({ group: ["film.title"], sum: ["quantity"], orderBy: "-sum.quantity", limit: 10 }),
  });

/** Takes copies from stock. One statement both asks and takes, so that two buyers never get the same copy. */
async function take(system: StoreDb, { film: id, quantity }: Wanted, pointer: string) {
  const film = await system.films.first({ where: { id }, select: { title: true, price: true, stock: true } });
  if (!film) throw refuse("no_such_film", "There is no such film.", { pointer: `${pointer}/film` });
  const taken = await system.films.updateMany({
    where: { id, stock: { gte: quantity } },
    data: { stock: { $add: -quantity } },
    maxAffected: 1,
  });
  const left = film.stock === 0 ? "is sold out" : `has ${film.stock} left`;
  if (taken === 0) throw refuse("sold_out", `${film.title} ${left}.`, { status: 409, pointer: `${pointer}/quantity` });
  return { film: id, quantity, price: film.price };
}

/** The exact sum of lines: in whole cents, as floats lose some. */
function sumOf(bought: readonly { readonly price: string; readonly quantity: number }[]): string {
  const cents = bought.reduce((sum, { price, quantity }) => sum + BigInt(price.replace(".", "")) * BigInt(quantity), 0n);
  return `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
}

export default store;
