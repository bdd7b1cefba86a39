/** Chinook adopted from each database: thirty questions get the answers that SQL by hand gets, and the database stays as it is. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { testAnswers } from "./answers.ts";
import { folder, models, needsChinook } from "./chinook.ts";
import { type Adopted, adopt, chinookFiles, nameBeside, type Product, spell } from "./databases.ts";
import { answerOf, queryFile, type Row } from "./place.ts";

interface Way {
  readonly product: Product;
  readonly needed: { readonly skip: string | false };
  /** A question's SQL as the product has it, out of SQLite's. */
  readonly ask: (sql: string) => string;
}

// Parts of texts are looked for to the letter, whatever the column's collation is.
const toTheLetter = (sql: string) => sql.replace(" like '", " like binary '");

const ways: readonly Way[] = [
  { product: "sqlite", needed: { skip: false }, ask: (sql) => sql },
  {
    product: "postgres",
    needed: needsService("postgres"),
    ask: (sql) => sql.replace(/"(\w+)"/g, (_, name: string) => spell("postgres", name)),
  },
  { product: "mariadb", needed: needsService("mariadb"), ask: toTheLetter },
  { product: "mysql", needed: needsService("mysql"), ask: toTheLetter },
];

for (const { product, needed, ask } of ways) {
  const needsFile = needsChinook(chinookFiles[product]);
  const lacks = needed.skip === false ? needsFile : needed;
  describe(`Chinook on ${product}`, lacks, () => {
    const state: { adopted: Adopted | null } = { adopted: null };
    const adopted = () => state.adopted as Adopted;
    const served = () => adopted().served;

    before(async () => {
      if (lacks.skip === false) state.adopted = await adopt(product, { chinook: true });
    });
    after(() => state.adopted?.stop());

    test("every table is a model, and the file type-checks", async () => {
      assert.deepEqual([...served().app.engine.schema.models.keys()].toSorted(), models);
      assert.equal(await adopted().place.typeErrors(), "");
    });

    test("the file stands for the database", async () => {
      const { code, out } = await adopted().place.run("adopt", adopted().url, "--check");
      assert.equal(code, 0, out);
    });

    testAnswers({ served, query: (sql) => adopted().query(ask(sql)) });

    test("a list is paged through to its end", async () => {
      const seen: number[] = [];
      const first = "tracks?sort=unitPrice,-milliseconds&limit=100";
      for (let path: string | null = first; path !== null; ) {
        const { data, page }: Row = await answerOf(served(), path);
        seen.push(...data.map(({ trackId }: Row) => trackId));
        path = page.next === null ? null : `${first}&after=${page.next}`;
      }
      const sql = `select "TrackId" from "Track" order by "UnitPrice", "Milliseconds" desc, "TrackId" desc`;
      assert.deepEqual(seen, (await adopted().query(ask(sql))).flat());
    });

    test("nobody but staff reads it", async () => {
      assert.equal((await served().app.fetch(new Request("http://localhost/api/albums"))).status, 401);
    });

    test("nothing in the database has changed, and the product's own tables are beside it", async () => {
      const { url, query } = adopted();
      await stays[product]({ url, query });
      const made = await served().ask("artists", {
        method: "POST",
        // SQLite counts it itself.
        body: JSON.stringify({ ...(product === "sqlite" ? {} : { artistId: 276 }), name: "New" }),
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const sql = "SELECT model, kind, row_id, version FROM";
      const records =
        product === "sqlite"
          ? queryFile(besideOf(url), `${sql} _changes`)
          : await query(`${sql} ${homes[product](url)}._changes`);
      assert.deepEqual(records.map(String), ["artists,insert,276,0"]);
    });
  });
}

const besideOf = (url: string) => `${url.slice("sqlite:".length)}.holdfast.db`;
const homes: Readonly<Record<Exclude<Product, "sqlite">, (url: string) => string>> = {
  postgres: () => "holdfast",
  mariadb: nameBeside,
  mysql: nameBeside,
};

const stays: Readonly<Record<Product, (theirs: Pick<Adopted, "url" | "query">) => Promise<void>>> = {
  async sqlite({ url }) {
    const digest = (path: string) => hash("sha256", readFileSync(path), "hex");
    assert.equal(digest(url.slice("sqlite:".length)), digest(folder + chinookFiles.sqlite));
    assert.ok(existsSync(besideOf(url)));
  },
  async postgres({ query }) {
    assert.equal((await query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")).length, 11);
  },
  mariadb: staysOnMysql,
  mysql: staysOnMysql,
};

async function staysOnMysql({ url, query }: Pick<Adopted, "url" | "query">): Promise<void> {
  const tablesOf = (schema: string) =>
    query(`select table_name from information_schema.tables where table_schema = '${schema}' order by binary table_name`);
  const own = new URL(url).pathname.slice(1);
  assert.equal((await tablesOf(own)).length, 11);
  const routines = await query(`select count(*) from information_schema.routines where routine_schema = '${own}'`);
  assert.deepEqual(routines.map(String), ["0"]);
  assert.deepEqual((await tablesOf(nameBeside(url))).flat(), ["_changes", "_commits", "_idempotency", "_journal"]);
}
