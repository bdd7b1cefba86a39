/** What an update says of owned rows: each under its own rule, all or none, and every refusal at its place. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { and, backend, belongsTo, choice, everyone, hasMany, integer, model, refuse, text } from "../src/index.ts";
import { createFreshTestApp } from "./fresh.ts";
import { conformanceOf } from "./openapi/document.ts";

const orders = model("orders", {
  customer: text(),
  total: integer().default(0),
  get lines() {
    return hasMany(() => lines, { by: "order", owned: true });
  },
  get seals() {
    return hasMany(() => seals, { by: "order", owned: true });
  },
}).access(({ row, me }) => ({ read: row.customer.eq(me.id), write: row.customer.eq(me.id) }));

const lines = model("lines", {
  order: belongsTo(() => orders),
  product: text().min(2),
  quantity: integer().min(1).max(9).default(1),
  state: choice("open", "sent").default("open"),
  hidden: text().default("no"),
  get notes() {
    return hasMany(() => notes, { by: "line", owned: true });
  },
})
  .unique("order", "product")
  .softDelete()
  .access(({ row, me, input }) => ({
    read: and(row.order.customer.eq(me.id), row.hidden.eq("no")),
    create: input.product.ne("gold"),
    update: row.state.eq("open"),
    delete: row.state.eq("open"),
  }));

const notes = model("notes", { line: belongsTo(() => lines), body: text() }).access(() => ({ read: everyone, write: everyone }));

const seals = model("seals", { order: belongsTo(() => orders), number: integer() })
  .requireVersion()
  .access(() => ({ read: everyone, write: everyone }));

const shop = backend({ orders, lines, notes, seals })
  .before("lines", "create", async ({ input, db }) => {
    if (input.product === "refused") throw refuse("sold_out", "None left.", { pointer: "/product" });
    await db.system.orders.update(String(input.order), { total: { $add: input.quantity ?? 0 } });
  })
  .after("lines", "delete", ({ id }) => void here.deleted.push(String(id)));

const here = {
  app: await createFreshTestApp(shop, { limits: { batchMax: 5 } }),
  deleted: [] as string[],
  order: "",
  lines: [""],
};
after(() => here.app.close());
const ann = () => here.app.as({ id: "ann" });

beforeEach(async () => {
  await here.app.system.notes.deleteMany({ where: {}, maxAffected: 100 });
  const order = await ann().orders.create({ customer: "ann", lines: [{ product: "tea" }, { product: "milk" }] });
  const { data } = await ann().lines.list({ where: { order: order.id }, orderBy: "-product" });
  Object.assign(here, { order: order.id, lines: data.map(({ id }) => id), deleted: [] });
  await here.app.changes();
});

const shown = { total: true, lines: { product: true, quantity: true, notes: { body: true }, $orderBy: "product" } } as const;

test("owned rows are created, changed and deleted with their owner, at once, and the answer shows it", async () => {
  const [tea, milk] = here.lines as [string, string];
  const data = {
    customer: "ann",
    lines: { create: [{ product: "milk", quantity: 3 }], update: [{ id: tea, quantity: { $add: 4 } }], delete: [milk] },
  };
  const answer = await ann().orders.update(here.order, data, { select: shown });
  const lines = [
    { product: "milk", quantity: 3, notes: [] },
    { product: "tea", quantity: 5, notes: [] },
  ];
  assert.deepEqual(answer, { total: 3, lines });
  const changes = (await here.app.changes()).map(
    ({ model, kind, id }) => `${kind} ${model} ${id === tea ? "tea" : id === milk ? "milk" : ""}`,
  );
  assert.deepEqual(changes, ["update orders ", "delete lines milk", "update lines tea", "update orders ", "insert lines "]);
  assert.deepEqual(here.deleted, [milk]);
});

test("what is owned by owned rows is changed along with them", async () => {
  const [tea] = here.lines as [string];
  const written = { lines: { update: [{ id: tea, notes: { create: [{ body: "warm" }] } }] } } as never;
  const answer = await ann().orders.update(here.order, written, { select: shown });
  assert.deepEqual(answer.lines[1], { product: "tea", quantity: 1, notes: [{ body: "warm" }] });
});

/** The places and codes of a refusal, of which nothing may be left. */
async function refused(lines: object, more: object = {}): Promise<string> {
  const before = await here.app.system.lines.list({ trash: "with", limit: 100 });
  const version = (await ann().orders.get(here.order)).version;
  const error: unknown = await ann()
    .orders.update(here.order, { lines, ...more } as never)
    .then(
      () => "nothing",
      (reason: unknown) => reason,
    );
  assert.deepEqual(await here.app.system.lines.list({ trash: "with", limit: 100 }), before);
  assert.equal((await ann().orders.get(here.order)).version, version);
  assert.deepEqual(await here.app.changes(), []);
  const { code, errors } = error as { code: string; errors: readonly { pointer: string; code: string }[] };
  return `${code}: ${errors.map((issue) => `${issue.pointer} ${issue.code}`).join(", ")}`;
}

test("each row is under its own rule, and what does not fit is told at its place", async () => {
  const [tea, milk] = here.lines as [string, string];
  const valid = { update: [{ id: tea, quantity: 2 }] };
  assert.equal(await refused({ ...valid, create: [{ product: "gold" }] }), "forbidden: /data/lines/create/0 forbidden");
  assert.equal(
    await refused({ ...valid, create: [{ product: "tea" }] }),
    "conflict: /data/lines/create/0/order unique, /data/lines/create/0/product unique",
  );
  assert.equal(
    await refused({ create: [{ product: "new" }, { product: "refused" }] }),
    "sold_out: /data/lines/create/1/product sold_out",
  );
  assert.equal(await refused({ create: [{ product: "x" }] }), "invalid_input: /data/lines/create/0/product min");
  assert.equal(
    await refused({ update: [{ id: tea, quantity: { $add: 9 } }] }),
    "invalid_input: /data/lines/update/0/quantity range",
  );
  await here.app.system.lines.update(milk, { state: "sent" });
  await here.app.changes();
  assert.equal(await refused({ ...valid, delete: [milk] }), "forbidden: /data/lines/delete/0 forbidden");
  assert.equal(
    await refused({ update: [{ id: tea }, { id: milk, quantity: 3 }] }),
    "forbidden: /data/lines/update/1/id forbidden",
  );
});

