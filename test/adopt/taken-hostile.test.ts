/** Tables that are hard to take over: what cannot be is refused with its reasons, and what a copy would lose is not copied. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { makeTheirs, type Product, type Worded, wordsOf } from "./databases.ts";
import { answerOf } from "./place.ts";
import { takeOver } from "./taken.ts";

const products: readonly { readonly product: Product; readonly needed: { readonly skip: string | false } }[] = [
  { product: "sqlite", needed: { skip: false } },
  { product: "postgres", needed: needsService("postgres") },
  { product: "mariadb", needed: needsService("mariadb") },
  { product: "mysql", needed: needsService("mysql") },
];

/** Defaults of every kind, unique constraints, reserved words, composite keys and references, cascades, names in quotes. */
const rich: Worded<string> = {
  sqlite: `CREATE TABLE "order" (tenant INTEGER NOT NULL, "no ""1""" INTEGER NOT NULL, note TEXT DEFAULT 'it''s', made DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, token TEXT DEFAULT (lower(hex(randomblob(4)))),
      code TEXT UNIQUE, price DECIMAL(8,2) NOT NULL DEFAULT 0, PRIMARY KEY (tenant, "no ""1"""), UNIQUE (tenant, code)) WITHOUT ROWID;
    CREATE TABLE line (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER, "no" INTEGER, size TEXT, FOREIGN KEY (tenant, "no") REFERENCES "order" ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE INDEX by_size ON line (size); CREATE INDEX odd ON line (lower(size)) WHERE size > 'a';
    INSERT INTO "order" (tenant, "no ""1""") VALUES (1, 1); INSERT INTO line (tenant, "no", size) VALUES (1, 1, 'XL')`,
  postgres: `CREATE TABLE "order" (tenant integer NOT NULL, "no ""1""" integer NOT NULL, note text COLLATE "C" DEFAULT 'it''s', made timestamp NOT NULL DEFAULT now(), token text DEFAULT md5('x'),
      code varchar(20) UNIQUE, price numeric(8,2) NOT NULL DEFAULT 0, PRIMARY KEY (tenant, "no ""1"""), UNIQUE (tenant, code));
    CREATE TABLE line (id bigserial PRIMARY KEY, tenant integer, "no" integer, size text, FOREIGN KEY (tenant, "no") REFERENCES "order" ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE INDEX by_size ON line (size); CREATE INDEX odd ON line (lower(size)) WHERE size > 'a';
    INSERT INTO "order" (tenant, "no ""1""") VALUES (1, 1); INSERT INTO line (tenant, "no", size) VALUES (1, 1, 'XL')`,
  mariadb: `CREATE TABLE \`order\` (tenant int NOT NULL, \`no "1"\` int NOT NULL, note varchar(30) DEFAULT 'it''s' COMMENT 'a note', made datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, token char(36) DEFAULT (uuid()),
      code varchar(20) UNIQUE CHECK (code <> 'x'), price decimal(8,2) unsigned NOT NULL DEFAULT 0, changed timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (tenant, \`no "1"\`), UNIQUE (tenant, code)) DEFAULT CHARACTER SET latin1;
    CREATE TABLE line (id bigint AUTO_INCREMENT PRIMARY KEY, tenant int, no int, size varchar(10), FOREIGN KEY (tenant, no) REFERENCES \`order\` (tenant, \`no "1"\`) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE INDEX by_size ON line (size); CREATE INDEX odd ON line (size(3));
    INSERT INTO \`order\` (tenant, \`no "1"\`) VALUES (1, 1); INSERT INTO line (tenant, no, size) VALUES (1, 1, 'XL')`,
};

/** What the database says of defaults, rules and indexes. */
const kept: Worded<string> = {
  sqlite: `SELECT group_concat(dflt_value) FROM pragma_table_xinfo('order') UNION ALL SELECT on_delete || on_update FROM pragma_foreign_key_list('line')
    UNION ALL SELECT count(*) FROM pragma_index_list('order') WHERE "unique" UNION ALL SELECT group_concat(name) FROM (SELECT name FROM pragma_index_list('line') ORDER BY name)`,
  postgres: `SELECT string_agg(pg_get_expr(adbin, adrelid), ',' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = '"order"'::regclass
    UNION ALL SELECT confdeltype::text || confupdtype::text FROM pg_constraint WHERE contype = 'f' UNION ALL SELECT indexname FROM pg_indexes WHERE schemaname = 'public'`,
  mariadb: `SELECT column_name, column_default, extra, column_comment, collation_name FROM information_schema.columns WHERE table_schema = database() AND column_name <> 'size'
    UNION ALL SELECT constraint_name, delete_rule, update_rule, '', '' FROM information_schema.referential_constraints WHERE constraint_schema = database()
    UNION ALL SELECT index_name, '', '', '', '' FROM information_schema.statistics WHERE table_schema = database()
    UNION ALL SELECT constraint_name, replace(check_clause, '_latin1', '_utf8mb4'), '', '', '' FROM information_schema.check_constraints WHERE constraint_schema = database() ORDER BY 1, 2, 3`,
};

