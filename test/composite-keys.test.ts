/** A belongsTo to a model with a composite key: read through, filtered by, ruled by, written, nested, batched, deleted and explained. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { and, backend, belongsTo, date, decimal, everyone, hasMany, integer, manyToMany, model, text } from "../src/index.ts";
import { createFreshTestApp } from "./fresh.ts";
import { documentOf } from "./openapi/document.ts";

const open = () => ({ read: everyone, write: everyone });

const products = model("products", { sku: text(), price: decimal(8, 2) })
  .key("sku")
  .access(open);

const orders = model("orders", {
  number: integer(),
  customer: text(),
  get lines() {
    return hasMany(() => lines, { by: "order", owned: true });
  },
})
  .key("number")
  .access(({ row, me }) => ({ read: row.customer.eq(me.id), write: row.customer.eq(me.id) }));

/** The key is made of two relations. */
const lines = model("lines", {
  get order() {
    return belongsTo(() => orders, { onDelete: "cascade" });
  },
  product: belongsTo(() => products),
  quantity: integer().min(1),
  get notes() {
    return hasMany(() => notes, { by: "line", owned: true });
  },
  get parcels() {
    return manyToMany(() => parcels, { through: () => packings, from: "line", to: "parcel" });
  },
})
  .key("order", "product")
  .access(({ row, me }) => ({ read: row.order.customer.eq(me.id), write: row.order.customer.eq(me.id) }));

const notes = model("notes", {
  body: text().min(2),
  line: belongsTo(() => lines, { inverse: "remarks" }),
  other: belongsTo(() => lines, { onDelete: "setNull" }).optional(),
})
  .index("body")
  .access(({ row, me }) => ({
    read: row.line.order.customer.eq(me.id),
    write: and(row.line.order.customer.eq(me.id), row.line.ne("7,forbidden")),
  }));

const parcels = model("parcels", { place: text(), day: date() }).key("place", "day").access(open);

/** A key of two composite keys. */
const packings = model("packings", {
  line: belongsTo(() => lines, { onDelete: "cascade" }),
  parcel: belongsTo(() => parcels),
  count: integer().default(1),
})
  .key("line", "parcel")
  .access(open);

const shop = backend({ products, orders, lines, notes, parcels, packings });
const here = { app: await createFreshTestApp(shop) };
after(() => here.app.close());
const ann = () => here.app.as({ id: "ann" });

beforeEach(async () => {
  await here.app.close();
  here.app = await createFreshTestApp(shop);
  for (const sku of ["tea", "a,b%", "forbidden"]) await here.app.system.products.create({ sku, price: "1" });
  const bought = [
    { product: "tea", quantity: 2 },
    { product: "a,b%", quantity: 3 },
  ];
  await ann().orders.create({ number: 7, customer: "ann", lines: bought });
  await here.app.as({ id: "bob" }).orders.create({ number: 8, customer: "bob", lines: [{ product: "tea", quantity: 1 }] });
  await here.app.changes();
});

const pointers = (error: unknown) => (error as { errors: readonly { pointer: string; code: string }[] }).errors;

test("it is the key's text on the wire, and a row where it is expanded", async () => {
  const note = await ann().notes.create({ body: "fragile", line: "7,a%2Cb%25" });
  assert.equal(note.line, "7,a%2Cb%25");
  assert.equal(note.other, null);
  const select = { line: { quantity: true, order: { customer: true } }, other: { quantity: true } } as const;
  const expanded = await ann().notes.get(note.id, { select });
  assert.deepEqual(expanded, { line: { quantity: 3, order: { customer: "ann" } }, other: null });
  const line = await ann().lines.get("7,a%2Cb%25", { select: { remarks: { body: true }, notes: { line: true } } });
  assert.deepEqual(line, { remarks: [{ body: "fragile" }], notes: [{ line: "7,a%2Cb%25" }] });
  const [change] = await here.app.changes();
  assert.deepEqual(change?.after, { ...note });
});

