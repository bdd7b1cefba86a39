/** A MariaDB database of many types is served as it is. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { type Adopted, adopt } from "./mariadb.ts";
import { answerOf, type Row } from "./place.ts";

const needed = needsService("mariadb");

const types = `
CREATE TABLE Person (
  Id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  name varchar(40) NOT NULL UNIQUE COLLATE utf8mb4_general_ci,
  nick varchar(40) CHARACTER SET latin1, note text COLLATE utf8mb4_unicode_ci,
  mood enum('sad', 'ok', 'it''s', 'back\\\\slash') NOT NULL DEFAULT 'ok',
  tags set('x', 'y', 'z'),
  size varchar(2) CHECK (size IN ('S', 'M')),
  price decimal(10,2) NOT NULL DEFAULT 0 COMMENT 'In euros,
before tax' CHECK (price >= 0 AND price <= 1000),
  big decimal(30,10), ratio float DEFAULT 0.1, score double,
  born date, at time, at_ms time(3), made datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, seen timestamp(6) NULL, exact datetime(6),
  count bigint DEFAULT 0, wide bigint unsigned, huge bigint unsigned, small smallint unsigned, zeros int(6) unsigned zerofill, y year,
  doc json DEFAULT '{}', photo blob, code binary(4), is_vip tinyint(1) NOT NULL DEFAULT 0, flag bit(1) DEFAULT b'1', bits bit(8),
  uid uuid DEFAULT uuid(), address inet6, pad char(4), place point,
  shout varchar(40) AS (upper(name)) STORED,
  changed timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  KEY by_mood (mood), KEY by_note (note(10)), CHECK (length(name) > 1)
) COMMENT 'People */ of the shop';
CREATE VIEW rich AS SELECT Id, price FROM Person WHERE price > 100;
CREATE TABLE old (id int PRIMARY KEY, what text) ENGINE=MyISAM; INSERT INTO old VALUES (1, 'x');
CREATE TABLE log (what text, person_id bigint unsigned, FOREIGN KEY (person_id) REFERENCES Person (Id) ON DELETE CASCADE);
CREATE TABLE child (a int, b varchar(20), PRIMARY KEY (a, b));
CREATE TABLE grand_child (id bigint AUTO_INCREMENT PRIMARY KEY, child_a int, child_b varchar(20), FOREIGN KEY (child_a, child_b) REFERENCES child (a, b));
INSERT INTO Person (name, huge, ratio) VALUES ('Huge', 18446744073709551615, 7);
`;

describe("types of MariaDB", needed, () => {
  const state: { adopted: Adopted | null } = { adopted: null };
  const adopted = () => state.adopted as Adopted;
  const send = async (line: string, data?: unknown) => {
    const [method = "GET", path = ""] = line.split(" ");
    return adopted().served.ask(path, { method, ...(data === undefined ? {} : { body: JSON.stringify(data) }) });
  };
  const names = async (query: string) => (await answerOf(adopted().served, `people?${query}`)).data.map(({ name }: Row) => name);

  before(async () => {
    if (needed.skip === false) state.adopted = await adopt(types);
  });
  after(() => state.adopted?.stop());

  test("the file says what the database says, and type-checks", async () => {
    const text = adopted().place.read("backend.ts");
    for (const line of [
      "/** People *\\/ of the shop */",
      "   * before tax",
      'id: serial().column("Id", "bigint(20) unsigned")',
      `mood: choice("sad", "ok", "it's", "back\\\\slash")`,
      'size: choice("S", "M").optional().column("size", "varchar(2)")',
      'price: decimal(10, 2).min("0").max("1000").default("0").column("price", "decimal(10,2)")',
      'made: datetime().default(now).column("made", "datetime")',
      'small: integer().min(0).optional().column("small", "smallint(5) unsigned")',
      'isVip: boolean().default(false).column("is_vip", "tinyint(1)")',
      'flag: boolean().optional().default(true).column("flag", "bit(1)")',
      'uid: uuid().optional().default(byDatabase).column("uid", "uuid")',
      'doc: json().optional().default(byDatabase).column("doc", "longtext")',
      'shout: text().max(40).optional().readOnly().default(byDatabase).column("shout", "varchar(40)")',
      '.without("huge", "bits", "place")',
      'child: belongsTo(() => children, { inverse: "grandChildren" }).optional().column("child_a", "child_b")',
    ])
      assert.ok(text.includes(line), `${line}\n${text}`);
    assert.equal(await adopted().place.typeErrors(), "");
    for (const why of [
      /Person\.huge: holds numbers beyond 63 bits/,
      /Person\.place: no field type holds point/,
      /Person\.changed: is set anew by the database/,
      /Person: the database alone judges CHECK \(octet_length\("name"\) > 1\)|Person: the database alone judges CHECK \(length/,
    ])
      assert.match(adopted().out, why);
    assert.equal((await adopted().place.run("adopt", adopted().url, "--check")).code, 0);
  });

  const given = {
    name: "Ann",
    nick: 'Zoë "\\',
    note: "🎂\u0001",
    mood: "it's",
    tags: "x,z",
    size: "M",
    price: "12.50",
    big: 12.5,
    ratio: 0.1,
    score: 1e21,
    born: "2000-02-29",
    at: "10:11:12",
    atMs: "10:11:12",
    seen: "2026-01-02T03:04:05.678Z",
    exact: "2026-01-02T03:04:05.678Z",
    made: "2026-01-02T03:04:05.000Z",
    count: "9007199254740993",
    wide: "9223372036854775807",
    small: 7,
    zeros: 42,
    y: 2026,
    doc: { a: [1, "x"] },
    photo: "AP8=",
    code: "AAECAw==",
    isVip: true,
    flag: false,
    address: "::1",
    pad: "ab",
  };

  test("rows are written and read in the types of the table", async () => {
    const { status, body } = await send("POST people", given);
    assert.equal(status, 201, JSON.stringify(body));
    const { uid, changed, ...rest } = body;
    assert.match(uid, /^[0-9a-f-]{36}$/);
    assert.match(changed, /Z$/);
    assert.deepEqual(rest, { id: 2, ...given, shout: "ANN" });
    assert.deepEqual(await answerOf(adopted().served, "people/2"), body);
  });

  test("filters go by the table's types", async (t) => {
    await send("POST people", { name: "Bob", price: "0.10", ratio: 16777216, mood: "sad", tags: "y" });
    for (const query of [
      "filter[mood]=it's",
      "filter[mood][in]=it's,back\\slash",
      "filter[tags]=z,x",
      "filter[tags][contains]=z",
      "filter[price][gt]=12.49",
      "filter[ratio]=0.1",
      "filter[ratio][in]=0.1,5",
      "filter[made]=2026-01-02T03:04:05.000Z",
      "filter[seen]=2026-01-02T03:04:05.678Z",
      "filter[exact][in]=2026-01-02T03:04:05.678Z",
      "filter[address]=::1",
      "filter[count]=9007199254740993",
      "filter[pad]=ab",
      "filter[doc.a][isNull]=false",
      "filter[isVip]=true",
      "filter[flag]=false",
      "filter[y]=2026",
      "filter[zeros][gte]=42",
      "filter[name]=ann",
      "filter[name][in]=ann,zoe",
      "filter[note][in]=🎂\u0001",
      'filter[nick][in]=zoë "\\,日本',
      "filter[nick][startsWith]=Zo",
      "filter[born][between]=2000-01-01,2000-12-31",
      `filter[uid]=${(await answerOf(adopted().served, "people/2")).uid}`,
    ])
      await t.test(query, async () =>
        assert.deepEqual(await names(query.replaceAll("\\", "%5C").replace("\u0001", "%01")), ["Ann"]),
      );
    assert.equal((await answerOf(adopted().served, "people/3")).ratio, 16777216);
    assert.equal((await send("PATCH people/3", { tags: "y,none" })).status, 422);
  });

  test("every order is gone through page by page", async () => {
    const { data } = await answerOf(adopted().served, "people");
    const sortable = Object.keys(data[0]).filter((name) => !["doc", "photo", "code"].includes(name));
    for (const name of sortable)
      for (const sort of [name, `-${name}`]) {
        const seen: number[] = [];
        for (let path: string | null = `people?sort=${sort}&limit=1`; path !== null && seen.length < 9; ) {
          const { data: rows, page }: Row = await answerOf(adopted().served, path);
          seen.push(...rows.map(({ id }: Row) => id));
          path = page.next === null ? null : `people?sort=${sort}&limit=1&after=${page.next}`;
        }
        const whole = (await answerOf(adopted().served, `people?sort=${sort}`)).data.map(({ id }: Row) => id);
        assert.deepEqual([sort, seen], [sort, whole]);
      }
  });

  test("sums, groups and additions", async () => {
    const { served } = adopted();
    const sums = await answerOf(served, "people/aggregate?sum=price,ratio,small&max=made,mood,tags,y&avg=ratio&count=*");
    assert.deepEqual(
      { ...sums.data[0], avg: null, max: { ...sums.data[0].max, made: "" } },
      {
        count: 3,
        sum: { price: "12.60", ratio: 16777223.1, small: 7 },
        avg: null,
        max: { made: "", mood: "it's", tags: "x,z", y: 2026 },
      },
    );
    const groups = await answerOf(served, "people/aggregate?group=mood,month(seen)&count=*&sort=mood");
    assert.deepEqual(
      groups.data.map(({ group }: Row) => group.mood),
      ["sad", "ok", "it's"],
    );
    assert.equal((await send("PATCH people/3", { price: { $add: "0.20" }, ratio: 0.5 })).body.price, "0.30");
    assert.equal((await send("PATCH people/2", { small: { $add: -3 } })).body.small, 4);
    assert.equal((await send("PATCH people/2", { small: { $add: -30 } })).status, 422);
    assert.equal((await send("POST people", { name: "ANN" })).status, 409);
  });

  test("views, tables without a key and of another engine are read only", async () => {
    const { served, query } = adopted();
    await query("INSERT INTO log VALUES ('x', 2)");
    assert.deepEqual((await answerOf(served, "logs?fields=what,person.name")).data, [{ what: "x", person: { name: "Ann" } }]);
    assert.deepEqual((await answerOf(served, "riches")).data, []);
    assert.deepEqual((await answerOf(served, "olds")).data, [{ id: 1, what: "x" }]);
    for (const model of ["logs", "olds"]) assert.equal((await send(`POST ${model}`, { what: "y" })).status, 404);
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
