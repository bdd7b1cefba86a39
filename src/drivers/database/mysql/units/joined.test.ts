/** Which statements become one for many, and how: without a server, as what comes of it there is in the conformance kit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Step } from "../../../database.ts";
import * as joined from "./joined.ts";
import { mariadb } from "../variants/mariadb.ts";

const joinReads = (text: string, all: Parameters<typeof joined.joinReads>[1]) => joined.joinReads(text, all, mariadb.collation);
const joinStep = (step: Step, all: Parameters<typeof joined.joinStep>[1]) => joined.joinStep(step, all, mariadb.collation);

const table =
  "json_table(?, '$[*]' columns (o for ordinality, p0 longtext character set utf8mb4 collate utf8mb4_nopad_bin path '$[0]')) u";

test("a read of one row becomes a join with the rows of parameters", () => {
  const text = `select '{"a":' || t0."from x" || '}', (select count(*) from "t" t1 where t1."b" = t0."b") from "t" t0 where t0."id" = ?`;
  assert.deepEqual(joinReads(text, [["a"], [null], ['"\\\u0001😀']]), {
    text: `select u.o, '{"a":' || t0."from x" || '}', (select count(*) from "t" t1 where t1."b" = t0."b") from ${table} straight_join "t" t0 where t0."id" = json_unquote(json_quote(u.p0))`,
    params: ['[["a"],[null],["\\"\\\\\\u0001😀"]]'],
  });
});

test("what sorts, cuts, counts or is no list is left as it is", () => {
  const where = 'from "t" t0 where t0."id" = ?';
  for (const text of [
    `select a ${where} order by a`,
    `select a ${where} limit 1`,
    `select a ${where} group by a`,
    `select a ${where} union select 1`,
    `select distinct a ${where}`,
    `select count(*) ${where}`,
    `select case when max(a) > 1 then 'no' end ${where}`,
    `select coalesce(sum(a), 0) ${where}`,
    "with r as (select ?) select * from r",
    "select a\nfrom t where b = ?",
  ])
    assert.equal(joinReads(text, [["a"], ["b"]]), null, text);
});

test("inserts are joined, with their rows in order; bytes, and what is too long, are not", () => {
  const step = (text: string): Step => ({ text, kind: "run", params: [] });
  const values = step('insert into "t" ("a", "b") values (?, \'from ? here\')');
  assert.equal(
    joinStep(values, [["x"], ["y"]])?.text,
    `insert into "t" ("a", "b") select json_unquote(json_quote(u.p0)), 'from ? here' from ${table}`,
  );
  const copied = step('insert into "r" ("a") select t0."a" from "t" t0 where t0."id" = ?');
  assert.equal(
    joinStep(copied, [[1], [2]])?.text,
    `insert into "r" ("a") select t0."a" from ${table} straight_join "t" t0 where t0."id" = json_unquote(json_quote(u.p0))`,
  );
  assert.equal(joinStep(step('update "t" set "a" = ?'), [[1], [2]]), null);
  assert.equal(joinStep(values, [[new Uint8Array(1)], [null]]), null);
  assert.equal(joinStep(values, [["x".repeat(150_000)], ["x".repeat(150_000)]]), null);
});

test("changes are joined by their own keys, unless a name of theirs would be of the rows of parameters too", () => {
  const step = (text: string): Step => ({ text, kind: "run", params: [] });
  const update = step('update "a where b" set "a" = ?, "v" = "v" + 1 where "id" = (select 1 where 1 = 1) and "c" = \' where ?\'');
  assert.equal(
    joinStep(update, [["x"], ["y"]])?.text,
    `update ${table} straight_join "a where b" set "a" = json_unquote(json_quote(u.p0)), "v" = "v" + 1 where "id" = (select 1 where 1 = 1) and "c" = ' where ?'`,
  );
  const gone = step('delete from "t" where "id" = ?');
  assert.equal(
    joinStep(gone, [["x"], ["y"]])?.text,
    `delete "t" from ${table} straight_join "t" where "id" = json_unquote(json_quote(u.p0))`,
  );
  for (const text of [
    'update "t" set "p0" = ? where "id" = 1',
    'delete from "t" where "O" = ?',
    'delete from "t" where "id" = 1',
  ])
    assert.equal(joinStep(step(text), [["x"], ["y"]]), null, text);
});

test("rows that the server counts are told to it one after the other, as many as a power of two", () => {
  const step: Step = {
    text: 'insert into "t" ("a", "b") values (?, cast(? as signed)) returning "id"',
    kind: "rows",
    params: [],
  };
  const four = [
    ["w", 1],
    ["x", 2],
    ["y", 3],
    ["z", 4],
  ];
  const values = Array.from({ length: 4 }, () => "(?, cast(? as signed))").join(", ");
  assert.deepEqual(joinStep(step, four), {
    text: `insert into "t" ("a", "b") values ${values} returning "id"`,
    params: four.flat(),
    step,
    isNumbered: false,
  });
  assert.equal(joinStep(step, four.slice(1)), null);
  assert.equal(
    joinStep(
      step,
      Array.from({ length: 128 }, () => ["x", 1]),
    ),
    null,
  );
});