test("it is compared by eq, ne, in, nin and isNull, and is filtered and sorted through", async () => {
  await ann().notes.create({ body: "first", line: "7,tea", other: "7,a%2Cb%25" });
  await ann().notes.create({ body: "second", line: "7,a%2Cb%25" });
  const bodies = async (where: Parameters<ReturnType<typeof ann>["notes"]["list"]>[0]) =>
    (await ann().notes.list({ orderBy: "body", ...where })).data.map(({ body }) => body);
  assert.deepEqual(await bodies({ where: { line: "7,tea" } }), ["first"]);
  assert.deepEqual(await bodies({ where: { line: { ne: "7,tea" } } }), ["second"]);
  assert.deepEqual(await bodies({ where: { other: { ne: "7,tea" } } }), ["first", "second"]);
  assert.deepEqual(await bodies({ where: { line: { in: ["7,a%2Cb%25", "9,x"] } } }), ["second"]);
  assert.deepEqual(await bodies({ where: { line: { nin: ["7,a%2Cb%25"] } } }), ["first"]);
  assert.deepEqual(await bodies({ where: { other: { isNull: true } } }), ["second"]);
  assert.deepEqual(await bodies({ where: { other: null } as never }), ["second"]);
  assert.deepEqual(await bodies({ where: { line: { quantity: { gt: 2 } } } }), ["second"]);
  assert.deepEqual(await bodies({ orderBy: "-line.quantity" }), ["second", "first"]);
  const wrong = ann().notes.list({ where: { line: "tea" } });
  await assert.rejects(wrong, (error) => pointers(error)[0]?.pointer === "/where/line");
  await assert.rejects(ann().notes.list({ orderBy: "line" }), { code: "invalid_query" });
});

test("filters of a URL name several keys, and what an index answers is asked of the index", async () => {
  await ann().notes.create({ body: "first", line: "7,tea" });
  await ann().notes.create({ body: "second", line: "7,a%2Cb%25" });
  const body = async (query: string) => {
    const reply = await here.app.request({ path: `/api/notes?fields=body&sort=body&${query}`, as: { id: "ann" } });
    assert.equal(reply.status, 200, reply.text);
    return reply.json<{ data: readonly { body: string }[] }>().data.map((row) => row.body);
  };
  assert.deepEqual(await body("filter[line]=7,tea"), ["first"]);
  assert.deepEqual(await body("filter[line][in]=7,tea,7,a%252Cb%2525"), ["first", "second"]);
  assert.deepEqual(await body("filter[line][in][]=7,tea"), ["first"]);
  assert.deepEqual(await body("filter[line.product]=tea"), ["first"]);
  assert.deepEqual(indexed(), ["notes_line_order_id_line_product_id_idx", "notes_other_order_id_other_product_id_idx"]);
});

function indexed(): readonly string[] {
  const model = here.app.engine.schema.models.get("notes");
  return (model?.indexes ?? []).flatMap(({ name, columns }) => (columns.length > 1 ? [name] : []));
}

test("what is written must exist and be readable, whole, and in the right form", async () => {
  const codes = async (work: Promise<unknown>) => {
    const error: unknown = await work.then(
      () => ({ errors: [] }),
      (reason: unknown) => reason,
    );
    return pointers(error).map(({ pointer, code }) => `${pointer} ${code}`);
  };
  const create = (data: object) => codes(ann().notes.create({ body: "some", ...data } as never));
  assert.deepEqual(await create({ line: "7,coffee" }), ["/data/line unknown_reference"]);
  assert.deepEqual(await create({ line: "8,tea" }), ["/data/line unknown_reference"], "that of another cannot be seen");
  assert.deepEqual(await create({ line: "tea" }), ["/data/line type"]);
  assert.deepEqual(await create({ line: null }), ["/data/line required"]);
  assert.deepEqual(await create({}), ["/data/line required"]);
  assert.deepEqual(await create({ line: "7,tea", "line.order": 7 }), ["/data/line.order unknown_field"]);
  await ann().lines.create({ order: 7, product: "forbidden", quantity: 1 });
  await assert.rejects(ann().notes.create({ body: "some", line: "7,forbidden" }), { code: "forbidden" });
  const { id } = await ann().notes.create({ body: "some", line: "7,tea", other: "7,tea" });
  assert.equal((await ann().notes.update(id, { line: "7,a%2Cb%25" })).line, "7,a%2Cb%25");
  assert.equal((await ann().notes.update(id, { other: null })).other, null);
  assert.deepEqual(await codes(ann().notes.update(id, { other: "8,tea" })), ["/data/other unknown_reference"]);
  assert.equal((await ann().notes.put(id, { body: "anew", line: "7,tea" })).other, null);
});

