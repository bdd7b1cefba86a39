/** Updates and deletes of many rows, and batches that are not atomic, take few statements on a server, and answer what they answer one by one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backend, belongsTo, everyone, integer, model, text } from "../src/index.ts";
import { createTestApp } from "../src/testing/test-app.ts";
import { type Call, run } from "./few/run.ts";
import { needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { serviceUrl } from "./servers/names.ts";

const open = { read: everyone, write: everyone } as const;

const makers = model("makers", { name: text().max(50) }).access(() => open);

const items = model("items", {
  label: text().max(50).unique(),
  quantity: integer().min(0).max(1_000),
  note: text(),
  maker: belongsTo(() => makers).optional(),
}).access(({ row }) => ({ ...open, update: row.quantity.lt(900), delete: row.quantity.gt(0) }));

/** Goes into the trash first. */
const drafts = model("drafts", { note: text().max(50) })
  .softDelete()
  .timestamps()
  .access(() => open);

/** Each has a place that no other has: which of two is moved first matters. */
const seats = model("seats", { place: integer().unique(), note: text().max(50).optional() }).access(() => open);

/** Leads to rows like it, and may be changed only where such a row says so. */
const nodes = model("nodes", {
  name: text().max(50),
  get parent() {
    return belongsTo(() => nodes).optional();
  },
}).access(() => open);

const shop = backend({ makers, items, drafts, seats, nodes });
type Shop = Awaited<ReturnType<typeof openShop>>;

const openShop = (options: { readonly database?: string } = {}) => createTestApp(shop, options);

const rows = 40;
const count = (length: number) => Array.from({ length }, (_, index) => index);

async function fill({ system }: Shop) {
  const { id: maker } = await system.makers.create({ name: "theirs" });
  return {
    maker,
    items: await system.items.createMany(
      count(rows).map((index) => ({ label: `it's "${index}" ? 😀`, quantity: index, note: `\\n{"${index}",NULL}` })),
    ),
    drafts: await system.drafts.createMany(count(rows).map((index) => ({ note: `draft ${index}` }))),
    seats: await system.seats.createMany(count(10).map((place) => ({ place }))),
    nodes: await system.nodes.createMany(count(4).map((index) => ({ name: `node ${index}` }))),
  };
}
type Ids = Awaited<ReturnType<typeof fill>>;

const batch = (ops: readonly object[], atomic = true): Call => ({ op: "batch", atomic, ops }) as Call;
const everything = { maxAffected: 100 } as const;

interface Example {
  readonly name: string;
  readonly call: (ids: Ids) => Call;
  /** That it takes on a server; null where those that were refused are tried more than once. */
  readonly statements: number | null;
}

const examples: readonly Example[] = [
  {
    name: "an update by filter",
    call: () => ({
      op: "updateMany",
      model: "items",
      where: { quantity: { lt: 30 } },
      data: { note: "it's ? \\ {new}", quantity: { $add: 1 } },
      ...everything,
    }),
    // Finds the rows; then judges them all, reads them, writes them, judges them again and records them.
    statements: 6,
  },
  {
    name: "an update by filter that links",
    call: ({ maker }) => ({ op: "updateMany", model: "items", where: {}, data: { maker }, ...everything }),
    statements: 6,
  },
  {
    name: "updates of a batch, each to its own",
    call: (ids) =>
      batch(ids.items.map((key, index) => ({ id: `u${index}`, update: "items", key, data: { note: `own ${index}` } }))),
    statements: 5,
  },
  {
    name: "updates that say the version, one of them with a reference to the first",
    call: (ids) =>
      batch([
        { id: "m", create: "makers", data: { name: "new" } },
        ...ids.items.slice(0, 20).map((key) => ({ update: "items", key, data: { maker: { $ref: "m.id" } }, ifVersion: 4 })),
      ]),
    statements: 9,
  },
  {
    name: "updates that are not of one fate, some of which are refused",
    call: (ids) =>
      batch(
        ids.items.map((key, index) => ({
          update: "items",
          key: index === 9 ? "nobody" : key,
          data: { quantity: index === 30 ? 1_001 : index === 20 ? { $add: -1_000 } : 50 + index },
        })),
        false,
      ),
    statements: null,
  },
  {
    name: "creates that are not of one fate",
    call: () =>
      batch(
        count(rows).map((index) => ({ create: "items", data: { label: `other ${index}`, quantity: 1, note: "" } })),
        false,
      ),
    statements: 4,
  },
  {
    name: "creates that are not of one fate, with one that is there, and one that is there by then",
    call: () =>
      batch(
        count(rows).map((index) => ({
          create: "items",
          data: { label: index === 5 ? "other 1" : `again ${index === 30 ? 29 : index}`, quantity: 1, note: "" },
        })),
        false,
      ),
    statements: null,
  },
  {
    name: "rows that pass a place on from one to the next",
    call: () => ({
      op: "updateMany",
      model: "seats",
      where: { place: { gte: 0 } },
      data: { place: { $add: 10 } },
      ...everything,
    }),
    statements: 41,
  },
  {
    name: "rows that lead to rows like them",
    call: (ids) => batch(ids.nodes.slice(1).map((key, index) => ({ update: "nodes", key, data: { parent: ids.nodes[index] } }))),
    statements: 18,
  },
  {
    name: "rows that go into the trash",
    call: () => ({ op: "deleteMany", model: "drafts", where: { note: { ne: "draft 3" } }, ...everything }),
    statements: 5,
  },
  {
    name: "deletes of a batch",
    call: (ids) => batch(ids.items.slice(0, 20).map((key) => ({ delete: "items", key }))),
    statements: 4,
  },
  {
    name: "deletes that are not of one fate",
    call: (ids) =>
      batch(
        ids.items.slice(18, 30).map((key) => ({ delete: "items", key })),
        false,
      ),
    statements: null,
  },
  {
    name: "a delete by filter",
    call: () => ({ op: "deleteMany", model: "items", where: {}, ...everything }),
    statements: 5,
  },
];

