/** PostgreSQL adopted: Chinook answers as SQL by hand does, and a schema of many types is served as it is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Client } from "pg";
import { needsService } from "../needs.ts";
import { type FreshDatabase, freshDatabase } from "../servers/databases.ts";
import { serviceUrl } from "../servers/names.ts";
import { testAnswers } from "./answers.ts";
import { folder, models, needsChinook } from "./chinook.ts";
import { answerOf, createPlace, opened, type Place, type Row, type Served } from "./place.ts";

const needed = needsService("postgres");
const needsFile = needsChinook("chinook-postgres.sql");

interface Adopted {
  readonly database: FreshDatabase;
  readonly place: Place;
  readonly served: Served;
  readonly out: string;
  readonly query: (sql: string) => Promise<unknown[][]>;
  readonly stop: () => Promise<void>;
}

/** Runs SQL in a new database, adopts it, and serves it with staff allowed to write. */
async function adopt(sql: string): Promise<Adopted> {
  const database = await freshDatabase(serviceUrl("postgres"));
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return await adoptWith(client, database, sql);
  } catch (error) {
    await client.end();
    await database.drop();
    throw error;
  }
}

async function adoptWith(client: Client, database: FreshDatabase, sql: string): Promise<Adopted> {
  await client.query(sql);
  const place = createPlace();
  const { code, out, err } = await place.run("adopt", database.url, "--read-only-for", "staff");
  assert.equal(code, 0, `${out}${err}`);
  place.write("open.ts", opened(place.read("backend.ts")));
  const served = await place.serve({ file: "open.ts", database: database.url });
  return {
    database,
    place,
    served,
    out,
    query: async (text) => (await client.query({ text, rowMode: "array" })).rows as unknown[][],
    async stop() {
      await served.app.stop();
      await client.end();
      await database.drop();
      place.remove();
    },
  };
}

describe("Chinook on PostgreSQL", needed.skip === false ? needsFile : needed, () => {
  const state: { adopted: Adopted | null } = { adopted: null };
  const adopted = () => state.adopted as Adopted;

  before(async () => {
    if (needed.skip !== false || needsFile.skip !== false) return;
    const script = readFileSync(`${folder}chinook-postgres.sql`, "utf8");
    state.adopted = await adopt(script.slice(script.indexOf("CREATE TABLE")));
  });
  after(() => state.adopted?.stop());

  test("every table is a model, and the file type-checks", async () => {
    assert.deepEqual([...adopted().served.app.engine.schema.models.keys()].toSorted(), models);
    assert.equal(await adopted().place.typeErrors(), "");
  });

  testAnswers({
    served: () => adopted().served,
    // `"InvoiceLine"` is invoice_line there.
    query: (sql) =>
      adopted().query(sql.replace(/"(\w+)"/g, (_, name: string) => name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase())),
  });

  test("in the schema that was adopted nothing is made", async () => {
    const tables = await adopted().query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    assert.equal(tables.length, 11);
    const { ask } = adopted().served;
    assert.equal((await ask("artists", { method: "POST", body: JSON.stringify({ artistId: 9999, name: "New" }) })).status, 201);
    const records = await adopted().query("SELECT model, kind, row_id, version FROM holdfast._changes");
    assert.deepEqual(records, [["artists", "insert", "9999", "0"]]);
  });
});

