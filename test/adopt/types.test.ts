/** Databases of many types, adopted and served as they are: the same tests on each, and what only one of them has. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { type Adopted, adopt } from "./databases.ts";
import { answerOf, type Row } from "./place.ts";
import type { TypesOf } from "./types.ts";
import { mariadbTypes } from "./types-mariadb.ts";
import { mysqlTypes } from "./types-mysql.ts";
import { postgresTypes } from "./types-postgres.ts";

interface Open {
  readonly adopted: () => Adopted;
  readonly send: (line: string, data?: unknown) => ReturnType<Adopted["served"]["ask"]>;
}

/** What is the same on every product. */
function testTypes({ lines, remarks, given, id, shown, made, bob, filters, unsorted }: TypesOf, { adopted, send }: Open): void {
  void test("the file says what the database says, and type-checks", async () => {
    const text = adopted().place.read("backend.ts");
    for (const line of lines) assert.ok(text.includes(line), `${line}\n${text}`);
    assert.equal(await adopted().place.typeErrors(), "");
    for (const why of remarks) assert.match(adopted().out, why);
    assert.equal((await adopted().place.run("adopt", adopted().url, "--check")).code, 0);
  });

  void test("rows are written and read in the types of the table", async () => {
    const { status, body } = await send("POST people", given);
    assert.equal(status, 201, JSON.stringify(body));
    const kept = Object.fromEntries(Object.entries(body as Row).filter(([name]) => !made.includes(name)));
    assert.deepEqual(kept, { id, ...given, ...shown });
    assert.match(body.uid, /^[0-9a-f-]{36}$/);
    assert.deepEqual(await answerOf(adopted().served, `people/${id}`), body);
  });

  void test("filters go by the table's types", async (t) => {
    assert.equal((await send("POST people", { name: "Bob", ...bob })).status, 201);
    const { uid } = await answerOf(adopted().served, `people/${id}`);
    for (const query of [...filters, `filter[uid]=${uid}`])
      await t.test(query, async () => {
        const path = `people?${query.replaceAll("\\", "%5C").replace("\u0001", "%01")}&sort=name`;
        assert.deepEqual(
          (await answerOf(adopted().served, path)).data.map(({ name }: Row) => name),
          ["Ann"],
        );
      });
  });

  void test("every order is gone through page by page", async () => {
    const { data } = await answerOf(adopted().served, "people");
    for (const name of Object.keys(data[0]).filter((one) => !unsorted.includes(one)))
      for (const sort of [name, `-${name}`]) {
        const seen: number[] = [];
        for (let path: string | null = `people?sort=${sort}&limit=1`; path !== null && seen.length < 9; ) {
          const { data: rows, page }: Row = await answerOf(adopted().served, path);
          seen.push(...rows.map((row: Row) => row.id));
          path = page.next === null ? null : `people?sort=${sort}&limit=1&after=${page.next}`;
        }
        const whole = (await answerOf(adopted().served, `people?sort=${sort}`)).data.map((row: Row) => row.id);
        assert.deepEqual([sort, seen], [sort, whole]);
      }
  });

  void test("additions, and rows that are equal", async () => {
    const changed = await send(`PATCH people/${id + 1}`, { price: { $add: "0.20" }, ratio: 0.5 });
    assert.equal(changed.body.price, "0.30");
    const table = `"Person" WHERE "Id" = ${id + 1}`;
    assert.deepEqual(
      (await adopted().query(`SELECT price, ratio FROM ${table}`)).map((row) => row.map(Number)),
      [[0.3, 0.5]],
    );
    assert.equal((await send("POST people", { name: "Ann" })).status, 409);
  });

  void test("composite keys and keys that the database counts", async () => {
    assert.equal((await send("POST children", { a: 1, b: "x,y" })).status, 201);
    const { status, body } = await send("POST grandChildren", { child: "1,x%2Cy" });
    assert.deepEqual([status, body.id, body.child], [201, 1, "1,x%2Cy"]);
    assert.deepEqual(await answerOf(adopted().served, "children/1,x%2Cy?fields=b,grandChildren.id"), {
      b: "x,y",
      grandChildren: [{ id: 1 }],
    });
  });
}

const products = [
  { types: postgresTypes, needed: needsService("postgres"), more: testPostgres },
  { types: mariadbTypes, needed: needsService("mariadb"), more: testBoth },
  { types: mysqlTypes, needed: needsService("mysql"), more: testMysql },
];

for (const { types, needed, more } of products)
  describe(`types of ${types.product}`, needed, () => {
    const state: { adopted: Adopted | null } = { adopted: null };
    const adopted = () => state.adopted as Adopted;
    const send: Open["send"] = async (line, data) => {
      const [method = "GET", path = ""] = line.split(" ");
      return adopted().served.ask(path, { method, ...(data === undefined ? {} : { body: JSON.stringify(data) }) });
    };
    before(async () => {
      if (needed.skip === false) state.adopted = await adopt(types.product, types.sql);
    });
    after(() => state.adopted?.stop());
    testTypes(types, { adopted, send });
    more({ adopted, send });
  });