/** What is refused as a whole, and leaves no trace. */
const refused: readonly ((ids: Ids) => Call)[] = [
  () => ({ op: "updateMany", model: "items", where: {}, data: { quantity: { $add: 970 } }, ...everything }),
  () => ({ op: "updateMany", model: "items", where: {}, data: { note: "x" }, maxAffected: rows - 1 }),
  () => ({ op: "updateMany", model: "items", where: {}, data: { maker: "01890000-0000-7000-8000-000000000000" }, ...everything }),
  () => ({ op: "updateMany", model: "items", where: {}, data: { label: "one for all" }, ...everything }),
  () => ({ op: "updateMany", model: "seats", where: {}, data: { place: { $add: 1 } }, ...everything }),
  () => ({ op: "deleteMany", model: "items", where: {}, maxAffected: 1 }),
  (ids) => batch(ids.items.map((key, index) => ({ update: "items", key, data: { note: "x" }, ifVersion: index === 17 ? 2 : 1 }))),
  (ids) => batch(ids.items.map((key, index) => ({ update: "items", key, data: { label: `one for ${index % 30}` } }))),
  (ids) => batch(ids.items.map((key, index) => ({ update: "items", key, data: index === 8 ? { note: 1 } : { note: "x" } }))),
  (ids) =>
    batch([...ids.items, ids.items[3]].map((key, index) => ({ update: "items", key, data: { note: `${index}` }, ifVersion: 1 }))),
  (ids) => batch([...ids.items.slice(1, 9), "nobody"].map((key) => ({ delete: "items", key }))),
  // The first has none left.
  (ids) => batch(ids.items.toReversed().map((key) => ({ delete: "items", key }))),
];

const pointers = [
  undefined,
  undefined,
  "/data/maker",
  "/data/label",
  "/data/place",
  undefined,
  "/ops/17",
  "/ops/30/data/label",
  "/ops/8/data/note",
  "/ops/40",
  "/ops/8",
  "/ops/39",
];

async function runAll(app: Shop) {
  const ids = await fill(app);
  const refusals = [];
  for (const call of refused) refusals.push((await run(app, call(ids))).answer);
  assert.deepEqual(
    refusals.map((answer) => (JSON.parse(answer) as { errors: { pointer: string }[] }).errors[0]?.pointer),
    pointers,
  );
  const made = await app.changes();
  const results = [];
  for (const { call } of examples) results.push({ ...(await run(app, call(ids))), records: await app.changes() });
  return { refusals, made, results };
}

for (const product of ["postgres", "postgres-15", "mariadb", "mysql"] as const) {
  void describe(`few statements for changes on ${product}`, needsService(product), () => {
    test("rows are changed together, and are told of as if it were one by one", async (t) => {
      const { url, drop } = await freshDatabase(serviceUrl(product));
      t.after(drop);
      await using here = await openShop();
      await using there = await openShop({ database: url });
      const one = await runAll(here);
      const other = await runAll(there);
      assert.deepEqual(other.refusals, one.refusals);
      // Nobody hears of what was refused.
      assert.deepEqual(other.made, one.made);
      for (const [index, { name, statements }] of examples.entries()) {
        const [ours, theirs] = [one.results[index], other.results[index]];
        assert.equal(theirs?.answer, ours?.answer, name);
        assert.deepEqual(theirs?.records, ours?.records, name);
        // What closes a transaction on MariaDB and MySQL is no part of the call.
        if (statements !== null)
          assert.deepEqual([theirs?.said, theirs?.ran], [statements, statements + (product.startsWith("m") ? 2 : 0)], name);
      }
    });
  });
}
