/** Schemas of MariaDB and MySQL that nobody would design and somebody has, and users who may not do everything. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { queryMariadb } from "../servers/mariadb.ts";
import { serviceUrl } from "../servers/names.ts";
import { type Adopted, adopt, nameBeside } from "./databases.ts";
import { answerOf, type Row } from "./place.ts";

const products = [
  { product: "mariadb", needed: needsService("mariadb") },
  { product: "mysql", needed: needsService("mysql") },
] as const;

const tables = `
CREATE TABLE \`select\` (\`group\` int PRIMARY KEY, \`or\` text, \`in\` text, \`class\` text, \`say "hi"\` text, \`it's\` text, \`back\`\`tick\` text, \`a.b\` text, \`line
break\` text, \`\${x}\` text, \`back\\\\slash\` text, \`*/\` text, \`q?\` text);
CREATE TABLE \`日本\` (\`名前\` varchar(20) PRIMARY KEY, \`数\` int);
CREATE TABLE \`boxes \`\`of\`\` "x"\` (id int PRIMARY KEY, \`select\` int, \`日本\` varchar(20), FOREIGN KEY (\`select\`) REFERENCES \`select\` (\`group\`), FOREIGN KEY (\`日本\`) REFERENCES \`日本\` (\`名前\`));
CREATE TABLE bytes (id int PRIMARY KEY, \`default\` text, \`constructor\` text, \`__proto__\` text, \`toString\` text);
CREATE TABLE \`drop table x; --\` (\`'; drop table y\` varchar(20) PRIMARY KEY);
CREATE TABLE \`holdfast_fail(x\` (\`holdfast_quote(y\` varchar(20) PRIMARY KEY);
CREATE TABLE odd (id int PRIMARY KEY, kind enum('', 'a,b', '"', '\\\\', 'ž') NOT NULL, cake enum('🎂', 'x'), cup varchar(9) DEFAULT '🎂', plain int DEFAULT '5', word varchar(9) CHECK (word IN ('it''s', '\\\\')));
CREATE TABLE team (id int PRIMARY KEY, captain_id int, vice_id int);
CREATE TABLE player (id int PRIMARY KEY, team_id int, mentor_id int, FOREIGN KEY (team_id) REFERENCES team (id), FOREIGN KEY (mentor_id) REFERENCES player (id));
ALTER TABLE team ADD FOREIGN KEY (captain_id) REFERENCES player (id), ADD FOREIGN KEY (vice_id) REFERENCES player (id);
CREATE TABLE old (at datetime, day date); SET @mode = @@sql_mode; SET sql_mode = ''; INSERT INTO old VALUES ('0000-00-00', '0000-00-00'); SET sql_mode = @mode;
SET foreign_key_checks = 0; INSERT INTO player VALUES (1, 99, NULL);
INSERT INTO \`select\` VALUES (1, 'o', 'i', 'c', 'hi', 'its', 't', 'ab', 'lb', 'd', 'bs', 'end', 'q');
INSERT INTO \`日本\` VALUES ('東京', 7); INSERT INTO \`boxes \`\`of\`\` "x"\` VALUES (1, 1, '東京');
INSERT INTO bytes VALUES (1, 'd', 'c', 'p', 's'); INSERT INTO \`drop table x; --\` VALUES ('still here'); INSERT INTO \`holdfast_fail(x\` VALUES ('y');
CREATE TABLE gone (id bigint unsigned); CREATE VIEW broken AS SELECT id FROM gone; DROP TABLE gone;
`;

/** As many columns as anybody has. */
const wide = Array.from({ length: 500 }, (_, at) => `Col${at} ${at % 2 === 0 ? "int" : "varchar(4)"}`);

for (const { product, needed } of products) describe(`hostile schemas on ${product}`, needed, () => testSchemas(product, needed));
for (const { product, needed } of products) describe(`two databases on ${product}`, needed, () => testBeyond(product));
for (const { product, needed } of products)
  describe(`who may not make a database on ${product}`, needed, () => testRights(product));

