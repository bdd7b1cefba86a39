/** Writes of many rows take few statements on a server, and answer to the byte what they answer on SQLite, faults and records included. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backend, belongsTo, everyone, hasMany, integer, model, serial, text } from "../src/index.ts";
import { createTestApp } from "../src/testing/test-app.ts";
import { type Call, run } from "./few/run.ts";
import { needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { serviceUrl } from "./servers/names.ts";

const makers = model("makers", { name: text().max(50).unique() }).access(() => ({ read: everyone, write: everyone }));

const orders = model("orders", {
  name: text().max(50),
  get lines() {
    return hasMany(() => lines, { by: "order", owned: true });
  },
}).access(() => ({ read: everyone, write: everyone }));

const lines = model("lines", {
  order: belongsTo(() => orders),
  maker: belongsTo(() => makers).optional(),
  label: text().max(50).unique(),
  quantity: integer().min(0),
}).access(({ row }) => ({ read: everyone, create: row.quantity.lt(1_000), update: everyone, delete: everyone }));

/** Numbered by the database, as are the receipts that its parts lead to. */
const receipts = model("receipts", {
  id: serial(),
  text: text().max(50),
  get parts() {
    return hasMany(() => parts, { by: "receipt", owned: true });
  },
}).access(() => ({ read: everyone, write: everyone }));

const parts = model("parts", { receipt: belongsTo(() => receipts), text: text().max(50) }).access(() => ({
  read: everyone,
  write: everyone,
}));

/** Has rows that lead to rows like them: none may be taken for granted while it is written. */
const nodes = model("nodes", {
  name: text().max(50),
  get parent() {
    return belongsTo(() => nodes).optional();
  },
}).access(() => ({
  read: everyone,
  write: everyone,
}));

const shop = backend({ makers, orders, lines, receipts, parts, nodes });
type Shop = Awaited<ReturnType<typeof open>>;

const open = (options: { readonly database?: string } = {}) => createTestApp(shop, options);

const many = 100;
const label = (index: number) => `it's "${index}" ? 😀`;
const line = (order: unknown, index: number) => ({ order, label: label(index), quantity: index });
const batch = (ops: readonly object[]): Call => ({ op: "batch", atomic: true, ops }) as Call;
const count = (length: number) => Array.from({ length }, (_, index) => index);

/** Each with the statements that it takes on a server. */
const calls: readonly {
  readonly name: string;
  readonly call: (ids: { readonly order: string }) => Call;
  readonly statements: number;
  /** How many more: rows that it counts are inserted by 64, 32 and so on on MariaDB, and one by one on MySQL, which is then asked for the number. */
  readonly more?: { readonly mariadb?: number; readonly mysql: number };
}[] = [
  {
    name: "a batch of creates",
    call: () => batch(count(many).map((index) => ({ id: `m${index}`, create: "makers", data: { name: label(index) } }))),
    statements: 3,
  },
  {
    name: "a list of creates",
    call: ({ order }) => ({ op: "createMany", model: "lines", data: count(many).map((index) => line(order, index)) }),
    statements: 5,
  },
  {
    name: "an owner with what it owns",
    call: () => ({
      op: "create",
      model: "orders",
      data: { name: "nested", lines: count(20).map((index) => ({ label: `nested ${index}`, quantity: index })) },
    }),
    statements: 7,
  },
  {
    name: "an owner that the database numbers",
    call: () => ({
      op: "create",
      model: "receipts",
      data: { text: "r", parts: count(20).map((index) => ({ text: `p${index}` })) },
    }),
    statements: 6,
    more: { mysql: 1 },
  },
  {
    name: "a list of rows that the database numbers",
    call: () => ({ op: "createMany", model: "receipts", data: count(many).map((index) => ({ text: `number ${index}` })) }),
    statements: 3,
    more: { mariadb: 2, mysql: 397 },
  },
  {
    name: "a batch of rows that the database numbers, and of rows that lead to one of them",
    call: () =>
      batch([
        ...count(20).map((index) => ({ id: `c${index}`, create: "receipts", data: { text: `batch ${index}` } })),
        ...count(20).map((index) => ({ create: "parts", data: { receipt: { $ref: "c7.id" }, text: `part ${index}` } })),
      ]),
    statements: 7,
    more: { mariadb: 1, mysql: 77 },
  },
  {
    name: "an update with what is to be owned",
    call: ({ order }) => ({
      op: "update",
      model: "orders",
      id: order,
      data: { name: "changed", lines: { create: count(20).map((index) => ({ label: `added ${index}`, quantity: index })) } },
    }),
    statements: 9,
  },
  {
    name: "creates that refer to the one before",
    call: () =>
      batch([
        { id: "o", create: "orders", data: { name: "first" } },
        { id: "p", create: "orders", data: { name: "second" } },
        ...count(20).map((index) => ({ create: "lines", data: line({ $ref: "o.id" }, 500 + index) })),
        { update: "orders", key: { $ref: "p.id" }, data: { name: "changed" } },
      ]),
    statements: 13,
  },
  {
    name: "rows that lead to rows like them, one by one",
    call: () =>
      batch([
        { id: "n0", create: "nodes", data: { name: "0" } },
        ...count(4).map((index) => ({
          id: `n${index + 1}`,
          create: "nodes",
          data: { name: `${index}`, parent: { $ref: `n${index}.id` } },
        })),
      ]),
    statements: 20,
  },
];

