/** What goes along with a row that is deleted, what forgets it, and bulk and replacing writes at their edges: found by the oracle. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { backend, belongsTo, bigint, decimal, everyone, integer, model, not, text } from "../src/index.ts";
import { createFreshTestApp } from "./fresh.ts";

const open = () => ({ read: everyone, write: everyone });

const owners = model("owners", { name: text() }).access(open);
const things = model("things", {
  name: text(),
  maker: belongsTo(() => owners, { onDelete: "setNull" }).optional(),
  keeper: belongsTo(() => owners, { onDelete: "cascade" }),
}).access(open);

const stamps = model("stamps", {
  first: belongsTo(() => owners, { onDelete: "setNull" })
    .optional()
    .writeOnce(),
}).access(open);

const nodes = model("nodes", {
  name: text(),
  get up() {
    return belongsTo(() => nodes, { onDelete: "cascade", inverse: "down" }).optional();
  },
}).access(open);

/** Readable, and so deletable, while they have leaves. */
const trees = model("trees", { name: text() }).access(({ row }) => ({
  read: not((row as unknown as { leaves: { none(where: () => unknown): never } }).leaves.none(() => everyone)),
  write: everyone,
}));
const leaves = model("leaves", { tree: belongsTo(() => trees, { onDelete: "cascade", inverse: "leaves" }) }).access(open);

const counters = model("counters", {
  small: decimal(4, 2).default("0"),
  whole: integer().default(0),
  large: bigint().default("0"),
  label: text(),
}).access(({ me }) => ({ read: everyone, create: me.has("staff"), update: me.has("staff") }));

const app = await createFreshTestApp(backend({ owners, things, stamps, nodes, trees, leaves, counters }));
after(() => app.close());
const { system } = app;
const ann = app.as({ id: "ann" });
const staff = app.as({ id: "sue", roles: ["staff"] });

const kinds = async () => (await app.changes()).map(({ kind, model }) => `${kind} ${model}`);

test("a row that goes along by one key does not first forget by another", async () => {
  const { id } = await system.owners.create({ name: "a" });
  await system.things.create({ name: "t", keeper: id, maker: id });
  await app.changes();
  await system.owners.delete(id);
  assert.deepEqual(await kinds(), ["delete things", "delete owners"]);
});

test("a key that is set once is forgotten all the same", async () => {
  const { id } = await system.owners.create({ name: "b" });
  const { id: stamp } = await system.stamps.create({ first: id });
  await system.owners.delete(id);
  assert.equal((await system.stamps.get(stamp)).first, null);
});

test("a row may lead to itself, and rows to each other in a circle", async () => {
  const own = await system.nodes.create({ name: "own" });
  await system.nodes.update(own.id, { up: own.id });
  const [left, right] = [await system.nodes.create({ name: "l" }), await system.nodes.create({ name: "r" })];
  await system.nodes.update(left.id, { up: right.id });
  await system.nodes.update(right.id, { up: left.id });
  await app.changes();
  await system.nodes.delete(own.id);
  assert.deepEqual(await kinds(), ["delete nodes"]);
  await system.nodes.delete(left.id);
  assert.deepEqual(await kinds(), ["update nodes", "delete nodes", "delete nodes"]);
  assert.equal((await system.nodes.list()).data.length, 0);
});

test("a bulk delete counts the rows that went along with others", async () => {
  const top = await system.nodes.create({ name: "top" });
  const low = await system.nodes.create({ name: "low", up: top.id });
  await system.nodes.create({ name: "lowest", up: low.id });
  assert.equal(await ann.nodes.deleteMany({ where: {}, maxAffected: 3 }), 3);
});

test("a rule that speaks of the rows which go along is judged before they do", async () => {
  const { id } = await system.trees.create({ name: "oak" });
  await system.leaves.createMany([{ tree: id }, { tree: id }]);
  await ann.trees.delete(id);
  assert.equal((await system.leaves.list()).data.length, 0);
});

test("a bulk update says what does not fit though no row matches", async () => {
  const none = { where: { label: "nothing" }, maxAffected: 1 };
  await assert.rejects(staff.counters.updateMany({ ...none, data: { whole: "x" } as never }), { code: "invalid_input" });
  await assert.rejects(staff.counters.updateMany({ ...none, data: { nope: 1 } as never }), { code: "invalid_input" });
  assert.equal(await staff.counters.updateMany({ ...none, data: { whole: 1 } }), 0);
});

test("who may not replace a row is not told what the replacement lacks", async () => {
  const { id } = await system.counters.create({ label: "c" });
  await assert.rejects(ann.counters.put(id, {} as never), { code: "forbidden" });
  await assert.rejects(staff.counters.put(id, {} as never), { code: "invalid_input" });
});

test("$add stays within what the type holds", async () => {
  const { id } = await system.counters.create({
    label: "c",
    small: "99.00",
    whole: Number.MAX_SAFE_INTEGER,
    large: String(2n ** 63n - 1n),
  });
  const beyond = [{ small: { $add: "1.00" } }, { whole: { $add: 1 } }, { large: { $add: "1" } }] as const;
  for (const data of beyond) await assert.rejects(staff.counters.update(id, data), { code: "invalid_input" });
  const within = await staff.counters.update(id, { small: { $add: "0.99" }, whole: { $add: -1 }, large: { $add: "-1" } });
  assert.deepEqual([within.small, within.whole, within.large], ["99.99", Number.MAX_SAFE_INTEGER - 1, String(2n ** 63n - 2n)]);
});
