/** `holdfast adopt` as a command line: what it refuses and in which words, what it keeps to itself, and what the first start says. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { isAgreed } from "../../src/cli/start/told.ts";
import { createTerminal } from "../../src/cli/terminal.ts";
import { needsService } from "../needs.ts";
import { queryOnce } from "../servers/postgres.ts";
import { makeTheirs, nameBeside, type Product } from "./databases.ts";
import { createPlace, makeDatabase } from "./place.ts";

const shop = "CREATE TABLE artist (id integer PRIMARY KEY, name varchar(40) NOT NULL)";

function openPlace(t: TestContext, sql: string) {
  const place = createPlace();
  t.after(() => place.remove());
  makeDatabase(join(place.path, "shop.db"), sql);
  return place;
}

describe("holdfast adopt refuses", () => {
  const wrong: readonly (readonly [what: string, flags: readonly string[], says: RegExp])[] = [
    ["a file that is not there", ["./shops.db"], /^There is no database .*shops\.db: say which one, as in holdfast adopt/],
    ["to guess which database is meant", [], /^There is no database .*data\.db: say which one/],
    [
      "a table that is not there",
      ["./shop.db", "--without", "artists"],
      /a table "artists", and there is none\. Did you mean "artist"\?/,
    ],
    ["a role without a name", ["./shop.db", "--read-only-for", " "], /--read-only-for takes the name of a role/],
    [
      "a folder that is not there",
      ["./shop.db", "--out", "src/backend.ts"],
      /There is no folder src to write src\/backend\.ts into/,
    ],
  ];
  for (const [what, flags, says] of wrong)
    test(what, async (t) => {
      const { run, path } = openPlace(t, shop);
      const { code, err } = await run("adopt", ...flags);
      assert.equal(code, 2, err);
      assert.match(err, says);
      assert.ok(!existsSync(join(path, "backend.ts")));
    });

  test("a database without tables, and says that it has none", async (t) => {
    const { run, path } = openPlace(t, "PRAGMA user_version = 1");
    const { code, err } = await run("adopt", "./shop.db");
    assert.equal(code, 1);
    assert.match(err, /^sqlite:.*shop\.db has no tables that this user can see\.\n {2}→ .* the right database/);
    assert.ok(!existsSync(join(path, "backend.ts")));
  });

  test("no database of Holdfast's own, but says whose it is", async (t) => {
    const { run } = openPlace(t, `${shop}; CREATE TABLE _journal (number integer)`);
    const { code, out } = await run("adopt", "./shop.db");
    assert.equal(code, 0, out);
    assert.match(out, /^Wrote backend\.ts: 1 model\. [^]*_journal: Holdfast has been at work here/);
  });
});

const products: readonly { readonly product: Product; readonly needed: object; readonly where: (url: string) => string }[] = [
  { product: "sqlite", needed: {}, where: (url) => `the file ${url.replace("sqlite:", "")}.holdfast.db` },
  { product: "postgres", needed: needsService("postgres"), where: () => "the schema holdfast" },
  { product: "mariadb", needed: needsService("mariadb"), where: (url) => `the database ${nameBeside(url)}` },
  { product: "mysql", needed: needsService("mysql"), where: (url) => `the database ${nameBeside(url)}` },
];

for (const { product, needed, where } of products)
  describe(`the first start on an adopted database of ${product}`, needed, () => {
    for (const inside of [false, true])
      test(inside ? "with --tables-inside says so" : "says where Holdfast's own tables are", async (t) => {
        const made = await makeTheirs(product, shop);
        t.after(() => made.remove());
        assert.equal((await made.place.run("adopt", made.url)).code, 0);
        const { app } = await made.place.serve({ database: made.url, tablesInside: inside });
        const said: string[] = [];
        const write = (text: string) => void said.push(text);
        const surroundings = { cwd: ".", env: {}, clock: Date.now, writeOut: write, writeErr: write, isInteractive: false };
        assert.ok(isAgreed(app, createTerminal(surroundings, {})));
        await app.stop();
        const place = inside ? "the database itself" : where(made.url);
        assert.equal(said[0], `Made beside the adopted tables, Holdfast's own in ${place}:\n`);
      });
  });

describe("a password in the URL", needsService("postgres"), () => {
  test("is neither in the file nor in what is said, wherever and however it is written", async (t) => {
    const made = await makeTheirs("postgres", shop);
    t.after(() => made.remove());
    const word = "se@cr:et";
    const role = `hf_odd_${process.pid}`;
    await queryOnce(made.url, `create role ${role} superuser login password '${word}'`);
    try {
      const asQuery = new URL(made.url);
      Object.assign(asQuery, { username: role, password: "" });
      asQuery.searchParams.set("password", word);
      const { host, pathname } = asQuery;
      for (const url of [asQuery.href, `postgres://${role}:${word}@${host}${pathname}`]) {
        const { code, out, err } = await made.place.run("adopt", url, "--force", "--json");
        assert.equal(code, 0, err);
        const told = out + err + made.place.read("backend.ts");
        for (const part of ["se@cr", "se%40cr", "cr:et", "cr%3Aet", "et@"]) assert.ok(!told.includes(part), told);
      }
    } finally {
      await queryOnce(made.url, `drop role ${role}`);
    }
  });
});