function testPostgres({ adopted, send }: Open): void {
  void test("sums, and groups by what is null", async () => {
    const sums = "people/aggregate?sum=price&max=made,mood&group=month(seen)&sort=-month(seen)";
    assert.deepEqual((await answerOf(adopted().served, sums)).data[0].sum, { price: "12.50" });
  });

  void test("partitions are one table, a table without a key and a materialized view are read only", async () => {
    await adopted().query(`INSERT INTO event VALUES ('2026-03-01', 1, 'x')`);
    assert.deepEqual((await answerOf(adopted().served, "events?fields=what,person.name")).data, [
      { what: "x", person: { name: "Ann" } },
    ]);
    assert.equal((await send("POST events", { what: "y" })).status, 404);
    assert.deepEqual((await answerOf(adopted().served, "riches")).data, []);
    assert.equal((await send("DELETE people/1")).status, 204);
  });
}

/** What MariaDB and MySQL have in common. */
function testBoth({ adopted, send }: Open): void {
  void test("numbers of four bytes, sets, and numbers without a sign", async () => {
    assert.equal((await send("PATCH people/3", { ratio: 16777216 })).body.ratio, 16777216);
    assert.equal((await send("PATCH people/3", { tags: "y,none" })).status, 422);
    assert.equal((await send("PATCH people/2", { small: { $add: -3 } })).body.small, 4);
    assert.equal((await send("PATCH people/2", { small: { $add: -30 } })).status, 422);
    assert.equal((await send("POST people", { name: "ANN" })).status, 409);
  });

  void test("sums and groups", async () => {
    const { served } = adopted();
    const sums = await answerOf(served, "people/aggregate?sum=price,ratio,small&max=made,mood,tags,y&avg=ratio&count=*");
    assert.deepEqual(
      { ...sums.data[0], avg: null, max: { ...sums.data[0].max, made: "" } },
      {
        count: 3,
        sum: { price: "12.80", ratio: 16777223.1, small: 4 },
        avg: null,
        max: { made: "", mood: "it's", tags: "x,z", y: 2026 },
      },
    );
    const groups = await answerOf(served, "people/aggregate?group=mood,month(seen)&count=*&sort=mood");
    assert.deepEqual(
      groups.data.map(({ group }: Row) => group.mood),
      ["sad", "ok", "it's"],
    );
  });

  void test("views, tables without a key and of another engine are read only", async () => {
    const { served, query } = adopted();
    await query("INSERT INTO log VALUES ('x', 2)");
    assert.deepEqual((await answerOf(served, "logs?fields=what,person.name")).data, [{ what: "x", person: { name: "Ann" } }]);
    assert.deepEqual((await answerOf(served, "riches")).data, []);
    assert.deepEqual((await answerOf(served, "olds")).data, [{ id: 1, what: "x" }]);
    for (const model of ["logs", "olds"]) assert.equal((await send(`POST ${model}`, { what: "y" })).status, 404);
    assert.equal((await send("DELETE people/1")).status, 204);
  });
}

function testMysql(open: Open): void {
  testBoth(open);
  const { adopted, send } = open;

  void test("defaults and conditions with quotes, columns that are not seen, documents as the server has them", async () => {
    const doc = { b: 1, c: "word", a: [1.5, "x", null, { y: "\\ \" '" }] };
    const made = await send("POST notes", { doc, kind: "it's", hidden: 7 });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { at, ...rest } = made.body as Row;
    assert.match(at, /^20/);
    const left = { id: 1, said: "it's", wordy: 'a "b" \\ it\'s', two: 2, kind: "it's", loud: "it's'!", seen: null };
    assert.deepEqual(rest, { ...left, doc, hidden: 7 });
    assert.deepEqual((await answerOf(adopted().served, "showns")).data, [{ id: 1, doc, asked: "it's?" }]);
    for (const query of [
      "filter[doc.c]=word",
      "filter[doc.c][gt]=wor",
      "filter[kind]=it's",
      "filter[loud][contains]='!",
      "filter[hidden]=7",
    ])
      assert.equal((await answerOf(adopted().served, `notes?${query}`)).data.length, 1, query);
    assert.equal((await send("POST notes", { doc: {}, kind: "x" })).status, 422);
    assert.equal((await send("POST notes", { doc: {}, seen: 5, kind: "\\" })).status, 201);
    // By an index over an expression, which no field is.
    assert.equal((await send("POST notes", { doc: {}, said: "IT'S", kind: "it's" })).status, 409);
    const both = await send("PATCH notes/1", { doc: { z: true }, said: "b\\" });
    assert.deepEqual([both.status, both.body.doc, both.body.said, both.body.loud], [200, { z: true }, "b\\", "b\\'!"]);
  });
}
