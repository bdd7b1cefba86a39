/** Tables that were adopted are taken over as they are, and from then on migrated as tables of the product's own making are. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { needsChinook } from "./chinook.ts";
import { chinookFiles, isMysql, makeTheirs, type Product, spell, type Theirs, type Worded, wordsOf } from "./databases.ts";
import { answerOf, opened, type Served } from "./place.ts";

const products: readonly { readonly product: Product; readonly needed: { readonly skip: string | false } }[] = [
  { product: "sqlite", needed: { skip: false } },
  { product: "postgres", needed: needsService("postgres") },
  { product: "mariadb", needed: needsService("mariadb") },
  { product: "mysql", needed: needsService("mysql") },
];

/** What the database says of its own tables, all of it. */
const definitions: Worded<string> = {
  sqlite: "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name",
  postgres: `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2, 3`,
  mariadb: `SELECT table_name, column_name, column_type, is_nullable, column_default, extra FROM information_schema.columns WHERE table_schema = database()
    UNION ALL SELECT table_name, index_name, seq_in_index, column_name, non_unique, '' FROM information_schema.statistics WHERE table_schema = database()
    UNION ALL SELECT table_name, constraint_name, referenced_table_name, delete_rule, update_rule, '' FROM information_schema.referential_constraints WHERE constraint_schema = database() ORDER BY 1, 2, 3`,
};

