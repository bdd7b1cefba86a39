/** `holdfast adopt` as a command: what it writes over, and `--check`, which names every way in which a database has moved on. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../needs.ts";
import { makeTheirs, type Product, type Worded, wordsOf } from "./databases.ts";
import { createPlace, makeDatabase } from "./place.ts";

const tables = `CREATE TABLE artist (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, kind TEXT CHECK (kind IN ('solo', 'band')));
CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id));`;

async function adopt(t: TestContext) {
  const place = createPlace();
  t.after(() => place.remove());
  const change = (sql: string) => makeDatabase(join(place.path, "music.db"), sql);
  change(tables);
  assert.equal((await place.run("adopt", "./music.db")).code, 0);
  return { ...place, change };
}

interface Move {
  readonly what: string;
  readonly sql: string | Worded<string>;
  readonly told: readonly (string | RegExp)[];
}

const theirs: Worded<string> = {
  sqlite: `CREATE TABLE artist (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, price DECIMAL(8,2), kind TEXT CHECK (kind IN ('solo', 'band')), token TEXT NOT NULL DEFAULT (hex(randomblob(4))), UNIQUE (name, born));
    CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id), label_id INTEGER, title VARCHAR(40) UNIQUE); CREATE TABLE label (id INTEGER PRIMARY KEY); CREATE VIEW names AS SELECT name FROM artist`,
  postgres: `CREATE TYPE kind AS ENUM ('solo', 'band'); CREATE TABLE artist (id integer PRIMARY KEY, name varchar(40) NOT NULL, born integer, price numeric(8,2), kind kind, token text NOT NULL DEFAULT md5('x'), UNIQUE (name, born));
    CREATE TABLE album (id integer PRIMARY KEY, artist_id integer NOT NULL REFERENCES artist (id), label_id integer, title varchar(40) UNIQUE); CREATE TABLE label (id integer PRIMARY KEY); CREATE VIEW names AS SELECT name FROM artist`,
  mariadb: `CREATE TABLE artist (id int PRIMARY KEY, name varchar(40) NOT NULL, born int, price decimal(8,2), kind enum('solo', 'band'), token char(36) NOT NULL DEFAULT (uuid()), UNIQUE KEY named (name, born));
    CREATE TABLE album (id int PRIMARY KEY, artist_id int NOT NULL, label_id int, title varchar(40), UNIQUE KEY titled (title), CONSTRAINT by_artist FOREIGN KEY (artist_id) REFERENCES artist (id)); CREATE TABLE label (id int PRIMARY KEY); CREATE VIEW names AS SELECT name FROM artist`,
};
const album = (columns: string) => `DROP TABLE album; CREATE TABLE album (${columns})`;
const artist = (columns: string) =>
  `DROP VIEW names; DROP TABLE artist; CREATE TABLE artist (${columns}); CREATE VIEW names AS SELECT name FROM artist`;

const moves: readonly Move[] = [
  {
    what: "a column that is added",
    sql: "ALTER TABLE artist ADD COLUMN web integer",
    told: [/^column artist\.web \((INTEGER|integer|int(\(11\))?)\) is in the database and not in the file$/],
  },
  {
    what: "a column that is dropped",
    sql: "ALTER TABLE album DROP COLUMN label_id",
    told: ["column album.label_id (albums.labelId) is in the file and not in the database"],
  },
  {
    what: "another type",
    sql: {
      sqlite: album(
        "id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id), label_id BIGINT, title VARCHAR(40) UNIQUE",
      ),
      postgres: "ALTER TABLE album ALTER COLUMN label_id TYPE bigint",
      mariadb: "ALTER TABLE album MODIFY label_id bigint",
    },
    told: [
      /^column album\.label_id \(albums\.labelId\) is (BIGINT|bigint(\(20\))?) in the database and (INTEGER|integer|int(\(11\))?) in the file$/,
    ],
  },
  {
    what: "another nullability",
    sql: {
      sqlite: album(
        "id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id), label_id INTEGER NOT NULL, title VARCHAR(40) UNIQUE",
      ),
      postgres: "ALTER TABLE album ALTER COLUMN label_id SET NOT NULL",
      mariadb: "ALTER TABLE album MODIFY label_id int NOT NULL",
    },
    told: ["column album.label_id (albums.labelId) is required in the database and optional in the file"],
  },
  {
    what: "another key",
    sql: {
      sqlite: "DROP TABLE label; CREATE TABLE label (id INTEGER NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID",
      postgres: "ALTER TABLE label DROP CONSTRAINT label_pkey; ALTER TABLE label ADD COLUMN part integer PRIMARY KEY",
      mariadb: "ALTER TABLE label DROP PRIMARY KEY, ADD COLUMN part int PRIMARY KEY",
    },
    told: [
      /^(column label\.id \(labels\.id\) is counted in the file and not in the database|table label \(labels\): its key is part in the database and id in the file)$/,
    ],
  },
  {
    what: "a foreign key that is dropped",
    sql: {
      sqlite: album("id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL, label_id INTEGER, title VARCHAR(40) UNIQUE"),
      postgres: "ALTER TABLE album DROP CONSTRAINT album_artist_id_fkey",
      mariadb: "ALTER TABLE album DROP FOREIGN KEY by_artist",
    },
    told: ["column album.artist_id (albums.artist) is a relation to artist in the file, and no foreign key in the database"],
  },
  {
    what: "a foreign key that is added",
    sql: {
      sqlite: album(
        "id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id), label_id INTEGER REFERENCES label (id), title VARCHAR(40) UNIQUE",
      ),
      postgres: "ALTER TABLE album ADD FOREIGN KEY (label_id) REFERENCES label (id)",
      mariadb: "ALTER TABLE album ADD FOREIGN KEY (label_id) REFERENCES label (id)",
    },
    told: ["column album.label_id has a foreign key to label in the database, and is no relation in the file"],
  },
  {
    what: "a foreign key that leads elsewhere and deletes",
    sql: {
      sqlite: album(
        "id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id) ON DELETE CASCADE, label_id INTEGER, title VARCHAR(40) UNIQUE",
      ),
      postgres:
        "ALTER TABLE album DROP CONSTRAINT album_artist_id_fkey; ALTER TABLE album ADD FOREIGN KEY (artist_id) REFERENCES artist (id) ON DELETE CASCADE",
      mariadb:
        "ALTER TABLE album DROP FOREIGN KEY by_artist; ALTER TABLE album ADD FOREIGN KEY (artist_id) REFERENCES artist (id) ON DELETE CASCADE",
    },
    told: ["column album.artist_id (albums.artist) has ON DELETE cascade in the database and restrict in the file"],
  },
  {
    what: "a unique that is dropped, and another",
    sql: {
      sqlite: album(
        "id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist (id), label_id INTEGER UNIQUE, title VARCHAR(40)",
      ),
      postgres: "ALTER TABLE album DROP CONSTRAINT album_title_key; CREATE UNIQUE INDEX one ON album (label_id)",
      mariadb: "ALTER TABLE album DROP KEY titled, ADD UNIQUE KEY (label_id)",
    },
    told: [
      "column album.label_id is unique in the database and not in the file",
      "column album.title is unique in the file and not in the database",
    ],
  },
  {
    what: "another check",
    sql: {
      sqlite: artist(
        "id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, price DECIMAL(8,2) CHECK (price >= 0), kind TEXT CHECK (kind IN ('solo', 'band')), token TEXT NOT NULL DEFAULT (hex(randomblob(4))), UNIQUE (name, born)",
      ),
      postgres: "ALTER TABLE artist ADD CHECK (price >= 0)",
      mariadb: "ALTER TABLE artist ADD CHECK (price >= 0)",
    },
    told: ["column artist.price (artists.price) may be at least 0 in the database and anything in the file"],
  },
  {
    what: "another choice",
    sql: {
      sqlite: artist(
        "id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, price DECIMAL(8,2), kind TEXT CHECK (kind IN ('solo', 'band', 'duo')), token TEXT NOT NULL DEFAULT (hex(randomblob(4))), UNIQUE (name, born)",
      ),
      postgres: "ALTER TYPE kind ADD VALUE 'duo'",
      mariadb: "ALTER TABLE artist MODIFY kind enum('solo', 'band', 'duo')",
    },
    told: [/^column artist\.kind \(artists\.kind\) may be solo, band, duo in the database and solo, band in the file$/],
  },
  {
    what: "a choice that is none any more",
    sql: {
      sqlite: artist(
        "id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, price DECIMAL(8,2), kind TEXT, token TEXT NOT NULL DEFAULT (hex(randomblob(4))), UNIQUE (name, born)",
      ),
      postgres: "ALTER TABLE artist ALTER COLUMN kind TYPE text",
      mariadb: "ALTER TABLE artist MODIFY kind varchar(10)",
    },
    told: [/^column artist\.kind \(artists\.kind\) may be any text in the database and solo, band in the file$/],
  },
  {
    what: "a default that is gone",
    sql: {
      sqlite: artist(
        "id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, born INTEGER, price DECIMAL(8,2), kind TEXT CHECK (kind IN ('solo', 'band')), token TEXT NOT NULL, UNIQUE (name, born)",
      ),
      postgres: "ALTER TABLE artist ALTER COLUMN token DROP DEFAULT",
      mariadb: "ALTER TABLE artist ALTER COLUMN token DROP DEFAULT",
    },
    told: ["column artist.token (artists.token) has no default in the database, and byDatabase in the file"],
  },
  {
    what: "a view that is another",
    sql: {
      sqlite: "DROP VIEW names; CREATE VIEW names AS SELECT born FROM artist",
      postgres: "DROP VIEW names; CREATE VIEW names AS SELECT born FROM artist",
      mariadb: "CREATE OR REPLACE VIEW names AS SELECT born FROM artist",
    },
    told: [
      "column names.name (names.name) is in the file and not in the database",
      /^column names\.born \(.*\) is in the database and not in the file$/,
    ],
  },
  { what: "a view that is gone", sql: "DROP VIEW names", told: ["table names (names) is in the file and not in the database"] },
  {
    what: "a table that is gone, and another",
    sql: "DROP TABLE album; CREATE TABLE song (id integer PRIMARY KEY)",
    told: ["table album (albums) is in the file and not in the database", "table song is in the database and not in the file"],
  },
];

const products: readonly { readonly product: Product; readonly needed: { readonly skip: string | false } }[] = [
  { product: "sqlite", needed: { skip: false } },
  { product: "postgres", needed: needsService("postgres") },
  { product: "mariadb", needed: needsService("mariadb") },
  { product: "mysql", needed: needsService("mysql") },
];

for (const { product, needed } of products)
  describe(`adopt --check on ${product} tells of`, needed, () => {
    test("nothing where nothing has moved", async (t) => {
      const { place, url } = await move(t, product, null);
      assert.equal((await place.run("adopt", url, "--check")).out, "backend.ts stands for the database as it is.\n");
    });
    for (const { what, sql, told } of moves)
      test(what, async (t) => {
        const { place, url } = await move(t, product, typeof sql === "string" ? sql : wordsOf(sql, product));
        const { code, out } = await place.run("adopt", url, "--check", "--json");
        assert.equal(code, 1, out);
        const { differences } = JSON.parse(out) as { differences: string[] };
        for (const line of told)
          assert.ok(
            differences.some((one) => (typeof line === "string" ? one === line : line.test(one))),
            `${String(line)}\n${differences.join("\n")}`,
          );
        // Another type may bring further words along, and no other column.
        const places = new Set(differences.map((one) => one.split(" ")[1]).filter((place) => place !== "label.part"));
        assert.ok(places.size <= told.length, differences.join("\n"));
        const skips = differences
          .filter((one) => one.startsWith("column"))
          .flatMap((one) => ["--without", one.split(" ")[1] ?? ""]);
        if (skips.length / 2 === differences.length) assert.equal((await place.run("adopt", url, "--check", ...skips)).code, 0);
      });
  });

async function move(t: TestContext, product: Product, sql: string | null) {
  const made = await makeTheirs(product, wordsOf(theirs, product));
  t.after(() => made.remove());
  const { code, out, err } = await made.place.run("adopt", made.url);
  assert.equal(code, 0, out + err);
  if (sql !== null) await made.change(sql);
  return made;
}

describe("adopt --check", () => {
  test("is content with the database that was adopted", async (t) => {
    const { run } = await adopt(t);
    assert.deepEqual(await run("adopt", "./music.db", "--check"), {
      code: 0,
      out: "backend.ts stands for the database as it is.\n",
      err: "",
    });
  });

  test("what was left out on purpose is not asked after", async (t) => {
    const { run, change, path, read } = await adopt(t);
    change("ALTER TABLE artist ADD COLUMN web TEXT; CREATE TABLE cache (id INTEGER PRIMARY KEY)");
    writeFileSync(
      join(path, "backend.ts"),
      read("backend.ts").replace('.table("artist")', '.table("artist")\n  .without("web")'),
    );
    assert.equal((await run("adopt", "./music.db", "--check", "--without", "cache")).code, 0);
  });

  test("a file that is there is not written over unasked", async (t) => {
    const { run, path, read } = await adopt(t);
    writeFileSync(join(path, "backend.ts"), "// mine");
    const { code, err } = await run("adopt", "./music.db");
    assert.deepEqual([code, read("backend.ts")], [2, "// mine"]);
    assert.match(err, /backend\.ts exists already/);
    assert.equal((await run("adopt", "./music.db", "--out", "other.ts")).code, 0);
    assert.equal((await run("adopt", "./music.db", "--force")).code, 0);
    assert.match(read("backend.ts"), /Nobody may do anything yet/);
  });

  test("--json tells the same to a program", async (t) => {
    const { run } = await adopt(t);
    const { out } = await run("adopt", "./music.db", "--force", "--json");
    const { models, remarks } = JSON.parse(out) as { models: unknown; remarks: unknown };
    assert.deepEqual(models, [
      { name: "albums", table: "album", kind: "table", key: ["id"] },
      { name: "artists", table: "artist", kind: "table", key: ["id"] },
    ]);
    assert.deepEqual(remarks, []);
  });

  test("an adopted model that asks for what no adopted table has is refused with the mend", async (t) => {
    const { path, run } = await adopt(t);
    const text =
      'import { backend, everyone, model, text } from "holdfast";\nexport const a = model("a", { name: text() }).adopted().timestamps();\nexport const v = model("v", { name: text() }).view().access(() => ({ create: everyone }));\nexport default backend({ a, v });\n';
    writeFileSync(join(path, "wrong.ts"), text);
    const { code, err } = await run("check", "--backend", "wrong.ts");
    assert.equal(code, 1);
    for (const part of ["an adopted table needs its key", "an adopted table has no timestamps()", "the model is read only"])
      assert.ok(err.includes(part), err);
  });
});
