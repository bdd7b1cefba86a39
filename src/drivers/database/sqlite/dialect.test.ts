/** What SQLite does with the dialect's text where the text alone does not tell. */
import assert from "node:assert/strict";
import { constants, DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sqliteDialect } from "./dialect.ts";

test("a page is not planned anew at each run", () => {
  assert.equal(countPlannings(sqliteDialect.sorting.first(query, "?", null)), 0);
});

test("planning anew is what a bare parameter costs, and what is counted", () => {
  assert.ok(countPlannings(`${query} limit ?`) > 0);
});

const query = "select id from t order by id";

/** How often SQLite asks what a statement may do, which it does as it plans, while one that is prepared runs. */
function countPlannings(text: string): number {
  const db = new DatabaseSync(":memory:");
  db.exec("create table t (id integer primary key) strict; insert into t values (1), (2)");
  let count = 0;
  db.setAuthorizer(() => {
    count++;
    return constants.SQLITE_OK;
  });
  const statement = db.prepare(text);
  count = 0;
  assert.equal(statement.all(1).length, 1);
  assert.equal(statement.all(2).length, 2);
  db.close();
  return count;
}
