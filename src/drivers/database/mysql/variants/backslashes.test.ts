/** Texts and names in statements are what they are, whatever quotes and backslashes are in them: each server takes backslashes in its own way. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { needsService } from "../../../../../test/needs.ts";
import { type FreshDatabase, freshDatabase } from "../../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../../test/servers/names.ts";
import type { Database } from "../../../database.ts";
import { openMysql } from "../mysql.ts";
import { literal, quote } from "../text.ts";
import { mysql } from "./mysql.ts";

const seed = 20261126;
const hard = fc.string({ unit: fc.constantFrom("'", '"', "\\", "`", "a", "%", "_", "\n", "ž"), maxLength: 12 });
const names = hard.filter((name) => /^[^ ]/.test(name) && /[^ ]$/.test(name));

const products = [
  { product: "mariadb", need: needsService("mariadb") },
  { product: "mysql", need: needsService("mysql") },
] as const;

for (const { product, need } of products)
  describe(`quotes and backslashes on ${product}`, need, () => {
    const open: { fresh?: FreshDatabase; database?: Database } = {};
    before(async () => {
      open.fresh = await freshDatabase(serviceUrl(product));
      open.database = await openMysql({ url: open.fresh.url });
    });
    after(async () => {
      await open.database?.close();
      await open.fresh?.drop();
    });
    const database = () => open.database as Database;
    const read = (text: string) => database().read({ text, params: [] });

    test("come back from a statement as they were", () =>
      fc.assert(
        fc.asyncProperty(hard, names, hard, async (one, name, other) => {
          const text = `select ${literal(one)}, ${quote(name)}.v, ${literal(other)} from (select ${literal(other)} v) as ${quote(name)}`;
          assert.deepEqual(await read(text), [[one, other, other]]);
        }),
        { seed, numRuns: 60 },
      ));

    test("stand in the conditions and defaults of a table, which every session opens", async () => {
      const said = `it's "\\`;
      const text = `create table t (id int primary key, v varchar(40) default (concat(${literal(said)}, '')), check (v <> ${literal(`${said}'`)}))`;
      await database().migrate([
        { text, params: [] },
        { text: "insert into t (id) values (1)", params: [] },
      ]);
      // What the server has kept of the table it forgets: from here on it reads the definition.
      await database().migrate([{ text: "flush tables", params: [] }]);
      assert.deepEqual(await read("select v from t"), [[said]]);
    });
  });

test("on MySQL a backslash is written twice in a text, or it would swallow the quote behind it, and once in a name", () => {
  const text = `select ${literal("\\")}, "\\", ${literal("' or 1")}`;
  assert.equal(mysql.sessions.escaped?.(text), String.raw`select '\\', "\", ''' or 1'`);
});
