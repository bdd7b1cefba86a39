/** What PostgreSQL does with the dialect's text where the text alone does not tell. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client } from "pg";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { postgresDialect } from "./dialect.ts";
import { toPositional } from "./text.ts";

const query = "select id from t where id > ? order by id";
const runs = 10;

void describe("PostgreSQL's planner", needsService("postgres"), () => {
  test("a page is not planned anew at each run", async () => {
    // The first five are planned for their values, whatever the statement is.
    assert.equal(await countPlannings(postgresDialect.sorting.first(query, "?", 101)), 5);
  });

  test("planning anew is what a bare parameter costs, and what is counted", async () => {
    assert.equal(await countPlannings(postgresDialect.sorting.first(query, "?", null)), runs);
  });
});

/** How often a prepared statement is planned for the values that it is run with. */
async function countPlannings(text: string): Promise<number> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("create table t (id integer primary key); insert into t select generate_series(1, 10000); analyze t");
    for (let run = 0; run < runs; run++) {
      const { rows } = await client.query<{ id: number }>({ name: "page", text: toPositional(text), values: [run, 3] });
      assert.deepEqual(
        rows.map(({ id }) => id),
        [run + 1, run + 2, run + 3],
      );
    }
    const { rows } = await client.query<{ count: number }>("select custom_plans::integer count from pg_prepared_statements");
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
    await drop();
  }
}