function testSchemas(product: "mariadb" | "mysql", needed: { readonly skip: string | false }): void {
  const state: { adopted: Adopted | null } = { adopted: null };
  const adopted = () => state.adopted as Adopted;
  const answer = (path: string) => answerOf(adopted().served, path);

  before(async () => {
    if (needed.skip === false)
      state.adopted = await adopt(product, `${tables}CREATE TABLE wide (id int PRIMARY KEY, ${wide.join(", ")})`);
  });
  after(() => state.adopted?.stop());

  test("reserved words, quotes, and other scripts in names", async () => {
    assert.deepEqual(await answer("selects/1"), {
      groupValue: 1,
      orValue: "o",
      inValue: "i",
      class: "c",
      sayHi: "hi",
      its: "its",
      backTick: "t",
      aB: "ab",
      lineBreak: "lb",
      x: "d",
      backSlash: "bs",
      column: "end",
      q: "q",
    });
    assert.deepEqual((await answer("selects?filter[sayHi]=hi&filter[q]=q&sort=backTick")).data.length, 1);
    assert.deepEqual((await answer("rows")).data, [{ column: "東京", column2: 7 }]);
    assert.deepEqual((await answer("bytesRows")).data, [{ id: 1, default: "d", constructor: "c", proto: "p", toString: "s" }]);
    assert.deepEqual((await answer("dropTableXes")).data, [{ dropTableY: "still here" }]);
    const { models } = adopted().served.app.engine.schema;
    const named = (table: string) => [...models.values()].find((model) => model.table === table)?.name ?? "";
    assert.deepEqual((await answer(named("holdfast_fail(x"))).data.length, 1);
    assert.deepEqual((await answer(`${named('boxes `of` "x"')}/1?fields=*,select.orValue`)).select, { orValue: "o" });
    assert.equal(await adopted().place.typeErrors(), "");
    assert.equal((await adopted().place.run("adopt", adopted().url, "--check")).code, 0);
  });

  test("members of an enum that are hard to write", async () => {
    for (const [id, kind] of ["", "a,b", '"', "\\", "ž"].entries()) {
      const { status, body } = await adopted().served.ask("odds", { method: "POST", body: JSON.stringify({ id, kind }) });
      assert.deepEqual([status, body?.kind], [201, kind]);
      const found = (await answer(`odds?filter[kind]=${encodeURIComponent(kind)}`)).data;
      assert.deepEqual(
        found.map((row: Row) => [row.id, row.plain]),
        [[id, 5]],
      );
    }
    const word = await adopted().served.ask("odds", { method: "POST", body: '{"id":9,"kind":"ž","word":"\\\\"}' });
    assert.deepEqual([word.status, word.body.word, word.body.cup], [201, "\\", "🎂"]);
    assert.match(adopted().out, /odd\.cake: has a member with a \? in it/);
  });

  test("circles, broken references and days that are none", async () => {
    assert.deepEqual(await answer("players/1?fields=id,team.id"), { id: 1, team: null });
    assert.deepEqual((await answer("teams?fields=captain.id,vice.mentor.id")).data, []);
    assert.equal((await adopted().served.ask("olds")).status, 200);
    assert.match(adopted().out, /broken: is a view over what is not there/);
  });

  test("five hundred columns", async () => {
    const row = Object.fromEntries(wide.map((_, at) => [`col${at}`, at % 2 === 0 ? at : `c${at}`]));
    const made = await adopted().served.ask("wides", { method: "POST", body: JSON.stringify({ id: 1, ...row }) });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual((await answer("wides?filter[col499]=c499")).data, [{ id: 1, ...row }]);
    assert.equal((await adopted().served.ask("wides/1", { method: "PATCH", body: '{"col250":7}' })).body.col250, 7);
  });
}

