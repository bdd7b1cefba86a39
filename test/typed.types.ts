/** What the types refuse and what they infer; checked by the compiler, never run. Each refused line is one mistake of a user. */
import {
  and,
  backend,
  belongsTo,
  choice,
  type Db,
  decimal,
  everyone,
  expr,
  hasMany,
  hasOne,
  integer,
  json,
  list,
  manyToMany,
  model,
  text,
} from "holdfast";
import type { Backend } from "../src/engine/backend.ts";

const people = model("people", {
  name: text(),
  country: text().optional(),
  get films() {
    return hasMany(() => films, { by: "director" });
  },
  get profile() {
    return hasOne(() => profiles, { by: "person" });
  },
  get acted() {
    return manyToMany(() => films, { through: () => parts, from: "person", to: "film" });
  },
}).access(({ row, me }) => ({
  read: everyone,
  write: and(
    me.has("staff"),
    row.films.some((film) => film.title.eq("x")),
  ),
}));

const profiles = model("profiles", { person: belongsTo(() => people).unique(), bio: text() });
const parts = model("parts", { person: belongsTo(() => people), film: belongsTo(() => films) });

const films = model("films", {
  title: text(),
  rating: choice("G", "PG").optional(),
  stock: integer(),
  price: decimal(8, 2),
  cost: decimal(8, 2).hidden(),
  meta: json().optional(),
  tags: list(text()).optional(),
  director: belongsTo(() => people, { inverse: "directed" }).optional(),
  publisher: belongsTo(() => people),
  sequelOf: belongsTo(() => people)
    .immutable()
    .optional(),
})
  .computed("margin", decimal(10, 2))
  .from(({ row }) => expr.sub(row.price, row.cost))
  .timestamps()
  .softDelete();

const shelves = model("shelves", { code: text(), number: integer() }).key("code");
const slots = model("slots", { shelf: belongsTo(() => shelves), film: belongsTo(() => films) });

const shop = backend({ people, profiles, parts, films, shelves, slots }).action("sell", {
  input: { film: text(), count: integer().optional() },
  access: everyone,
  run: ({ input, db }) => db.films.get(input.film, { select: { stock: true } }),
});
type RegistryOf<B> = B extends Backend<infer R, infer _> ? R : never;
export declare const db: Db<RegistryOf<typeof shop>>;

type Plain<T> = T extends readonly (infer E)[] ? Plain<E>[] : T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T;
type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;
function holds<_ extends true>(): void {}
type Answer<F extends (...args: never[]) => Promise<{ readonly data: readonly unknown[] }>> = Awaited<
  ReturnType<F>
>["data"][number];

export const rules = [
  // @ts-expect-error a misspelt field
  films.access(({ row }) => ({ read: row.titel.eq("x") })),
  // @ts-expect-error a misspelt operator
  films.access(({ row }) => ({ read: row.title.equals("x") })),
  // @ts-expect-error a misspelt relation
  films.access(({ row }) => ({ read: row.directr.name.eq("x") })),
  // @ts-expect-error a misspelt field behind a relation
  films.access(({ row }) => ({ read: row.director.nam.eq("x") })),
  // @ts-expect-error a value of another type
  films.access(({ row }) => ({ read: row.stock.gt("1") })),
  // @ts-expect-error a decimal is text
  films.access(({ row }) => ({ read: row.price.gt(1) })),
  // @ts-expect-error not one of the choices
  films.access(({ row }) => ({ read: row.rating.eq("X") })),
  // @ts-expect-error fields of two types
  films.access(({ row }) => ({ read: row.stock.eq(row.title) })),
  // @ts-expect-error many rows have no field
  people.access(({ row }) => ({ read: row.films.title.eq("x") })),
  // @ts-expect-error a misspelt field within a quantifier
  people.access(({ row }) => ({ read: row.films.some((film) => film.titel.eq("x")) })),
  // @ts-expect-error a rule for an action that is not there
  films.access(() => ({ raed: everyone })),
  // @ts-expect-error a rule for a field that is not there
  films.access(() => ({ read: everyone, fields: { titel: { read: everyone } } })),
  // @ts-expect-error a condition is not a boolean
  films.access(() => ({ read: true })),
  // @ts-expect-error an index over no field
  films.index("titel"),
  // @ts-expect-error a key over no field
  shelves.key("cod"),
  // @ts-expect-error a search through no field
  films.search("titel"),
  // @ts-expect-error an expression over no field
  films.computed("twice", integer()).from(({ row }) => expr.add(row.stok, 1)),
  // @ts-expect-error a default of another type
  integer().default("1"),
  // @ts-expect-error two models under one another's name
  backend({ people: films }),
];