for (const { product, needed } of products)
  describe(`hostile tables of ${product} taken over`, needed, () => {
    test("what the database says of a table stays so through changes of it", async (t) => {
      const { query, applied, edit, place, file, url, migrate } = await takeOver(t, product, wordsOf(rich, product));
      await applied();
      edit([/size: text\(\)(\.max\(10\))?\.optional\(\)/, 'size: text()$1.default("M")']);
      if (product === "sqlite") {
        const refused = await migrate("apply");
        assert.equal(refused.code, 1);
        assert.match(refused.out, /table line would have to be copied for that, and the index odd would be lost/);
        place.write(file(), place.read("v0.ts"));
      } else assert.match(await applied(), /to required\. Rows that hold null get 'M'/);
      const before = await query(wordsOf(kept, product));
      edit([/(export const orders[\s\S]*?note: text\(\)(?:\.max\(30\))?)\.optional\(\)/, "$1"]);
      const told = await applied();
      assert.match(told, /to required\. Rows that hold null get 'it''s'/);
      assert.deepEqual(await query(wordsOf(kept, product)), before);
      const down = await migrate("down");
      assert.equal(down.code, 0, down.out);
      assert.deepEqual(await query(wordsOf(kept, product)), before);
      await applied();
      const served = await place.serve({ file: file(), database: url });
      t.after(() => served.app.stop());
      const made = await served.ask("orders", { method: "POST", body: JSON.stringify({ tenant: 2, no1: 3, code: "c" }) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.match(made.body.token, /./);
      assert.equal(
        (await served.ask("orders", { method: "POST", body: JSON.stringify({ tenant: 2, no1: 4, code: "c" }) })).status,
        409,
      );
      assert.equal((await answerOf(served, "lines?fields=order.no1")).data[0].order.no1, 1);
    });

    test("what the file says otherwise is refused with each reason, and nothing is done", async (t) => {
      const { migrate, edit, query } = await takeOver(
        t,
        product,
        "CREATE TABLE shop (id integer NOT NULL, part integer NOT NULL, name varchar(20), size integer, extra integer, PRIMARY KEY (id, part)); CREATE TABLE other (id integer PRIMARY KEY)",
      );
      edit([/^  extra: .*\n/m, ""]);
      edit([/^(  name: text\(\)\.max\()20\)(.*)20\)/m, "$130)$230)"]);
      edit(['.key("id", "part")', '.key("id")']);
      edit([/size: integer\(\)\.optional\(\)/, "size: integer()"]);
      const plan = await migrate("plan");
      assert.equal(plan.code, 2);
      for (const part of [
        /REFUSED: The table shop cannot be taken over: its key is id, part, and id in the file/,
        /the file does not know of its column extra: add it, or name it in \.without\(\)/,
        /its column name is \S.*20\), and .*30\) in the file/i,
      ])
        assert.match(plan.out, part);
      const applied = await migrate("apply");
      assert.equal(applied.code, 1);
      assert.match(applied.out, /Nothing was changed|cannot be taken over/);
      assert.deepEqual((await query("SELECT count(*) FROM shop")).map(String), ["0"]);
    });

    test("a table is given back, and its rows stay", async (t) => {
      const { applied, edit, query } = await takeOver(
        t,
        product,
        "CREATE TABLE shop (id integer PRIMARY KEY, name varchar(20)); INSERT INTO shop VALUES (1, 'a')",
      );
      await applied();
      edit([".takenOver()", ".adopted()"]);
      assert.match(await applied(), /Leaves the table shop to others from now on, as it is\./);
      edit([".adopted()", ".takenOver()"]);
      assert.match(await applied(), /Takes the table shop over as it is/);
      assert.deepEqual((await query("SELECT name FROM shop")).flat(), ["a"]);
    });

    test("tables are taken over one after the other, and references between them stay what they are", async (t) => {
      const { applied, edit, migrate, query } = await takeOver(
        t,
        product,
        `CREATE TABLE shop (id integer PRIMARY KEY); CREATE TABLE sale (id integer PRIMARY KEY, shop_id integer NOT NULL, part integer, FOREIGN KEY (shop_id) REFERENCES shop (id) ON DELETE CASCADE);
         CREATE TABLE pair (a integer NOT NULL, b integer NOT NULL, PRIMARY KEY (a, b)); CREATE TABLE held (id integer PRIMARY KEY, a integer, b integer, FOREIGN KEY (a, b) REFERENCES pair (a, b))`,
      );
      const take = (table: string) => edit([`.table("${table}")\n  .adopted()`, `.table("${table}")\n  .takenOver()`]);
      edit([/\.takenOver\(\)/g, ".adopted()"]);
      await applied();
      for (const table of ["sale", "held", "shop", "pair"]) {
        take(table);
        const told = await applied();
        assert.match(told, new RegExp(`Takes the table ${table} over as it is`));
        assert.match(told, /: 1 step\.$/m);
      }
      edit(['.table("shop")\n  .takenOver()', '.table("shop")\n  .adopted()']);
      assert.match(await applied(), /: 1 step\.$/m);
      const down = await migrate("down");
      assert.equal(down.code, 0, down.out);
      take("shop");
      assert.equal((await migrate("status")).code, 0);
      edit([/(export const sales = [\s\S]*?)  part: .*\n/, "$1"]);
      await applied("--confirm", "drop sales.part");
      await query("SELECT shop_id FROM sale");
    });

    test("an empty database gets the tables as the file says", async (t) => {
      const from = await takeOver(
        t,
        product,
        `CREATE TABLE shop (id integer PRIMARY KEY, name varchar(20) NOT NULL UNIQUE);
        CREATE TABLE sale (id integer PRIMARY KEY, shop_id integer NOT NULL, price decimal(8,2), FOREIGN KEY (shop_id) REFERENCES shop (id))`,
      );
      const empty = await makeTheirs(product, product === "sqlite" ? "" : "SELECT 1");
      t.after(() => empty.remove());
      empty.place.write("fresh.ts", from.text);
      const served = await empty.place.serve({ file: "fresh.ts", database: empty.url });
      t.after(() => served.app.stop());
      const shop = await served.ask("shops", {
        method: "POST",
        body: JSON.stringify({ ...(product === "sqlite" ? {} : { id: 1 }), name: "a" }),
      });
      assert.equal(shop.status, 201, JSON.stringify(shop.body));
      const sale = { ...(product === "sqlite" ? {} : { id: 1 }), shop: shop.body.id, price: "1.50" };
      const made = await served.ask("sales", { method: "POST", body: JSON.stringify(sale) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal(
        (await served.ask("shops", { method: "POST", body: JSON.stringify({ id: 2, name: "a" }) })).status >= 409,
        true,
      );
      assert.equal((await served.ask(`shops/${shop.body.id}`, { method: "DELETE" })).status, 409);
      const status = await empty.place.run("migrate", "status", "--backend", "fresh.ts", "--database", empty.url);
      assert.equal(status.code, 0, status.out);
    });
  });

describe("tables of SQLite that a copy would not be", () => {
  test("are changed by ALTER TABLE, and not copied", async (t) => {
    const { applied, edit, migrate, place, file } = await takeOver(
      t,
      "sqlite",
      `CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, size INTEGER CHECK (size > 0), both TEXT AS (name || size)); CREATE VIEW v AS SELECT name FROM shop;
       CREATE TRIGGER tr AFTER INSERT ON shop BEGIN SELECT 1; END; INSERT INTO shop (name, size) VALUES ('a', 1)`,
    );
    edit([".view()", ".view()\n  .pages({ max: 50 })"]);
    await applied();
    edit([/  size: /, "  colour: text().optional(),\n  size: "]);
    edit([/size: integer\(\)/, 'width: integer().was("size")']);
    edit([/\.column\("size"/, '.column("width"']);
    await applied();
    edit([/name: text\(\)\.optional\(\)/, 'name: text().default("x")']);
    const refused = await migrate("apply");
    assert.equal(refused.code, 1);
    assert.match(
      refused.out,
      /what its definition says with CHECK, what its definition says with COLLATE, what its definition says with AS would be lost/,
    );
    place.write(file(), place.read(file()).replace('name: text().default("x")', "name: text().optional()"));
    edit([/  colour: .*\n/, ""]);
    await applied("--confirm", "drop shops.colour");
  });
});

describe("names in PostgreSQL that would end the text they stand in", needsService("postgres"), () => {
  test("are names, and nothing more", async (t) => {
    const table = `"x$do$; DROP TABLE victim; DO $do$ BEGIN NULL; END"`;
    const { applied, edit, query } = await takeOver(
      t,
      "postgres",
      `CREATE TABLE victim (id integer PRIMARY KEY); CREATE TABLE ${table} (id integer PRIMARY KEY, victim_id integer REFERENCES victim (id))`,
    );
    await applied();
    edit([
      /victim: belongsTo\(.*\)\.optional\(\)\.column\("victim_id"\)/,
      'victimId: integer().optional().column("victim_id", "integer")',
    ]);
    assert.match(await applied("--confirm", "drop xDoDropTableVictimDoDoBeginNullEnds.victim"), /Drops the reference/);
    assert.deepEqual(await query("SELECT count(*)::integer FROM victim"), [[0]]);
    assert.deepEqual(await query("SELECT 1 FROM pg_constraint WHERE contype = 'f'"), []);
  });
});