/** What fails, and where: as it would one by one. */
const failing: readonly ((ids: { readonly order: string }) => Call)[] = [
  ({ order }) => batch(count(30).map((index) => ({ create: "lines", data: line(order, index === 17 ? 3 : 900 + index) }))),
  ({ order }) =>
    batch(count(30).map((index) => ({ create: "lines", data: line(order, index > 20 ? 1_000 + index : 900 + index) }))),
  ({ order }) => batch(count(30).map((index) => ({ create: "lines", data: line(index === 9 ? "no key" : order, 900 + index) }))),
  ({ order }) =>
    batch(
      count(30).map((index) => ({ create: "lines", data: line(index === 9 ? order.replace(/.$/, "f") : order, 900 + index) })),
    ),
  ({ order }) => ({
    op: "createMany",
    model: "lines",
    data: count(30).map((index) => line(order, index === 28 ? 5_000 : 900 + index)),
  }),
  ({ order }) => ({
    op: "update",
    model: "orders",
    id: order,
    data: {
      name: "no",
      lines: { create: count(20).map((index) => ({ label: label(index > 12 ? 1 : 900 + index), quantity: index })) },
    },
  }),
  () =>
    batch([
      { id: "x", create: "makers", data: { name: "x" } },
      { id: "x", create: "makers", data: { name: "y" } },
    ]),
  () =>
    batch([
      { create: "makers", data: { name: "x" } },
      { create: "makers", data: { name: "y", nothing: 1 } },
    ]),
  () =>
    batch([
      { create: "makers", data: { name: "x" } },
      { create: "makers", data: { name: { $ref: "x.name" } } },
    ]),
];

const pointers = [
  "/ops/17/data/label",
  "/ops/21",
  "/ops/9/data/order",
  "/ops/9/data/order",
  // Of a list's rows it is not told which is denied.
  undefined,
  "/data/lines/create/13/label",
  "/ops/1/id",
  "/ops/1/data/nothing",
  "/ops/1/data/name",
];

async function runAll(app: Shop) {
  const { id: order } = await app.system.orders.create({ name: "theirs" });
  await app.changes();
  const results = [];
  for (const { call } of calls) results.push(await run(app, call({ order })));
  const refused = [];
  for (const call of failing) refused.push((await run(app, call({ order }))).answer);
  const records = await app.changes();
  return { results, refused, records };
}

for (const product of ["postgres", "mariadb", "mysql"] as const) {
  void describe(`few statements on ${product}`, needsService(product), () => {
    test("many rows take few statements, and are what they are one by one", async (t) => {
      const { url, drop } = await freshDatabase(serviceUrl(product));
      t.after(drop);
      await using here = await open();
      await using there = await open({ database: url });
      const one = await runAll(here);
      const other = await runAll(there);
      for (const [index, { name, statements, more }] of calls.entries()) {
        const [ours, theirs] = [one.results[index], other.results[index]];
        assert.ok(theirs?.answer === ours?.answer, `${name}: ${theirs?.answer.slice(0, 2_000)}`);
        // What closes a transaction on MariaDB and MySQL is no part of the call.
        const said = statements + (product === "postgres" ? 0 : (more?.[product] ?? 0));
        assert.deepEqual([theirs?.said, theirs?.ran], [said, said + (product === "postgres" ? 0 : 2)], name);
      }
      assert.deepEqual(other.refused, one.refused);
      assert.deepEqual(
        other.refused.map((answer) => (JSON.parse(answer) as { errors: { pointer: string }[] }).errors[0]?.pointer),
        pointers,
      );
      assert.deepEqual(other.records, one.records);
    });
  });
}
