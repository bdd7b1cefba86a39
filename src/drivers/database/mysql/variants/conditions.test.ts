/** Conditions that call our functions hold beside others, for a row that is found by its key too, where 8.0 left them out: an access rule may be one. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../../../../../test/needs.ts";
import { type FreshDatabase, freshDatabase } from "../../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../../test/servers/names.ts";
import type { Database } from "../../../database.ts";
import { openMysql } from "../mysql.ts";
import { createDialect } from "../dialect.ts";
import { mysql } from "./mysql.ts";

const { texts, documents, not } = createDialect(mysql, null);

/** True of the row, and the same that is not. */
const conditions: Readonly<Record<string, readonly [yes: string, no: string]>> = {
  search: [texts.matches("search", "t.words", `'["cafe"]'`), texts.matches("search", "t.words", `'["tea"]'`)],
  lower: [`${texts.lower("t.words")} = 'ein café '`, `${texts.lower("t.words")} = 'ein café'`],
  upper: [`${texts.upper("t.words")} = 'EIN CAFé '`, `${texts.upper("t.words")} = 'EIN'`],
  "an element with parts": [documents.holds("t.list", `'[1]'`), documents.holds("t.list", `'1'`)],
  "spaces at the end": ["t.words = 'Ein Café '", "t.words = 'Ein Café'"],
};

void describe("conditions on MySQL", needsService("mysql"), () => {
  let fresh: FreshDatabase;
  let database: Database;

  before(async () => {
    fresh = await freshDatabase(serviceUrl("mysql"));
    database = await openMysql({ url: fresh.url });
    await database.migrate([
      {
        text: `create table t (id bigint primary key, n bigint, words longtext, list longtext) character set utf8mb4 collate ${mysql.collation}`,
        params: [],
      },
      { text: "insert into t values (1, 1, 'Ein Café ', '[[1],2]'), (2, 1, 'other', '[]')", params: [] },
    ]);
  });

  after(async () => {
    await database.close();
    await fresh.drop();
  });

  async function count(where: string, from = "t"): Promise<number> {
    const rows = await database.read({ text: `select 1 from ${from} where ${where}`, params: [] });
    return rows.length;
  }

  for (const [name, both] of Object.entries(conditions)) {
    test(name, async () => {
      for (const [index, condition] of both.entries()) {
        const found = index === 0 ? 1 : 0;
        assert.equal(await count(`${condition} and t.id = 1`), found);
        assert.equal(await count(`t.n > 0 and ${condition} and t.id = 1`), found);
        assert.equal(await count(`(t.n = 1 or t.id = 2) and (${condition} and t.id = 1)`), found);
        assert.equal(await count(`t.n > 0 and (${not(condition)}) and t.id = 1`), 1 - found);
        const inner = `exists (select 1 from t where t.n > 0 and ${condition} and t.id = o.id)`;
        assert.equal(await count(`${inner} and o.n > 0 and o.id = 1`, "t o"), found);
      }
    });
  }

  // Of such a subquery the server leaves out what it says beside the equality, where it makes a table of it on the way.
  test("a condition of an outer join that looks at other rows", async () => {
    await database.migrate([
      { text: "create table links (id bigint primary key, bee bigint)", params: [] },
      { text: "create table bees (id bigint primary key)", params: [] },
      { text: "create table cats (id bigint primary key, bee bigint, gone bigint, key (bee))", params: [] },
      { text: "insert into bees values (1), (2)", params: [] },
      { text: "insert into links values (1, 1), (2, 2)", params: [] },
      { text: "insert into cats values (1, 1, null), (2, 2, 1)", params: [] },
    ]);
    const ask = (hint: string, name: string) =>
      database.read({
        text: `select ${hint} l.id, b.id from links l left join bees b on b.id = l.bee
          and exists (select ${name} 1 from cats c where c.bee = b.id and c.gone is null) order by l.id`,
        params: [],
      });
    assert.deepEqual(await ask("", ""), [
      [1, 1],
      [2, null],
    ]);
    // Where this fails the server has been mended, from that version on.
    assert.deepEqual(await ask("/*+ semijoin(@inner materialization) */", "/*+ qb_name(inner) */"), [
      [1, 1],
      [2, 2],
    ]);
  });
});
