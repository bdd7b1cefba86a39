/** A PostgreSQL database of several schemas, adopted whole: names that collide, keys across schemas, checks, migrations. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../needs.ts";
import { makeTheirs, type Theirs } from "./databases.ts";
import { answerOf, opened, type Row } from "./place.ts";
import { allSchemas, severalSchemas } from "./several.ts";

async function open(t: TestContext, sql = severalSchemas): Promise<Theirs> {
  const theirs = await makeTheirs("postgres", sql);
  t.after(() => theirs.remove());
  return theirs;
}

async function adopted(t: TestContext) {
  const theirs = await open(t);
  const { place, url } = theirs;
  const { code, out, err } = await place.run("adopt", url, "--read-only-for", "staff", "--schema", allSchemas);
  assert.equal(code, 0, out + err);
  place.write("open.ts", opened(place.read("backend.ts")));
  const served = await place.serve({ file: "open.ts", database: url });
  t.after(() => served.app.stop());
  return { ...theirs, served, out, text: place.read("backend.ts") };
}

describe("a database of several schemas", needsService("postgres"), () => {
  test("is served whole: related across schemas, and named for the schema where tables have one name", async (t) => {
    const { served, text, place, query } = await adopted(t);
    assert.equal(await place.typeErrors(), "");
    assert.match(text, /model\("stockItems"[\s\S]*?\.table\("items"\)\n  \.schema\("stock"\)/);
    assert.match(text, /model\("people"[^;]*\.table\("people"\)\n  \.adopted\(\)/);
    const orders = await answerOf(served, "orders?fields=state,buyer.name,salesItems.amount,salesItems.item.title&sort=id");
    assert.deepEqual(orders.data, [
      {
        state: "paid",
        buyer: { name: "Ada" },
        salesItems: [
          { amount: 3, item: { title: "pen" } },
          { amount: 1, item: { title: "ink" } },
        ],
      },
      { state: "open", buyer: { name: "Bea" }, salesItems: [{ amount: 5, item: { title: "pen" } }] },
    ]);
    assert.deepEqual((await answerOf(served, "people/2?fields=orders.stockItems.title,aBs.cD")).aBs, [{ cD: "dots" }]);
    assert.deepEqual((await answerOf(served, "people?filter[orders.salesItems.amount][gt]=4&fields=name")).data, [
      { name: "Bea" },
    ]);
    assert.deepEqual((await answerOf(served, "openOrders")).data, [{ id: "2", buyerId: 2 }]);
    const sums = await answerOf(served, "salesItems/aggregate?sum=amount&group=item.title");
    assert.deepEqual(sums.data.map((row: Row) => row.sum.amount).toSorted(), [1, 8], JSON.stringify(sums));
    const schemas = await query("SELECT DISTINCT schemaname::text FROM pg_tables WHERE tablename LIKE '\\_%' ORDER BY 1");
    assert.deepEqual(schemas, [["holdfast"]]);
  });

  test("is written as one: references, conflicts and cascades of the right table, each change recorded", async (t) => {
    const { served, query } = await adopted(t);
    const send = async (method: string, path: string, body?: object) =>
      served.ask(path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    const made = await send("POST", "orders", { buyer: 1, state: "open" });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal((await send("POST", "orders", { buyer: 9 })).status, 422);
    assert.equal((await send("POST", "orders", { buyer: 1, state: "lost" })).status, 422);
    const many = Array.from({ length: 5 }, (_, index) => ({ id: 10 + index, title: `thing ${index}` }));
    const bulk = await send("POST", "stockItems", many);
    assert.equal(bulk.status < 300, true, JSON.stringify(bulk.body));
    const taken = await send("POST", "stockItems", { id: 99, title: "pen" });
    assert.deepEqual([taken.status, taken.body.errors[0].pointer], [409, "/title"], JSON.stringify(taken.body));
    const twice = await send("POST", "salesItems", { order: 1, item: 1, amount: 1 });
    assert.deepEqual([twice.status, twice.body.errors.length], [409, 2], JSON.stringify(twice.body));
    assert.equal((await send("DELETE", "stockItems/1")).status, 409);
    assert.equal((await send("DELETE", "orders/1")).status, 204);
    const rows = await query("SELECT count(*)::int FROM sales.items");
    assert.deepEqual(rows, [[1]]);
    const { records } = await served.app.engine.readChanges({ after: null, limit: 100 });
    const told = records.map(({ model, kind }) => `${model} ${kind}`);
    assert.deepEqual(told.filter((one) => one.endsWith("delete")).toSorted(), [
      "orders delete",
      "salesItems delete",
      "salesItems delete",
    ]);
    assert.equal(told.filter((one) => one === "stockItems insert").length, 5);
  });

  test("is compared with its file: only of schemas that the file names is anything new told", async (t) => {
    const { place, url, change } = await adopted(t);
    const check = async (...flags: readonly string[]) => place.run("adopt", url, "--out", "open.ts", "--check", ...flags);
    assert.equal((await check()).code, 0, (await check()).out);
    await change(`ALTER TABLE sales.items ALTER COLUMN amount TYPE bigint; ALTER TABLE stock.items ADD COLUMN note text;
      CREATE TABLE sales.news (id integer PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.thing (id integer PRIMARY KEY);
      ALTER TABLE sales.orders DROP CONSTRAINT orders_buyer_id_fkey`);
    const { code, out } = await check();
    assert.equal(code, 1);
    for (const told of [
      /column sales\.items\.amount \(salesItems\.amount\) is bigint in the database and integer in the file/,
      /column stock\.items\.note \(text\) is in the database and not in the file/,
      /table sales\.news is in the database and not in the file/,
      /column sales\.orders\.buyer_id \(orders\.buyer\) is a relation to people in the file, and no foreign key in the database/,
    ])
      assert.match(out, told);
    assert.doesNotMatch(out, /other/);
    assert.match((await check("--schema", "other,sales")).out, /table other\.thing is in the database and not in the file/);
    const left = await check("--without", "sales.news", "--without", "stock.items.note", "--without", "sales.items.amount");
    assert.match(left.out, /One difference/);
  });

  test("without --schema the current one is adopted, and the others are named", async (t) => {
    const { place, url } = await open(t);
    const { code, out } = await place.run("adopt", url);
    assert.equal(code, 0);
    assert.match(
      out,
      /The schemas odd "one"\.two \(1 table\), sales \(3 tables\), stock \(1 table\) are not adopted: --schema 'odd "one"\.two,public,sales,stock'/,
    );
    assert.doesNotMatch(place.read("backend.ts"), /schema\(/);
    const some = await place.run("adopt", url, "--schema", "sales", "--schema", "stock", "--force");
    assert.match(some.out, /sales\.orders\.buyer_id: it refers to people, which is not served: no relation, but plain fields/);
    assert.match(place.read("backend.ts"), /buyerId: integer\(\)/);
    const current = new URL(url);
    current.searchParams.set("options", "-c search_path=sales,public");
    const found = await place.run("adopt", current.href, "--force");
    assert.match(found.out, /The schemas .*public.* are not adopted/);
    assert.match(place.read("backend.ts"), /\.column\("state", "state"\)/);
  });

  test("a schema that is not there, and a database that has none, are told of", async (t) => {
    const { place, url } = await open(t);
    const near = await place.run("adopt", url, "--schema", "sale");
    assert.deepEqual([near.code, /Did you mean "sales"\?/.test(near.err)], [2, true], near.err);
    place.write("a.db", "");
    const none = await place.run("adopt", "a.db", "--schema", "sales");
    assert.deepEqual([none.code, /other databases have no schemas/.test(none.err)], [2, true], none.err);
    const bare = await open(t, "CREATE SCHEMA sales; CREATE TABLE sales.a (id integer PRIMARY KEY)");
    const nothing = await bare.place.run("adopt", bare.url);
    assert.notEqual(nothing.code, 0);
    assert.match(nothing.out, /The schema sales \(1 table\) is not adopted: --schema sales adopts every one/);
  });

  test("a model of one's own stands in the current schema, and belongs to tables in others", async (t) => {
    const { place, url, query, text } = await adopted(t);
    const notes = `const notes = model("notes", { body: text(), order: belongsTo(() => orders, { inverse: "notes" }) });\n`;
    place.write("own.ts", text.replace("export default backend({", `${notes}\nexport default backend({ notes,`));
    const done = await place.run("migrate", "apply", "--backend", "own.ts", "--database", url);
    assert.equal(done.code, 0, done.out + done.err);
    assert.deepEqual(
      await query(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE conrelid = 'notes'::regclass AND contype = 'f'",
      ),
      [["notes", "sales.orders"]],
    );
    assert.equal((await place.run("migrate", "status", "--backend", "own.ts", "--database", url)).code, 0);
    for (const [file, backend] of [
      ["own.ts", place.read("own.ts")],
      ["taken.ts", text.replaceAll(".adopted()", ".takenOver()")],
    ] as const) {
      place.write(file, backend);
      const document = await place.run("openapi", "--backend", file);
      assert.deepEqual([document.code, document.out.includes("/api/stockItems/{id}")], [0, true], document.err);
    }
    place.write("mine.ts", text.replace('.schema("sales")\n  .adopted()', '.schema("sales")').replace('.table("items")', ""));
    const mine = await place.run("check", "--backend", "mine.ts");
    assert.match(mine.out + mine.err, /salesItems: it names a schema, and its table is Holdfast's own/);
    place.write("a.db", "");
    const other = await place.run("migrate", "plan", "--backend", "own.ts", "--database", "a.db", "--debug");
    assert.match(other.out + other.err, /only PostgreSQL has schemas: use a postgres:\/\/ URL, or remove schema\(\)/);
  });
});