test("rows nest in a row of a composite key, and in those nested in it", async () => {
  const made = await ann().orders.create(
    { number: 9, customer: "ann", lines: [{ product: "tea", quantity: 5, notes: [{ body: "deep" }] } as never] },
    { select: { number: true, lines: { quantity: true, notes: { body: true, line: true } } } },
  );
  assert.deepEqual(made, { number: 9, lines: [{ quantity: 5, notes: [{ body: "deep", line: "9,tea" }] }] });
  const inner = { order: 9, product: "a,b%", quantity: 1, notes: [{ body: "x" }] };
  await assert.rejects(ann().lines.create(inner), (error) => pointers(error)[0]?.pointer === "/data/notes/0/body");
});

test("a batch refers to a composite key by the id of an earlier answer", async () => {
  const ops = [
    { id: "l", create: "lines", data: { order: 7, product: "forbidden", quantity: 1 } },
    { create: "packings", data: { line: { $ref: "l.id" }, parcel: { $ref: "p.id" } } },
  ];
  const parcel = { id: "p", create: "parcels", data: { place: "A", day: "2026-01-31" } };
  const reply = await here.app.request({
    method: "POST",
    path: "/api/batch",
    body: { ops: [parcel, ...ops] },
    as: { id: "ann" },
  });
  assert.equal(reply.status, 200, reply.text);
  const packing = await here.app.system.packings.get("7,forbidden,A,2026-01-31");
  assert.deepEqual({ ...packing }, { line: "7,forbidden", parcel: "A,2026-01-31", count: 1, version: 1 });
  const through = await here.app.system.lines.get("7,forbidden", { select: { parcels: { place: true } } });
  assert.deepEqual(through, { parcels: [{ place: "A" }] });
  assert.equal((await here.app.system.packings.put("7,tea,A,2026-01-31", { count: 2 } as never)).line, "7,tea");
  const again = { line: "7,tea", parcel: "A,2026-01-31", count: 4 };
  assert.equal((await here.app.system.packings.upsert(again, { onConflict: ["line", "parcel"] })).count, 4);
  await assert.rejects(here.app.system.packings.create(again), (error) => {
    assert.deepEqual(
      pointers(error).map(({ pointer }) => pointer),
      ["/data/line", "/data/parcel"],
    );
    return true;
  });
});

test("what belongs to a row goes along with it, forgets it, or keeps it", async () => {
  await here.app.system.parcels.create({ place: "A", day: "2026-01-31" });
  await here.app.system.packings.create({ line: "7,tea", parcel: "A,2026-01-31" });
  const { id } = await ann().notes.create({ body: "some", line: "7,a%2Cb%25", other: "7,tea" });
  await assert.rejects(here.app.system.parcels.delete("A,2026-01-31"), { code: "still_referenced" });
  await here.app.changes();
  await here.app.system.lines.delete("7,tea");
  assert.deepEqual(
    (await here.app.changes()).map((change) => `${change.kind} ${change.model} ${change.id}`),
    ["delete packings 7,tea,A,2026-01-31", `update notes ${id}`, "delete lines 7,tea"],
  );
  assert.equal((await here.app.system.notes.get(id)).other, null);
});

test("the OpenAPI document calls it a text, and knows nothing of its parts", () => {
  const document = documentOf(here.app.engine);
  const schemas = (document["components"] as { schemas: Record<string, { properties: Record<string, unknown> }> }).schemas;
  assert.deepEqual(Object.keys(schemas["notes.Row"]?.properties ?? {}), ["id", "body", "line", "other", "version"]);
  assert.deepEqual(schemas["notes.Create"]?.properties["line"], {
    type: "string",
    description: "The key of a row of `lines`.",
  });
  assert.equal(JSON.stringify(document).includes('"line.order":'), false);
});
