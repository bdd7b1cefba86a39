/** Models of one's own that belong to adopted tables: the database holds the reference, in columns of the types that are there. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../needs.ts";
import { isMysql, makeTheirs, type Product, type Theirs, type Worded, wordsOf } from "./databases.ts";
import { answerOf, opened } from "./place.ts";

const tables: Worded<string> = {
  sqlite: `CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name VARCHAR(40)); CREATE TABLE Price (Amount NUMERIC(8,2) PRIMARY KEY NOT NULL);
    CREATE TABLE Country (code CHAR(2) PRIMARY KEY NOT NULL); CREATE TABLE Seat (hall SMALLINT, at DATETIME, PRIMARY KEY (hall, at)); CREATE VIEW Names AS SELECT Name FROM Artist;
    INSERT INTO Artist VALUES (1, 'Ann'); INSERT INTO Price VALUES (1.5); INSERT INTO Country VALUES ('de'); INSERT INTO Seat VALUES (1, '2026-01-02 03:04:05')`,
  postgres: `CREATE TABLE "Artist" ("ArtistId" integer PRIMARY KEY, "Name" varchar(40)); CREATE TABLE "Price" ("Amount" numeric(8,2) PRIMARY KEY);
    CREATE TABLE "Country" (code char(2) PRIMARY KEY); CREATE TABLE "Seat" (hall smallint, at timestamp, PRIMARY KEY (hall, at));
    INSERT INTO "Artist" VALUES (1, 'Ann'); INSERT INTO "Price" VALUES (1.5); INSERT INTO "Country" VALUES ('de'); INSERT INTO "Seat" VALUES (1, '2026-01-02 03:04:05')`,
  mariadb: `CREATE TABLE Artist (ArtistId int unsigned PRIMARY KEY, Name varchar(40)); CREATE TABLE Price (Amount decimal(8,2) PRIMARY KEY);
    CREATE TABLE Country (code char(2) PRIMARY KEY); CREATE TABLE Seat (hall smallint, at datetime, PRIMARY KEY (hall, at));
    INSERT INTO Artist VALUES (1, 'Ann'); INSERT INTO Price VALUES (1.5); INSERT INTO Country VALUES ('de'); INSERT INTO Seat VALUES (1, '2026-01-02 03:04:05')`,
};

const references: Worded<string> = {
  sqlite: `SELECT "from", "table" FROM pragma_foreign_key_list('visits') ORDER BY 1`,
  postgres: `SELECT a.attname, k.confrelid::regclass::text FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.conrelid = 'visits'::regclass AND k.contype = 'f' ORDER BY 1`,
  mariadb: `SELECT column_name, referenced_table_name FROM information_schema.key_column_usage
    WHERE table_schema = database() AND table_name = 'visits' AND referenced_table_name IS NOT NULL ORDER BY 1`,
};

const types: Worded<string> = {
  sqlite: `SELECT name, type FROM pragma_table_info('visits') WHERE name LIKE '%\\_id%' ESCAPE '\\' OR name LIKE 'seat%' ORDER BY name`,
  postgres: `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'visits'::regclass AND (attname LIKE '%\\_id' OR attname LIKE 'seat%') ORDER BY 1`,
  mariadb: `SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = database() AND table_name = 'visits' AND (column_name LIKE '%\\_id' OR column_name LIKE 'seat%') ORDER BY 1`,
};
const expected: Worded<readonly (readonly [string, string])[]> = {
  sqlite: [
    ["artist_id", "INTEGER"],
    ["country_id", "TEXT"],
    ["price_id", "ANY"],
    ["seat_at", "ANY"],
    ["seat_hall", "INTEGER"],
  ],
  postgres: [
    ["artist_id", "integer"],
    ["country_id", "character(2)"],
    ["price_id", "numeric(8,2)"],
    ["seat_at", "timestamp without time zone"],
    ["seat_hall", "smallint"],
  ],
  mariadb: [
    ["artist_id", "int(10) unsigned"],
    ["country_id", "char(2)"],
    ["price_id", "decimal(8,2)"],
    ["seat_at", "datetime"],
    ["seat_hall", "smallint(6)"],
  ],
  mysql: [
    ["artist_id", "int unsigned"],
    ["country_id", "char(2)"],
    ["price_id", "decimal(8,2)"],
    ["seat_at", "datetime"],
    ["seat_hall", "smallint"],
  ],
};

const visits = `
export const visits = model("visits", {
  artist: belongsTo(() => artists),
  price: belongsTo(() => prices),
  country: belongsTo(() => countries).optional(),
  seat: belongsTo(() => seats).optional(),
}).access(({ me }) => ({ read: me.has("staff"), write: me.has("staff") }));
`;

async function open(t: TestContext, product: Product): Promise<Theirs> {
  const theirs = await makeTheirs(product, wordsOf(tables, product));
  t.after(() => theirs.remove());
  const { place, url } = theirs;
  const { code, err, out } = await place.run("adopt", url, "--read-only-for", "staff");
  assert.equal(code, 0, out + err);
  const text = opened(place.read("backend.ts"))
    .replace("import {", "import { belongsTo,")
    .replace(/belongsTo,( [^}]*)belongsTo,/, "belongsTo,$1");
  place.write(
    "open.ts",
    text.replace(/export default backend\(\{/, `${visits.replaceAll("$", "$$$$")}\nexport default backend({ visits,`),
  );
  return theirs;
}

const products: readonly { readonly product: Product; readonly needed: { readonly skip: string | false } }[] = [
  { product: "sqlite", needed: { skip: false } },
  { product: "postgres", needed: needsService("postgres") },
  { product: "mariadb", needed: needsService("mariadb") },
  { product: "mysql", needed: needsService("mysql") },
];

for (const { product, needed } of products)
  describe(`own models beside adopted tables of ${product}`, needed, () => {
    test("a reference is the database's, of the type of the key it leads to", async (t) => {
      const { place, url, query } = await open(t, product);
      const plan = await place.run("migrate", "plan", "--backend", "open.ts", "--database", url);
      const hint = /Hint: visits\.country gets no foreign key: it would have to have the collation of Country/;
      assert.equal(hint.test(plan.out), isMysql(product), plan.out);
      const served = await place.serve({ file: "open.ts", database: url });
      t.after(() => served.app.stop());
      assert.deepEqual(await query(wordsOf(types, product)), wordsOf(expected, product));
      const leads = (await query(wordsOf(references, product))).map((row) =>
        row.map((one) => String(one).replaceAll('"', "").toLowerCase()),
      );
      assert.deepEqual(leads, [
        ["artist_id", "artist"],
        // A text's collation is not known from the file, and MariaDB and MySQL want the same on both sides.
        ...(isMysql(product) ? [] : [["country_id", "country"]]),
        ["price_id", "price"],
        ["seat_at", "seat"],
        ["seat_hall", "seat"],
      ]);
      const given = { artist: 1, price: "1.50", country: "de", seat: "1,2026-01-02T03:04:05.000Z" };
      const made = await served.ask("visits", { method: "POST", body: JSON.stringify(given) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const read = await answerOf(served, `visits/${made.body.id}?fields=artist.name,price.amount,country.code,seat.hall`);
      assert.deepEqual(read, { artist: { name: "Ann" }, price: { amount: "1.50" }, country: { code: "de" }, seat: { hall: 1 } });
      assert.equal((await answerOf(served, "visits?filter[price]=1.5&filter[seat]=1,2026-01-02T03:04:05.000Z")).data.length, 1);
      assert.equal((await served.ask("artists/1", { method: "DELETE" })).status, 409);
      const status = await place.run("migrate", "status", "--backend", "open.ts", "--database", url);
      assert.equal(status.code, 0, status.out);
      if (product !== "sqlite") await assert.rejects(query(`DELETE FROM "Price"`), /foreign key/i);
    });
  });