for (const { product, needed } of products) {
  const needsFile = needsChinook(chinookFiles[product]);
  describe(`Chinook on ${product} taken over`, needed.skip === false ? needsFile : needed, () => {
    const state: { theirs: Theirs | null; version: number; versions: number } = { theirs: null, version: 0, versions: 0 };
    const theirs = () => state.theirs as Theirs;
    const name = (table: string) => `"${spell(product, table)}"`;
    const file = () => `v${state.version}.ts`;
    const defined = () => theirs().query(wordsOf(definitions, product));
    const migrate = async (...argv: readonly string[]) => {
      const { code, out, err } = await theirs().place.run("migrate", ...argv, "--database", theirs().url, "--backend", file());
      return { code, out: out + err };
    };
    /** Changes the backend file: each version is a file of its own, for a module is loaded once. */
    const edit = (...changes: readonly (readonly [from: string | RegExp, to: string])[]) => {
      const { place } = theirs();
      let text = place.read(file());
      for (const [from, to] of changes) {
        const changed = text.replace(from, to);
        assert.ok(changed !== text, String(from));
        text = changed;
      }
      state.version = ++state.versions;
      place.write(file(), text);
    };
    const applied = async (...argv: readonly string[]) => {
      const told = await migrate("apply", ...argv);
      assert.equal(told.code, 0, told.out);
      const status = await migrate("status");
      assert.equal(status.code, 0, status.out);
      assert.match(status.out, /The database is up to date\.$/m);
      return told.out;
    };
    const ask = async <T>(work: (served: Served) => Promise<T>): Promise<T> => {
      const served = await theirs().place.serve({ file: file(), database: theirs().url });
      try {
        return await work(served);
      } finally {
        await served.app.stop();
      }
    };

    before(async () => {
      if (needed.skip !== false || needsFile.skip !== false) return;
      state.theirs = await makeTheirs(product, { chinook: true });
      const { place, url } = theirs();
      const { code, err } = await place.run("adopt", url, "--read-only-for", "staff");
      assert.equal(code, 0, err);
      place.write(file(), opened(place.read("backend.ts")).replaceAll(".adopted()", ".takenOver()"));
    });
    after(() => state.theirs?.remove());

    test("taking over changes nothing, and neither does giving back", async () => {
      const before = await defined();
      const plan = await migrate("plan");
      assert.equal(plan.code, 2);
      assert.equal(plan.out.match(/^\d+\. Takes the table /gm)?.length, 11, plan.out);
      assert.equal(plan.out.match(/^\d+\. /gm)?.length, 12, plan.out);
      await applied();
      assert.deepEqual(await defined(), before);
      const down = await migrate("down");
      assert.equal(down.code, 0, down.out);
      assert.match(down.out, /Leaves the table \w+ to others again, as it is\./);
      assert.equal((await migrate("plan")).out.match(/^\d+\. Takes the table /gm)?.length, 11);
      await applied();
      assert.deepEqual(await defined(), before);
    });

    test("fields are added, and rows get their defaults", async () => {
      edit([
        /(export const artists = model\("artists", \{\n)/,
        '$1  rating: integer().optional(),\n  label: text().max(40).default("none"),\n  price: decimal(8, 2).default("1.50"),\n',
      ]);
      const rehearsed = await migrate("apply", "--dry-run");
      if (isMysql(product)) assert.match(rehearsed.out, /cannot rehearse a migration/);
      else assert.match(rehearsed.out, /^ {2}artist: 275 rows before, 275 rows after$[\s\S]*sound/im);
      await applied();
      await ask(async (served) => {
        const rest = await answerOf(served, "artists/1?fields=name,rating,label,price");
        assert.deepEqual(rest, { name: "AC/DC", rating: null, label: "none", price: "1.50" });
        const made = await served.ask("artists", {
          method: "POST",
          // SQLite counts it itself.
          body: JSON.stringify({ ...(product === "sqlite" ? {} : { artistId: 9001 }), name: "New", rating: 5, price: "2.25" }),
        });
        assert.equal(made.status, 201, JSON.stringify(made.body));
      });
      assert.deepEqual((await theirs().query(`SELECT count(*) FROM ${name("Artist")} WHERE label = 'none'`)).map(String), [
        "276",
      ]);
    });

    test("models, tables and columns are renamed, and every row and relation stays", async () => {
      edit(
        [/export const artists = model\("artists"/, 'export const bands = model("bands"'],
        [/\.table\("artist"\)/i, '.table("band").was("artists")'],
        [/\(\) => artists\b/, "() => bands"],
        [/backend\(\{([^}]*)\bartists\b/, "backend({$1bands"],
        [/  title: text\(\)\.max\(160\)\.column\("\w+"/i, '  heading: text().max(160).was("title").column("heading"'],
      );
      const told = await applied();
      assert.match(told, /Renames the table \w+ to band/i);
      assert.match(told, /Renames the column \w+\.title to heading/i);
      await ask(async (served) => {
        assert.deepEqual(await answerOf(served, "albums/1?fields=heading,artist.name"), {
          heading: "For Those About To Rock We Salute You",
          artist: { name: "AC/DC" },
        });
      });
    });

    test("what is optional becomes required, and a type becomes another", async () => {
      const before = await theirs().query(`SELECT sum(${name("UnitPrice")} * ${name("Quantity")}) FROM ${name("InvoiceLine")}`);
      edit(
        [/company: text\(\)\.max\(80\)\.optional\(\)/, 'company: text().max(80).default("none")'],
        [
          /heading: text\(\)\.max\(160\)\.was\("title"\)\.column\("heading", "(\D+)160\)/,
          'heading: text().max(200).column("heading", "$1200)',
        ],
        [
          /(export const invoiceLines[\s\S]*?unitPrice: decimal\()10, 2\)(.*?)\.column\(("\w+"), "[^"]+"\)/,
          "$112, 3)$2.column($3)",
        ],
      );
      const told = await applied();
      assert.match(told, /Changes customers\.company to required\. Rows that hold null get /);
      assert.match(told, /Changes invoiceLines\.unitPrice from decimal\(10, 2\) as .* to decimal\(12, 3\)/i);
      await ask(async (served) => {
        const { data } = await answerOf(served, "invoiceLines/aggregate?sum=unitPrice");
        const [[sum]] = before as [[unknown]];
        assert.ok(Math.abs(Number(data[0].sum.unitPrice) - Number(sum)) < 0.001);
        assert.match(data[0].sum.unitPrice, /\.\d{3}$/);
        assert.equal((await answerOf(served, "customers/2?fields=company")).company, "none");
        assert.equal((await served.ask("customers/3", { method: "PATCH", body: '{"company":null}' })).status, 422);
      });
      assert.deepEqual(
        (await theirs().query(`SELECT count(*) FROM ${name("Customer")} WHERE ${name("Company")} IS NULL`)).map(String),
        ["0"],
      );
    });

    test("what is lost needs its phrase", async () => {
      edit([/^  fax: .*\n/m, ""]);
      const asked = await migrate("apply");
      assert.equal(asked.code, 2);
      assert.match(asked.out, /All values of customers\.fax/);
      await applied("--confirm", "drop customers.fax");
    });

    test("a table goes with its rows, and comes back without them", async () => {
      edit(
        [/export const playlistTracks = [\s\S]*?;\n\n/, ""],
        [/^  get tracks\(\) \{\s*return manyToMany[\s\S]*?\n  \},\n/m, ""],
        [/^  get playlists\(\) \{\s*return manyToMany[\s\S]*?\n  \},\n/m, ""],
        [/\bplaylistTracks,\s*/, ""],
      );
      const asked = await migrate("apply");
      assert.equal(asked.code, 2);
      assert.match(asked.out, /All rows of playlistTracks/);
      await applied("--confirm", "drop playlistTracks");
      const before = await defined();
      assert.ok(!JSON.stringify(before).includes(name("PlaylistTrack").slice(1, -1)));
      state.version--;
      const back = await migrate("down");
      assert.equal(back.code, 0, back.out);
      const status = await migrate("status");
      assert.equal(status.code, 0, status.out);
      assert.deepEqual((await theirs().query(`SELECT count(*) FROM ${name("PlaylistTrack")}`)).map(String), ["0"]);
      await ask(async (served) => {
        const made = await served.ask("playlistTracks", { method: "POST", body: '{"playlist":1,"track":1}' });
        assert.equal(made.status, 201, JSON.stringify(made.body));
        assert.equal((await served.ask("tracks/1", { method: "DELETE" })).status, 409);
      });
    });

    test("a relation that goes and comes back is a reference again", async () => {
      const relation = /^  genre: belongsTo.*\n/m;
      const [line = ""] = relation.exec(theirs().place.read(file())) ?? [];
      edit([relation, ""], [/^  \.index\("genre"\)\n/m, ""]);
      await applied("--confirm", "drop tracks.genre");
      edit([/(export const tracks = model\("tracks", \{\n)/, `$1${line}`]);
      const told = await applied();
      assert.match(told, /reference of track\.|REFERENCES|Adds the column/i);
      await ask(async (served) => {
        assert.equal((await served.ask("tracks/1", { method: "PATCH", body: '{"genre":3}' })).status, 200);
        assert.equal((await answerOf(served, "tracks/1?fields=genre.name")).genre.name, "Metal");
        assert.equal((await served.ask("genres/3", { method: "DELETE" })).status, 409);
      });
    });

    test("what somebody changes by hand is drift, and a change of the file is undone", async () => {
      await theirs().change(`ALTER TABLE ${name("Genre")} ADD COLUMN ${name("Colour")} varchar(10)`);
      const status = await migrate("status");
      assert.equal(status.code, 2);
      assert.match(status.out, /DRIFT: table genre: column colour is in the database and not in the journal/i);
      await theirs().change(`ALTER TABLE ${name("Genre")} DROP COLUMN ${name("Colour")}`);
      assert.equal((await migrate("status")).code, 0);
      const before = await defined();
      edit([/(name: text\(\)\.max\()120\)\.optional\(\)(\.column\("\w+", "\D+)120/, '$190).default("?")$290']);
      await applied();
      assert.notDeepEqual(await defined(), before);
      state.version--;
      const back = await migrate("down");
      assert.equal(back.code, 0, back.out);
      if (product !== "sqlite") assert.deepEqual(await defined(), before);
      assert.equal((await migrate("status")).code, 0);
    });
  });
}
