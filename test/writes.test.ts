/** What writes promise beyond their SQL: hooks and their order, what is undone together, cascades, batches, keys and listeners. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import {
  backend,
  belongsTo,
  bigint,
  type Change,
  decimal,
  everyone,
  hasMany,
  integer,
  me,
  model,
  refuse,
  serial,
  text,
} from "../src/index.ts";
import { createFreshTestApp } from "./fresh.ts";

const heard: string[] = [];
const order: string[] = [];

const authors = model("authors", {
  name: text().unique(),
  books: integer().default(0).readOnly(),
  get works() {
    return hasMany(() => books, { by: "author", owned: true });
  },
}).access(() => ({ read: everyone, write: everyone }));

const books = model("books", {
  title: text().min(2),
  stock: integer().min(0).max(10).default(1),
  price: decimal(8, 2).default("1.00"),
  isbn: text().optional().writeOnce(),
  author: belongsTo(() => authors),
})
  .timestamps()
  .access(() => ({ read: everyone, write: everyone }));

const notes = model("notes", {
  body: text(),
  book: belongsTo(() => books, { onDelete: "setNull" }).optional(),
  owner: text().default(me).optional(),
}).access(() => ({ read: everyone, write: everyone }));

const invoices = model("invoices", {
  id: serial(),
  total: decimal(8, 2),
  get lines() {
    return hasMany(() => lines, { by: "invoice", owned: true });
  },
}).access(() => ({ read: everyone, write: everyone }));

const lines = model("lines", { amount: decimal(8, 2), invoice: belongsTo(() => invoices) }).access(() => ({
  read: everyone,
  write: everyone,
}));

const totals = model("totals", { count: bigint() }).access(() => ({ read: everyone, write: everyone }));

const library = backend({ authors, books, notes, invoices, lines, totals })
  .before("books", "create", async ({ input, db }) => {
    order.push("before");
    if (input.title === "forbidden") throw refuse("not_here", "Not in this library.", { pointer: "/title" });
    await db.system.authors.update(String(input.author), { books: { $add: 1 } });
    return typeof input.title === "string" ? { title: input.title.trim() } : undefined;
  })
  .after("books", "create", ({ row }) => {
    order.push(`after ${String(row?.title)}`);
    if (row?.title === "undone") throw refuse("undone", "On second thought, no.");
  })
  .before("books", "delete", ({ row }) => void order.push(row === null ? "no book" : "a book"))
  .after("books", "delete", ({ row }) => void order.push(row === null ? "deleted" : "still there"))
  .on("books", (change: Change) => void heard.push(`${change.kind} ${change.version}`))
  .action("twice", {
    input: { author: text() },
    access: everyone,
    run: ({ input, transaction }) =>
      transaction(async (tx) => {
        await tx.books.create({ title: "one", author: input.author });
        await tx.books.updateMany({ where: { title: "one" }, data: { stock: 99 }, maxAffected: 5 }).catch(() => "undone alone");
        await tx.books.create({ title: "two", author: input.author });
        throw refuse("no_deal", "And back again.");
      }),
  })
  .action("beside", {
    access: everyone,
    run: ({ db, transaction }) => transaction(() => db.authors.create({ name: "never" })),
  });

const app = await createFreshTestApp(library);
const db = app.as({ id: "u", roles: [] });
after(() => app.close());

const made = { authors: 0 };
const here = { author: "" };
beforeEach(async () => {
  here.author = (await db.authors.create({ name: `Capek ${++made.authors}` })).id;
  heard.length = 0;
  order.length = 0;
});

test("hooks run in the write's transaction, in order, and may change the input", async () => {
  const book = await db.books.create({ title: "  R.U.R. ", author: here.author });
  assert.equal(book.title, "R.U.R.");
  assert.deepEqual(order, ["before", "after R.U.R."]);
  assert.equal((await db.authors.get(here.author)).books, 1);
  assert.deepEqual(heard, ["insert 1"]);
});

test("a hook that refuses undoes the write and all that hooks wrote; no listener hears of it", async () => {
  await assert.rejects(db.books.create({ title: "forbidden", author: here.author }), { code: "not_here", status: 422 });
  await assert.rejects(db.books.create({ title: "undone", author: here.author }), { code: "undone" });
  assert.equal((await db.books.list({ where: { author: here.author } })).data.length, 0);
  assert.equal((await db.authors.get(here.author)).books, 0);
  assert.deepEqual(heard, []);
});

test("an action's transaction is whole or absent; what fails inside it can be survived", async () => {
  await assert.rejects(app.call(null, "twice", { author: here.author }), { code: "no_deal", message: "And back again." });
  assert.equal((await db.books.list({ where: { author: here.author } })).data.length, 0);
  assert.deepEqual(order, ["before", "after one", "before", "after two"]);
  assert.deepEqual(heard, []);
});

test("writing beside the transaction one holds is told at once, not after a timeout", async () => {
  await assert.rejects(app.call(null, "beside", {}), /write with the `tx`/);
});

test("owned rows are created with their owner, read back with it, and go with it", async () => {
  const data = { name: "Nested", works: [{ title: "Bílá nemoc" }, { title: "Matka", stock: 3 }] };
  const nested = await db.authors.create(data, {
    select: { name: true, works: { title: true, stock: true, $orderBy: "title" } },
  });
  assert.deepEqual(nested, {
    name: "Nested",
    works: [
      { title: "Bílá nemoc", stock: 1 },
      { title: "Matka", stock: 3 },
    ],
  });
  const { id } = (await db.authors.first({ where: { name: "Nested" } })) ?? { id: "" };
  const book = await db.books.first({ where: { author: id, title: "Matka" } });
  await db.notes.create({ body: "lend", book: book?.id ?? null });
  await app.changes();
  await db.authors.delete(id);
  assert.equal(await db.books.first({ where: { author: id } }), null);
  assert.equal((await db.notes.first({ where: { body: "lend" } }))?.book, null);
  const kinds = (await app.changes()).map(({ model, kind }) => `${kind} ${model}`).sort();
  assert.deepEqual(kinds, ["delete authors", "delete books", "delete books", "update notes"]);
  assert.deepEqual(order.slice(-4), ["a book", "deleted", "a book", "deleted"]);
});

test("a nested row that does not fit undoes the whole, and its pointer says which", async () => {
  const data = { name: "Half", works: [{ title: "ok" }, { title: "x" }] };
  await assert.rejects(db.authors.create(data), (error: { errors: readonly { pointer: string }[] }) => {
    assert.deepEqual(
      error.errors.map(({ pointer }) => pointer),
      ["/data/works/1/title"],
    );
    return true;
  });
  assert.equal(await db.authors.first({ where: { name: "Half" } }), null);
});

test("rows nest in one whose key the database counts", async () => {
  const invoice = await db.invoices.create(
    { total: "3", lines: [{ amount: "1" }, { amount: "2" }] },
    { select: { id: true, lines: { amount: true } } },
  );
  assert.equal(typeof invoice.id, "number");
  assert.deepEqual(invoice.lines, [{ amount: "1.00" }, { amount: "2.00" }]);
});

test("$add adds in the database, within the field's bounds", async () => {
  const { id } = await db.books.create({ title: "Krakatit", author: here.author, stock: 9 });
  await Promise.all([1, 2, 3].map(() => db.books.update(id, { stock: { $add: -3 } })));
  assert.equal((await db.books.get(id)).stock, 0);
  await assert.rejects(db.books.update(id, { stock: { $add: -1 } }), { code: "invalid_input" });
  await assert.rejects(db.books.update(id, { stock: { $add: 11 } }), { code: "invalid_input" });
  await db.books.update(id, { price: { $add: "0.10" } });
  assert.equal((await db.books.get(id)).price, "1.10");
});

test("read-only, write-once, immutable and required fields hold", async () => {
  const book = await db.books.create({ title: "Valka", author: here.author });
  const faults = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => assert.fail("it was not refused"),
      (reason: { errors: readonly { pointer: string; code: string }[] }) => reason,
    );
    return error.errors.map(({ pointer, code }) => `${pointer} ${code}`);
  };
  assert.deepEqual(await faults(db.authors.create({ name: "x", books: 7 })), ["/data/books read_only"]);
  assert.deepEqual(await faults(db.books.update(book.id, { id: here.author } as never)), ["/data/id immutable"]);
  assert.deepEqual(await faults(db.books.create({ author: here.author } as never)), ["/data/title required"]);
  assert.deepEqual(await faults(db.books.create({ title: null, author: here.author } as never)), ["/data/title required"]);
  await db.books.update(book.id, { isbn: "1" });
  await db.books.update(book.id, { isbn: "1" });
  assert.deepEqual(await faults(db.books.update(book.id, { isbn: "2" })), ["/data/isbn write_once"]);
});

test("upsert meets the row by a unique field, or creates it", async () => {
  const name = `Upsert ${here.author}`;
  const created = await db.authors.upsert({ name }, { onConflict: ["name"] });
  const met = await db.authors.upsert({ name }, { onConflict: ["name"] });
  assert.equal(met.id, created.id);
  assert.equal(met.version, 2);
  assert.equal((await db.authors.upsert({ name }, { onConflict: ["name"], onConflictDo: "nothing" })).version, 2);
  await assert.rejects(db.authors.upsert({ name }, { onConflict: ["version"] }), { code: "invalid_query" });
});

test("put creates under its id, replaces what is left out by its default, and refuses a foreign id", async () => {
  const id = "00000000-0000-7000-8000-0000000000ff";
  const put = await db.books.put(id, { title: "Hordubal", author: here.author, stock: 4 });
  assert.equal(put.id, id);
  const replaced = await db.books.put(id, { title: "Povetron", author: here.author });
  assert.deepEqual([replaced.stock, replaced.version], [1, 2]);
  await assert.rejects(db.books.put(id, { id: here.author, title: "no", author: here.author }), { code: "invalid_input" });
});

test("bulk writes change all that match, or, beyond maxAffected, nothing", async () => {
  for (const title of ["aa", "bb", "cc"]) await db.books.create({ title, author: here.author });
  const where = { author: here.author } as const;
  await assert.rejects(db.books.updateMany({ where, data: { stock: 5 }, maxAffected: 2 }), { code: "too_many_affected" });
  assert.equal((await db.books.list({ where: { author: here.author, stock: 5 } })).data.length, 0);
  assert.equal(await db.books.updateMany({ where, data: { stock: 5 }, maxAffected: 3 }), 3);
  assert.equal(await db.books.deleteMany({ where: { ...where, stock: 5 }, maxAffected: 10 }), 3);
});

test("an atomic batch is whole or absent, and names the operation that failed", async () => {
  const origin = { actor: { kind: "anonymous", id: null, roles: [], claims: {} }, requestId: "batch" } as const;
  const ops = [
    { id: "a", create: "authors", data: { name: `Batch ${here.author}` } },
    { id: "b", create: "books", data: { title: "Sloup", author: { $ref: "a.id" } } },
    { update: "books", key: { $ref: "b.id" }, data: { stock: { $add: 1 } } },
  ];
  const { result } = await app.engine.execute({ op: "batch", atomic: true, ops }, origin);
  assert.equal(result.kind === "batch" && result.results.length, 3);
  const failing = [
    { create: "authors", data: { name: `Gone ${here.author}` } },
    { update: "books", key: here.author, data: { stock: 2 } },
  ];
  await assert.rejects(
    app.engine.execute({ op: "batch", atomic: true, ops: failing }, origin),
    (error: { errors: readonly { pointer: string }[] }) => {
      assert.equal(error.errors[0]?.pointer, "/ops/1");
      return true;
    },
  );
  assert.equal(await db.authors.first({ where: { name: `Gone ${here.author}` } }), null);
  const loose = await app.engine.execute({ op: "batch", atomic: false, ops: failing }, origin);
  assert.ok(loose.result.kind === "batch" && loose.result.results[1]?.error);
  assert.notEqual(await db.authors.first({ where: { name: `Gone ${here.author}` } }), null);
});

test("change records hold the row before and after, who, when and in which request", async () => {
  const { id } = await db.books.create({ title: "Dasenka", author: here.author });
  await app.changes();
  app.clock.advance(1000);
  await db.books.update(id, { title: "Dášeňka" });
  const [change, ...more] = await app.changes();
  assert.equal(more.length, 0);
  assert.deepEqual(
    [change?.kind, change?.version, change?.actor, change?.before?.["title"], change?.after?.["title"]],
    ["update", 2, "u", "Dasenka", "Dášeňka"],
  );
  assert.equal(change?.at, new Date(app.clock()).toISOString());
  assert.equal(change?.after?.["updatedAt"], change?.at);
});

test("who may not delete a row sets nothing in motion; a sum beyond 64 bits is refused, not rounded", async () => {
  await assert.rejects(db.books.delete("00000000-0000-7000-8000-00000000dead"), { code: "not_found" });
  assert.deepEqual(order, []);
  const largest = "999999.99";
  await db.invoices.createMany([{ total: largest }, { total: largest }]);
  assert.equal((await db.invoices.aggregate({ sum: ["total"], where: { total: largest } }))[0]?.["sum"] instanceof Object, true);
  const rows = Array.from({ length: 1025 }, () => ({ count: String(2n ** 53n * 1000n) }));
  for (let from = 0; from < rows.length; from += 500) await db.totals.createMany(rows.slice(from, from + 500));
  await assert.rejects(db.totals.aggregate({ sum: ["count"] }), { code: "sum_out_of_range", status: 422 });
  assert.equal((await db.totals.aggregate({ avg: ["count"] }))[0]?.count, undefined);
});