export const queries = [
  // @ts-expect-error a misspelt model
  db.film.list(),
  // @ts-expect-error a misspelt field
  db.films.list({ where: { titel: "x" } }),
  // @ts-expect-error a misspelt operator
  db.films.list({ where: { title: { startWith: "x" } } }),
  // @ts-expect-error an operator of another type
  db.films.list({ where: { stock: { contains: "1" } } }),
  // @ts-expect-error a value of another type
  db.films.list({ where: { stock: "1" } }),
  // @ts-expect-error a value of another type, after an operator
  db.films.list({ where: { stock: { gt: "1" } } }),
  // @ts-expect-error not one of the choices
  db.films.list({ where: { rating: { in: ["G", "X"] } } }),
  // @ts-expect-error a misspelt relation
  db.films.list({ where: { directr: { name: "x" } } }),
  // @ts-expect-error a misspelt field behind a relation
  db.films.list({ where: { director: { nam: "x" } } }),
  // @ts-expect-error a relation to many asks some, every or none
  db.people.list({ where: { films: { title: "x" } } }),
  // @ts-expect-error a misspelt field within a quantifier
  db.people.list({ where: { films: { some: { titel: "x" } } } }),
  // @ts-expect-error a misspelt field within or
  db.films.list({ where: { or: [{ titel: "x" }] } }),
  // @ts-expect-error a misspelt field within not
  db.films.list({ where: { not: { titel: "x" } } }),
  // @ts-expect-error a misspelt field behind an inverse
  db.people.list({ where: { directed: { some: { titel: "x" } } } }),
  // @ts-expect-error a sort by no field
  db.films.list({ orderBy: "titel" }),
  // @ts-expect-error a sort by no field, downwards, among others
  db.films.list({ orderBy: ["title", "-titel"] }),
  // @ts-expect-error a sort by no field behind a relation
  db.films.list({ orderBy: "director.nam" }),
  // @ts-expect-error a sort by many
  db.people.list({ orderBy: "films.title" }),
  // @ts-expect-error a misspelt option
  db.films.list({ limt: 1 }),
  // @ts-expect-error a misspelt field of an aggregate's filter
  db.films.aggregate({ where: { titel: "x" } }),
  // @ts-expect-error a number for a key that is text
  db.films.get(1),
];

export const selections = [
  // @ts-expect-error a misspelt field
  db.films.list({ select: { titel: true } }),
  // @ts-expect-error a field is not a selection
  db.films.list({ select: { title: { name: true } } }),
  // @ts-expect-error a field is selected by true
  db.films.list({ select: { title: "yes" } }),
  // @ts-expect-error a misspelt relation
  db.films.list({ select: { directr: { name: true } } }),
  // @ts-expect-error a misspelt field, one deep
  db.films.list({ select: { director: { nam: true } } }),
  // @ts-expect-error a misspelt field, two deep
  db.films.list({ select: { director: { films: { titel: true } } } }),
  // @ts-expect-error a misspelt field, three deep, behind an inverse
  db.people.list({ select: { directed: { director: { profile: { boi: true } } } } }),
  // @ts-expect-error a misspelt field in the filter of a relation
  db.people.list({ select: { films: { title: true, $where: { titel: "x" } } } }),
  // @ts-expect-error a value of another type in the filter of a relation
  db.people.list({ select: { films: { title: true, $where: { stock: "1" } } } }),
  // @ts-expect-error a misspelt field in the sort of a relation
  db.people.list({ select: { films: { title: true, $orderBy: "titel" } } }),
  // @ts-expect-error a limit is a number
  db.people.list({ select: { films: { title: true, $limit: "1" } } }),
  // @ts-expect-error one row has no filter
  db.films.list({ select: { director: { name: true, $limit: 1 } } }),
  // @ts-expect-error what was not selected is not there
  db.films.get("1", { select: { title: true } }).then((film) => film.stock),
  // @ts-expect-error what is hidden is not there
  db.films.get("1").then((film) => film.cost),
  // @ts-expect-error what may be null is not a text
  db.people.get("1").then((person): string => person.country),
  // @ts-expect-error a misspelt field of a single row's selection
  db.films.get("1", { select: { titel: true } }),
];

