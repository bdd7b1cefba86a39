/** Statements that look at a whole table leave the main thread; those that an index answers stay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqlite } from "./sqlite.ts";

const rows = 20_000;

test("a read without an index runs apart once the database is not small", async () => {
  const database = openSqlite({ file: ":memory:" });
  await database.migrate([
    { text: "create table t (id integer primary key, a text not null, b integer not null) strict", params: [] },
    { text: "create index t_b on t (b)", params: [] },
  ]);
  const scan = { text: "select id from t where a = ? limit 1", params: ["x"] };
  const search = { text: "select id from t where b = ? limit 1", params: [7] };
  const sort = { text: "select id from t order by a limit 1", params: [] };
  const page = { text: "select id from t order by id limit 1", params: [] };
  assert.ok(Array.isArray(database.read(scan, { scan: "filtered" })), "small: answered at once");
  const series = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)";
  await database.write([
    { text: `${series} insert into t select i, printf('%0200d', i), i % 1000 from n`, kind: "run", params: [rows] },
  ]);
  assert.deepEqual(await away(database.read(scan, { scan: "filtered" })), []);
  assert.deepEqual(await away(database.read(sort, { scan: "sorted" })), [[1]]);
  assert.ok(Array.isArray(database.read(search, { scan: "filtered" })));
  assert.ok(Array.isArray(database.read(page, { scan: "sorted" })));
  await database.close();
});

async function away<T>(answer: T | Promise<T>): Promise<T> {
  assert.ok(answer instanceof Promise, "runs apart");
  return answer;
}