function testBeyond(product: "mariadb" | "mysql"): void {
  test("a foreign key into another database is a plain field that the database holds to, taken over or not", async (t) => {
    const other = `hf_other_${process.pid}`;
    const run = async (sql: string) => queryMariadb(serviceUrl(product), sql);
    await run(`create database ${other}`);
    await run(`create table ${other}.people (id int primary key)`);
    await run(`insert into ${other}.people values (1)`);
    const { out, served, place, url, stop } = await adopt(
      product,
      `CREATE TABLE note (id int PRIMARY KEY, person_id int, FOREIGN KEY (person_id) REFERENCES ${other}.people (id))`,
    );
    t.after(stop);
    assert.match(
      out,
      /note\.person_id: it refers to people of another database, which is not served: no relation, but plain fields/,
    );
    const send = async (body: object) => (await served.ask("notes", { method: "POST", body: JSON.stringify(body) })).status;
    assert.deepEqual([await send({ id: 1, personId: 1 }), await send({ id: 2, personId: 9 })], [201, 409]);
    place.write("taken.ts", place.read("open.ts").replaceAll(".adopted()", ".takenOver()"));
    for (const action of ["apply", "status"]) {
      const told = await place.run("migrate", action, "--backend", "taken.ts", "--database", url);
      assert.equal(told.code, 0, told.out + told.err);
    }
    place.write(
      "more.ts",
      place
        .read("taken.ts")
        .replace("  personId", '  body: text().default("x"),\n  personId')
        .replace("import { ", "import { text, "),
    );
    for (const action of ["apply", "status"]) {
      const told = await place.run("migrate", action, "--backend", "more.ts", "--database", url);
      assert.equal(told.code, 0, told.out + told.err);
    }
  });
}

function testRights(product: "mariadb" | "mysql"): void {
  test("is told what to grant, and may have the tables inside", async () => {
    const root = serviceUrl(product);
    const adopted = await adopt(
      product,
      "CREATE TABLE shop (id int PRIMARY KEY, name varchar(20)); INSERT INTO shop VALUES (1, 'a')",
    );
    const name = new URL(adopted.url).pathname.slice(1);
    const limited = new URL(adopted.url);
    [limited.username, limited.password] = [name.slice(0, 20), "secret"];
    const account = `'${limited.username}'@'127.0.0.1'`;
    await queryMariadb(root, `drop database ${nameBeside(adopted.url)}`);
    await queryMariadb(root, `create user ${account} identified by 'secret'`);
    try {
      await queryMariadb(root, `grant all privileges on ${name}.* to ${account}`);
      await assert.rejects(
        adopted.place.serve({ file: "open.ts", database: limited.href }),
        new RegExp(
          `database ${nameBeside(adopted.url)}, which the user may not make.*GRANT ALL PRIVILEGES ON .*--tables-inside`,
          "s",
        ),
      );
      const inside = { file: "open.ts", tablesInside: true };
      if (product === "mysql") {
        // It writes a binary log as it comes, and so lets few make functions.
        await assert.rejects(
          adopted.place.serve({ ...inside, database: limited.href }),
          /log_bin_trust_function_creators = 1 on the server, or start once as a user with the privilege SUPER/,
        );
        await (await adopted.place.serve({ ...inside, database: adopted.url })).app.stop();
      }
      const served = await adopted.place.serve({ ...inside, database: limited.href });
      try {
        assert.equal((await served.ask("shops", { method: "POST", body: '{"id":2,"name":"b"}' })).status, 201);
        const { place } = adopted;
        assert.equal((await place.run("adopt", adopted.url, "--check")).code, 0);
        assert.deepEqual((await adopted.query(`SELECT model, row_id FROM ${name}._changes`)).map(String), ["shops,2"]);
      } finally {
        await served.app.stop();
      }
    } finally {
      await queryMariadb(root, `drop user ${account}`);
      await adopted.stop();
    }
  });
}
