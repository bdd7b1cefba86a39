/** The calls whose plans and SQL are kept: name, actor and call. Writes come after reads and build on the rows of `rows`. */
import type { Call } from "../../src/engine/call.ts";
import { type Actor, anonymous, createActor } from "../../src/index.ts";

const id = "00000000-0000-7000-8000-000000000001";
const customer = createActor(id, ["customer"]);
const staff = createActor("00000000-0000-7000-8000-000000000002", ["staff"]);

export interface GoldenCall {
  readonly name: string;
  readonly actor: Actor;
  readonly call: Call;
}

function reading(): readonly GoldenCall[] {
  const list = (name: string, actor: Actor, query: Extract<Call, { op: "list" }>["query"], model = "films"): GoldenCall => ({
    name,
    actor,
    call: { op: "list", model, query },
  });
  return [
    { name: "get", actor: anonymous, call: { op: "get", model: "people", id } },
    { name: "get-composite-key", actor: staff, call: { op: "get", model: "filmGenres", id: `${id},drama` } },
    list("list-rule-folds-away", staff, {}),
    list("list-row-rule", anonymous, { select: { title: true } }),
    list("list-actor-is-a-parameter", customer, { select: { total: true } }, "orders"),
    list("filter-operators", anonymous, {
      select: { title: true },
      where: {
        price: { gte: "1", lt: "10" },
        rating: { in: ["G", "PG"] },
        title: { startsWith: "A", contains: "b", like: "%c_" },
        stock: { between: [1, 5] },
        released: { isNull: false },
        tags: { contains: "x" },
        "meta.color": "red",
        search: "star wars",
      },
    }),
    list("filter-logic", anonymous, {
      select: { title: true },
      where: { or: [{ stock: 0 }, { not: { rating: "R" } }], rating: { ne: null }, stock: { nin: [7] } },
    }),
    list("filter-relations", anonymous, {
      select: { title: true },
      where: { "director.country": "CZ", reviews: { some: { stars: { gte: 4 } } }, genres: { none: { code: "horror" } } },
    }),
    list("filter-every", anonymous, { select: { name: true }, where: { films: { every: { stock: { gt: 0 } } } } }, "people"),
    list("masked-field", customer, { select: { name: true, email: true }, where: { email: "a@b.cz" }, orderBy: "email" }, "people"),
    list("sort-by-relation", anonymous, { select: { title: true }, orderBy: "-director.name,price" }),
    list("expand", anonymous, {
      limit: 20,
      select: {
        title: true,
        director: { name: true },
        genres: { name: true },
        reviews: { stars: true, author: { name: true }, $where: { stars: { gte: 3 } }, $orderBy: "-stars", $limit: 5 },
      },
    }),
    list("computed", staff, { select: { margin: true }, where: { margin: { gt: "1" } }, orderBy: "-margin" }),
    list("count-exact", anonymous, { select: { title: true }, count: "exact" }),
    list("count-estimated", anonymous, { select: { title: true }, count: "estimated" }),
    list("page-number", anonymous, { select: { title: true }, page: 3, limit: 10 }),
    list("trash", staff, { select: { title: true }, trash: "only" }),
    {
      name: "aggregate",
      actor: staff,
      call: {
        op: "aggregate",
        model: "films",
        query: {
          group: ["rating", "month(released)", "director.country"],
          count: ["*", "released"],
          sum: ["price", "stock"],
          avg: ["price"],
          min: ["title"],
          max: ["released"],
          where: { stock: { gt: 0 } },
          having: { "sum.price": { gt: "10" }, count: { gte: 2 } },
          orderBy: "-sum.price",
        },
      },
    },
  ];
}

function writing(): readonly GoldenCall[] {
  const film = { title: "Brazil", price: "9.90", cost: "3", stock: 2, director: id };
  return [
    { name: "create", actor: staff, call: { op: "create", model: "films", data: film, returning: { select: { title: true } } } },
    {
      name: "create-nested",
      actor: system2(),
      call: { op: "create", model: "films", data: { ...film, reviews: [{ stars: 5, author: id }] }, returning: { select: { reviews: { stars: true } } } },
    },
    { name: "create-judged", actor: customer, call: { op: "create", model: "orders", data: { total: "1" }, returning: { select: { total: true } } } },
    { name: "update", actor: staff, call: { op: "update", model: "people", id, data: { name: "Terry" }, ifVersion: 1, returning: { minimal: true } } },
    { name: "update-add", actor: staff, call: { op: "update", model: "films", id: filmId, data: { stock: { $add: -1 } }, returning: { minimal: true } } },
    { name: "update-judged", actor: customer, call: { op: "update", model: "reviews", id: reviewId, data: { stars: 4 }, returning: { minimal: true } } },
    { name: "delete-to-trash", actor: staff, call: { op: "delete", model: "films", id: filmId } },
    { name: "delete", actor: staff, call: { op: "delete", model: "reviews", id: reviewId } },
  ];
}

const filmId = "00000000-0000-7000-8000-00000000000a";
const reviewId = "00000000-0000-7000-8000-00000000000b";

// Staff who is also the author that a nested review needs.
function system2(): Actor {
  return createActor(id, ["staff"]);
}

export const goldenReads = reading();
export const goldenWrites = writing();
/** Rows that the writes need. */
export const goldenRows = {
  people: [{ id, name: "Terry Gilliam", country: "GB" }],
  films: [{ id: filmId, title: "Time Bandits", price: "5", cost: "1", stock: 3, director: id }],
  reviews: [{ id: reviewId, stars: 3, film: filmId, author: id }],
} as const;