export const writes = [
  // @ts-expect-error a misspelt field
  db.profiles.create({ person: "1", boi: "x" }),
  // @ts-expect-error a field is missing
  db.profiles.create({ person: "1" }),
  // @ts-expect-error a value of another type
  db.shelves.create({ code: "a", number: "1" }),
  // @ts-expect-error null where it may not be
  db.profiles.create({ person: "1", bio: null }),
  // @ts-expect-error not one of the choices
  db.films.update("1", { rating: "X" }),
  // @ts-expect-error a misspelt field
  db.films.update("1", { titel: "x" }),
  // @ts-expect-error a computed field
  db.films.update("1", { margin: "1" }),
  // @ts-expect-error an immutable field
  db.films.update("1", { sequelOf: "1" }),
  // @ts-expect-error a number of another kind
  db.films.update("1", { stock: { $add: "1" } }),
  // @ts-expect-error a misspelt word for what becomes of owned rows
  db.people.update("1", { films: { remove: ["1"] } }),
  // @ts-expect-error an owned row that is changed is named
  db.people.update("1", { films: { update: [{ title: "x" }] } }),
  // @ts-expect-error a misspelt field of an owned row
  db.people.update("1", { films: { update: [{ id: "1", titel: "x" }] } }),
  // @ts-expect-error a value of another type in an owned row
  db.people.update("1", { films: { create: [{ stock: "1" }] } }),
  // @ts-expect-error an owned row that is deleted is named by its id
  db.people.update("1", { films: { delete: [{ id: "1" }] } }),
  // @ts-expect-error many rows are changed alike, and own nothing alike
  db.people.updateMany({ where: {}, data: { films: { delete: ["1"] } }, maxAffected: 1 }),
  // @ts-expect-error a filter is needed
  db.films.updateMany({ data: { stock: 1 }, maxAffected: 1 }),
  // @ts-expect-error a misspelt field of its filter
  db.films.deleteMany({ where: { titel: "x" }, maxAffected: 1 }),
  // @ts-expect-error a misspelt field of the selection
  db.shelves.create({ code: "a", number: 1 }, { select: { cod: true } }),
];

export const actions = [
  // @ts-expect-error a misspelt input
  shop.action("a", { input: { film: text() }, access: everyone, run: ({ input }) => input.flim }),
  // @ts-expect-error an input of another type
  shop.action("b", { input: { count: integer() }, access: everyone, run: ({ input }): string => input.count }),
  // @ts-expect-error a misspelt model
  shop.action("c", { access: everyone, run: ({ db: own }) => own.film.list() }),
  // @ts-expect-error a misspelt field of a query
  shop.action("d", { access: everyone, run: ({ system }) => system.films.list({ where: { titel: "x" } }) }),
  // @ts-expect-error a misspelt field of a write in a transaction
  shop.action("e", { access: everyone, run: ({ transaction }) => transaction((tx) => tx.films.update("1", { titel: "x" })) }),
  // @ts-expect-error a hook on no model
  shop.before("film", "create", () => {}),
  // @ts-expect-error a hook that gives a field which is not there
  shop.before("films", "update", () => ({ titel: "x" })),
];

holds<Same<Awaited<ReturnType<typeof db.shelves.get>>, { code: string; number: number; version: number }>>();
const film = () => db.films.list();
holds<
  Same<
    Answer<typeof film>,
    {
      id: string;
      title: string;
      rating: "G" | "PG" | null;
      stock: number;
      price: string;
      meta: Awaited<ReturnType<typeof metas>>["data"][number]["meta"];
      tags: string[] | null;
      director: string | null;
      publisher: string;
      sequelOf: string | null;
      margin: string;
      createdAt: string;
      updatedAt: string;
      deletedAt: string | null;
      version: number;
    }
  >
>();
const metas = () => db.films.list({ select: { meta: true } });
const nested = () =>
  db.films.list({
    select: {
      title: true,
      price: true,
      director: { name: true, country: true },
      publisher: { films: { title: true, stock: true, $limit: 3 } },
    },
  });
holds<
  Same<
    Answer<typeof nested>,
    {
      title: string;
      price: string;
      director: { name: string; country: string | null } | null;
      publisher: { films: readonly { title: string; stock: number }[] };
    }
  >
>();
export const owning = () =>
  db.people.update("1", {
    name: "x",
    films: { create: [{ title: "x", stock: 1 }], update: [{ id: "1", stock: { $add: 1 } }], delete: ["2"] },
  });
export const around = () =>
  db.people.list({ select: { "*": true, directed: { title: true }, profile: { bio: true }, acted: { title: true } } });
holds<
  Same<
    Answer<typeof around>,
    {
      id: string;
      name: string;
      country: string | null;
      version: number;
      directed: readonly { title: string }[];
      profile: { bio: string } | null;
      acted: readonly { title: string }[];
    }
  >
>();
const keys = () => db.slots.list({ select: { shelf: true, film: true } });
holds<Same<Answer<typeof keys>, { shelf: string; film: string }>>();
holds<Same<NonNullable<typeof shop.actions>["sell"]["output"], { stock: number }>>();
holds<Same<NonNullable<typeof shop.actions>["sell"]["input"], { film: string; count?: number | null }>>();