const types = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s');
CREATE DOMAIN age AS integer CHECK (VALUE >= 0);
CREATE TABLE "Person" (
  "Id" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name varchar(40) NOT NULL UNIQUE,
  mood mood NOT NULL DEFAULT 'ok',
  age age,
  size text CHECK (size = ANY (ARRAY['S'::text, 'M'::text])),
  price numeric(10,2) NOT NULL DEFAULT 0 CHECK (price >= 0 AND price <= 1000),
  big numeric(30,10), any_number numeric, ratio real DEFAULT 0.1, score double precision,
  born date, at time, made timestamp NOT NULL DEFAULT now(), seen timestamptz, count bigint DEFAULT 0,
  doc jsonb DEFAULT '{}', raw json, photo bytea, is_vip boolean NOT NULL DEFAULT false, uid uuid DEFAULT gen_random_uuid(),
  address inet, code char(4), tags text[], period interval, place point,
  shout text GENERATED ALWAYS AS (upper(name)) STORED
);
COMMENT ON TABLE "Person" IS 'People */ of the shop';
COMMENT ON COLUMN "Person".price IS 'In euros,
before tax';
CREATE TABLE event (at timestamptz NOT NULL, person_id integer REFERENCES "Person" ON DELETE CASCADE, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE MATERIALIZED VIEW rich AS SELECT "Id", price FROM "Person" WHERE price > 100;
CREATE TABLE child (a integer, b text, PRIMARY KEY (a, b)); CREATE TABLE grand_child (id bigserial PRIMARY KEY, child_a integer, child_b text, FOREIGN KEY (child_b, child_a) REFERENCES child (b, a) ON DELETE SET DEFAULT);
CREATE SCHEMA other; CREATE TABLE other.far (id integer PRIMARY KEY); CREATE TABLE near (id integer PRIMARY KEY, far_id integer REFERENCES other.far (id));
`;

describe("types of PostgreSQL", needed, () => {
  const state: { adopted: Adopted | null } = { adopted: null };
  const adopted = () => state.adopted as Adopted;
  const send = async (line: string, data?: unknown) => {
    const [method = "GET", path = ""] = line.split(" ");
    return adopted().served.ask(path, { method, ...(data === undefined ? {} : { body: JSON.stringify(data) }) });
  };

  before(async () => {
    if (needed.skip === false) state.adopted = await adopt(types);
  });
  after(() => state.adopted?.stop());

  test("the file says what the database says, and type-checks", async () => {
    const text = adopted().place.read("backend.ts");
    for (const line of [
      "/** People *\\/ of the shop */",
      "   * before tax",
      'id: serial().column("Id", "integer")',
      'mood: choice("sad", "ok", "it\'s").default("ok").column("mood", "mood")',
      'age: integer().optional().column("age", "age")',
      'size: choice("S", "M").optional().column("size", "text")',
      'price: decimal(10, 2).min("0").max("1000").default("0").column("price", "numeric(10,2)")',
      'made: datetime().default(now).column("made", "timestamp without time zone")',
      'uid: uuid().optional().default(byDatabase).column("uid", "uuid")',
      'shout: text().optional().readOnly().default(byDatabase).column("shout", "text")',
      '.without("tags", "period", "place")',
      'child: belongsTo(() => children, { inverse: "grandChildren" }).optional().column("child_a", "child_b")',
    ])
      assert.ok(text.includes(line), `${line}\n${text}`);
    assert.equal(await adopted().place.typeErrors(), "");
    for (const why of [
      /Person\.tags: no field type holds text\[\]/,
      /near\.far_id: it refers to far of another schema/,
      /grand_child\.child_b, child_a: when the row of child goes/,
    ])
      assert.match(adopted().out, why);
  });

  test("rows are written and read in the types of the table", async () => {
    const given = {
      name: "Ann",
      mood: "it's",
      age: 3,
      size: "M",
      price: "12.50",
      ratio: 0.1,
      born: "2000-02-29",
      at: "10:11:12",
      seen: "2026-01-02T03:04:05.678Z",
      made: "2026-01-02T03:04:05.678Z",
      doc: { a: [1, "x"] },
      raw: [1],
      photo: "AP8=",
      address: "10.0.0.1",
      code: "ab",
      count: "9007199254740993",
      isVip: true,
    };
    const { status, body } = await send("POST people", given);
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual(
      { ...body, uid: "" },
      { id: 1, ...given, big: null, anyNumber: null, score: null, uid: "", shout: "ANN", address: "10.0.0.1/32" },
    );
  });

  test("filters, sums and orders go by the table's types", async () => {
    await send("POST people", { name: "Bob", price: "0.10", ratio: 0.2 });
    const names = async (query: string) =>
      (await answerOf(adopted().served, `people?${query}&sort=name`)).data.map(({ name }: Row) => name);
    for (const query of [
      "filter[mood]=it's",
      "filter[mood][in]=sad,it's",
      "filter[price][gt]=12.49",
      "filter[ratio]=0.1",
      "filter[made]=2026-01-02T03:04:05.678Z",
      "filter[made][lt]=2026-01-03T00:00:00Z",
      "filter[address]=10.0.0.1",
      "filter[count]=9007199254740993",
      "filter[code]=ab",
      "filter[doc.a][isNull]=false",
      "filter[isVip]=true",
      "filter[name][startsWith]=A",
      "filter[born][between]=2000-01-01,2000-12-31",
    ])
      assert.deepEqual(await names(query), ["Ann"], query);
    assert.deepEqual(
      (await answerOf(adopted().served, "people/aggregate?sum=price&max=made,mood&group=month(seen)&sort=-month(seen)")).data[0]
        .sum,
      { price: "12.50" },
    );
    const page = await answerOf(adopted().served, "people?sort=-made&limit=1");
    assert.equal((await answerOf(adopted().served, `people?sort=-made&limit=1&after=${page.page.next}`)).data.length, 1);
    assert.equal((await send("PATCH people/2", { price: { $add: "0.20" }, ratio: 0.5 })).body.price, "0.30");
    assert.deepEqual(await adopted().query(`SELECT price::text, ratio::text FROM "Person" WHERE "Id" = 2`), [["0.30", "0.5"]]);
  });

  test("partitions are one table, a table without a key and a materialized view are read only", async () => {
    await adopted().query(`INSERT INTO event VALUES ('2026-03-01', 1, 'x')`);
    assert.deepEqual((await answerOf(adopted().served, "events?fields=what,person.name")).data, [
      { what: "x", person: { name: "Ann" } },
    ]);
    assert.equal((await send("POST events", { what: "y" })).status, 404);
    assert.deepEqual((await answerOf(adopted().served, "riches")).data, []);
    assert.equal((await adopted().place.run("adopt", adopted().database.url, "--check")).code, 0);
  });

  test("composite keys and keys that the database counts", async () => {
    assert.equal((await send("POST children", { a: 1, b: "x,y" })).status, 201);
    const { status, body } = await send("POST grandChildren", { child: "1,x%2Cy" });
    assert.deepEqual([status, body.id, body.child], [201, 1, "1,x%2Cy"]);
    assert.deepEqual(await answerOf(adopted().served, "children/1,x%2Cy?fields=b,grandChildren.id"), {
      b: "x,y",
      grandChildren: [{ id: 1 }],
    });
    assert.equal((await send("DELETE people/1")).status, 204);
  });
});
