/** Tables in several schemas of PostgreSQL taken over: migrations find each in its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { makeTheirs } from "./databases.ts";
import { allSchemas, severalSchemas } from "./several.ts";
import { takeOver } from "./taken.ts";

/** Everything that PostgreSQL says of the tables of these schemas. */
const defined = `SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema NOT IN ('holdfast', 'pg_catalog', 'information_schema')
  UNION ALL SELECT connamespace::regnamespace::text, conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint WHERE connamespace::regnamespace::text NOT IN ('holdfast', 'pg_catalog', 'information_schema')
  UNION ALL SELECT schemaname, tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname NOT IN ('holdfast', 'pg_catalog') ORDER BY 1, 2, 3, 4`;

const several = { sql: severalSchemas, flags: ["--schema", allSchemas] };
const lines = '.table("items")\n  .schema("sales")';

describe("tables of several schemas that are taken over", needsService("postgres"), () => {
  test("stay as they are, and are changed by migrations from then on", async (t) => {
    const { query, applied, edit, migrate } = await takeOver(t, "postgres", several);
    const before = await query(defined);
    assert.match(await applied(), /Takes the table sales\.items over as it is, with 3 columns/);
    assert.deepEqual(await query(defined), before);
    assert.equal((await migrate("down")).code, 0);
    assert.deepEqual(await query(defined), before);
    await applied();
    edit(
      [
        '  amount: integer().column("amount", "integer"),',
        '  quantity: integer().was("amount").column("quantity", "integer"),\n  note: text().default("none"),',
      ],
      ['.index("amount")', '.index("quantity").index("item", "quantity")'],
    );
    const dry = await migrate("apply", "--dry-run");
    assert.equal(dry.code, 0, dry.out);
    assert.match(dry.out, /sales\.items: 3 rows before, 3 rows after/);
    const plan = (await migrate("plan")).out;
    assert.match(plan, /Renames the column sales\.items\.amount to quantity/);
    assert.match(plan, /CREATE INDEX "items_item_id_quantity_idx" ON "sales"\."items"/);
    await applied();
    const indexesOf = async (table: string) =>
      (await query(`SELECT indexname FROM pg_indexes WHERE schemaname = 'sales' AND tablename = '${table}' ORDER BY 1`)).flat();
    assert.deepEqual(await indexesOf("items"), ["by_amount", "items_item_id_quantity_idx", "items_pkey"]);
    edit([lines, lines.replace("items", "lines")]);
    assert.match(await applied(), /Renames the table sales\.items to sales\.lines/);
    assert.deepEqual(await indexesOf("lines"), ["by_amount", "items_pkey", "lines_item_id_quantity_idx"]);
    edit(['.index("item", "quantity")', ""], ['.unique().column("title"', '.column("title"']);
    assert.match(await applied(), /Drops the index sales\.lines_item_id_quantity_idx/);
    const uniques = "SELECT conname FROM pg_constraint WHERE contype = 'u' AND connamespace = 'stock'::regnamespace";
    assert.deepEqual(await query(uniques), []);
    const down = await migrate("down");
    assert.equal(down.code, 0, down.out);
    assert.deepEqual(await query(uniques), [["items_title_key"]]);
  });

  test("are not moved to another schema, and what somebody else changes is named with its own", async (t) => {
    const { applied, edit, migrate, change } = await takeOver(t, "postgres", several);
    await applied();
    edit([lines, lines.replace("sales", "stock").replace("items", "lines")]);
    const moved = await migrate("apply");
    assert.equal(moved.code, 1);
    assert.match(moved.out, /The table sales\.items would move to another schema as stock\.lines/);
    edit([lines.replace("sales", "stock").replace("items", "lines"), lines]);
    await change("ALTER TABLE sales.items ADD COLUMN secret text; ALTER TABLE stock.items DROP COLUMN title");
    const drift = await migrate("status");
    assert.match(drift.out, /table sales\.items: column secret/);
    assert.match(drift.out, /table stock\.items: column title/);
  });

  test("can be dropped, and what was in the file's schemas is known when the file names them no more", async (t) => {
    const { applied, edit, query } = await takeOver(t, "postgres", several);
    await applied();
    edit([/export const aBs = [\s\S]*?;\n\n/, ""], ["{ aBs, ", "{ "]);
    assert.match(await applied("--confirm", "drop aBs"), /Drops the table odd "one"\.two\.a\.b/);
    assert.deepEqual(await query(`SELECT 1 FROM pg_tables WHERE tablename = 'a.b'`), []);
  });

  test("its large tables are changed while nobody waits", async (t) => {
    const rows = "INSERT INTO stock.items SELECT n, 'item ' || n FROM generate_series(100, 12000) n; ANALYZE stock.items";
    const { query, migrate, applied, edit } = await takeOver(t, "postgres", {
      sql: `${severalSchemas}; ${rows}`,
      flags: ["--schema", "public,stock"],
    });
    await applied();
    edit(
      ['.schema("stock")', '.schema("stock")\n  .index("-title")'],
      ["  title: text()", '  owner: belongsTo(() => people).optional().column(["owner_id", "integer"]),\n  title: text()'],
      ["import { ", "import { belongsTo, "],
    );
    const plan = (await migrate("plan")).out;
    assert.match(plan, /Afterwards:[\s\S]*CREATE INDEX CONCURRENTLY "items_title_desc_idx" ON "stock"\."items"/);
    assert.match(plan, /nobody waits while 11,903 rows of stock\.items are sorted into the index/);
    assert.match(plan, /VALIDATE CONSTRAINT/);
    await applied();
    const valid = await query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'stock.items_title_desc_idx'::regclass");
    assert.deepEqual(valid, [[true]]);
  });

  test("are made in an empty database, with their schemas and enumerations", async (t) => {
    const { text, query } = await takeOver(t, "postgres", several);
    const empty = await makeTheirs("postgres", "SELECT 1");
    t.after(() => empty.remove());
    empty.place.write("fresh.ts", text);
    const migrate = async (...argv: readonly string[]) =>
      empty.place.run("migrate", ...argv, "--backend", "fresh.ts", "--database", empty.url);
    const plan = await migrate("plan");
    assert.match(
      plan.out,
      /CREATE SCHEMA "sales"[\s\S]*CREATE TYPE sales\.state AS ENUM \('open', 'paid'\)[\s\S]*CREATE TABLE "sales"\."orders"/,
    );
    const applied = await migrate("apply");
    assert.equal(applied.code, 0, applied.out + applied.err);
    const types =
      "SELECT t.oid::regtype::text, string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1";
    assert.deepEqual(await empty.query(types), await query(types));
    assert.equal((await migrate("status")).code, 0);
    const served = await empty.place.serve({ file: "fresh.ts", database: empty.url });
    t.after(() => served.app.stop());
    const send = async (path: string, body: object) =>
      (await served.ask(path, { method: "POST", body: JSON.stringify(body) })).status;
    assert.equal(await send("people", { id: 1, name: "Ada" }), 201);
    assert.equal(await send("orders", { buyer: 1, state: "paid" }), 201);
    assert.equal(await send("orders", { buyer: 1, state: "lost" }), 422);
    assert.deepEqual(await empty.query("SELECT state FROM sales.orders"), [["paid"]]);
    assert.equal((await migrate("down", "--confirm", "drop orders")).code, 2);
  });

  test("keep their enumerations, which take in what the file adds", async (t) => {
    const { query, applied, edit, migrate, place, file, url } = await takeOver(t, "postgres", several);
    await applied();
    const values = "SELECT enum_range(NULL::sales.state)::text";
    edit(['choice("open", "paid")', 'choice("new", "open", "held", "void", "paid", "lost")']);
    const plan = (await migrate("plan")).out;
    assert.match(plan, /Changes orders\.state to take new, held, void, lost too/);
    assert.match(await applied(), /: 1 step\.$/m);
    assert.deepEqual(await query(values), [["{new,open,held,void,paid,lost}"]]);
    const served = await place.serve({ file: file(), database: url });
    t.after(() => served.app.stop());
    const made = await served.ask("orders", { method: "POST", body: JSON.stringify({ buyer: 1, state: "void" }) });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    edit(['"new", "open", "held", "void", ', '"open", ']);
    await migrate("apply");
    assert.deepEqual(await query(values), [["{new,open,held,void,paid,lost}"]]);
    edit([/  state: choice/, '  mood: choice("fine", "bad").optional().column("mood", "stock.mood"),\n  state: choice']);
    await applied();
    assert.deepEqual(await query("SELECT enum_range(NULL::stock.mood)::text"), [["{fine,bad}"]]);
  });
});