test("only rows that it owns, and that the caller sees, are there", async () => {
  const [tea, milk] = here.lines as [string, string];
  const other = await ann().orders.create({ customer: "ann", lines: [{ product: "jam" }] }, { select: { lines: { id: true } } });
  const jam = other.lines[0]?.id ?? "";
  await here.app.system.lines.update(milk, { hidden: "yes" });
  await here.app.changes();
  for (const id of [jam, milk, "00000000-0000-7000-8000-ffffffffffff", "nonsense"]) {
    assert.equal(await refused({ delete: [id] }), "invalid_input: /data/lines/delete/0 unknown_reference");
    assert.equal(await refused({ update: [{ id, quantity: 2 }] }), "invalid_input: /data/lines/update/0/id unknown_reference");
  }
  assert.equal(await refused({ delete: [tea, tea] }), "invalid_input: /data/lines/delete/1 unknown_reference");
});

test("the form is held to, and its rows are counted", async () => {
  const [tea] = here.lines as [string];
  assert.equal(await refused([]), "invalid_input: /data/lines type");
  assert.equal(await refused({ connect: [tea] }), "invalid_input: /data/lines/connect unknown_field");
  assert.equal(await refused({ delete: tea }), "invalid_input: /data/lines/delete type");
  assert.equal(await refused({ delete: [null] }), "invalid_input: /data/lines/delete/0 type");
  assert.equal(await refused({ update: [{ quantity: 2 }] }), "invalid_input: /data/lines/update/0/id required");
  assert.equal(
    await refused({ update: [{ id: tea, order: here.order }] }),
    "invalid_input: /data/lines/update/0/order read_only",
  );
  const news = ["aa", "bb", "cc"].map((product) => ({ product }));
  assert.equal(await refused({ create: news, update: news }), "invalid_input: /data/lines/update max");
  const inner = { update: [{ id: tea, notes: { create: Array.from({ length: 5 }, () => ({ body: "x" })) } }] };
  assert.equal(await refused(inner), "invalid_input: /data/lines/update/0/notes/create max");
});

test("a model whose changes must say a version is changed by itself; many rows own nothing alike", async () => {
  const seal = await ann().seals.create({ order: here.order, number: 1 });
  await here.app.changes();
  const versioned = ann().orders.update(here.order, { seals: { update: [{ id: seal.id, number: 2 }] } });
  await assert.rejects(versioned, { code: "precondition_required" });
  assert.equal((await ann().seals.get(seal.id)).number, 1);
  const many = { where: { id: here.order }, data: { lines: { delete: here.lines } } as never, maxAffected: 1 };
  await assert.rejects(ann().orders.updateMany(many), { code: "invalid_input" });
  const whole = { customer: "ann", lines: { delete: here.lines } };
  await assert.rejects(ann().orders.put(here.order, whole as never), { code: "invalid_input" });
  assert.equal((await ann().lines.list({ where: { order: here.order } })).data.length, 2);
});

test("the owner's rule and version are judged first", async () => {
  const change = { lines: { delete: here.lines } };
  await assert.rejects(here.app.as({ id: "bob" }).orders.update(here.order, change), { code: "not_found" });
  await assert.rejects(ann().orders.update(here.order, change, { ifVersion: 99 }), { code: "precondition_failed" });
  const { version } = await ann().orders.get(here.order);
  await ann().orders.update(here.order, change, { ifVersion: version });
  assert.equal((await ann().lines.list({ where: { order: here.order } })).data.length, 0);
});

test("over the wire and in a batch it is the same, as the OpenAPI document has it", async () => {
  const { app } = here;
  const [tea, milk] = here.lines as [string, string];
  const path = `/api/orders/${here.order}`;
  const as = { id: "ann" };
  const body = { lines: { update: [{ id: tea, product: "x" }] } };
  const unfit = await app.request({ method: "PATCH", path, body, as });
  assert.equal(unfit.json<{ errors: readonly { pointer: string }[] }>().errors[0]?.pointer, "/lines/update/0/product");
  const sent = { lines: { create: [{ product: "rum" }], update: [{ id: tea, quantity: { $add: 1 } }], delete: [milk] } };
  const patched = await app.request({ method: "PATCH", path, body: sent, as });
  const exchanged = {
    method: "PATCH",
    path,
    status: 200,
    headers: Object.fromEntries(patched.headers),
    text: patched.text,
    body: sent,
  };
  assert.deepEqual(conformanceOf(app.engine)(exchanged), []);
  assert.notDeepEqual(conformanceOf(app.engine)({ ...exchanged, body: { lines: { connect: [] } } }), []);
  const order = patched.json<{ version: number }>();
  assert.equal(patched.headers.get("etag"), `"${order.version}"`);
  const op = { update: "orders", key: here.order, data: { lines: { update: [{ id: milk }] } } };
  const failed = await app.request({ path: "/api/batch", body: { ops: [op] }, as });
  assert.equal(failed.json<{ errors: readonly { pointer: string }[] }>().errors[0]?.pointer, "/ops/0/data/lines/update/0/id");
});
