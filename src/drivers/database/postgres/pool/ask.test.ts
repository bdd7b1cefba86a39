/** Statements run by the library: what is known of their columns is asked once, and is never older than the columns. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { Client, Query } from "pg";
import { needsService } from "../../../../../test/needs.ts";
import { freshDatabase } from "../../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../../test/servers/names.ts";
import { openPostgres } from "../postgres.ts";
import { createAsk, type Landed, type LibraryQuery } from "./ask.ts";

const ask = createAsk(Query as unknown as LibraryQuery);

async function connect(t: TestContext) {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const client = new Client({ connectionString: url, pipeline: true });
  await client.connect();
  t.after(async () => {
    await client.end();
    await drop();
  });
  const run = (text: string, values: readonly (string | null)[] | null = []) =>
    new Promise<Landed>((resolve, reject) => {
      const asked = { name: values === null ? "" : text, text, values };
      ask(client, asked, (landed, error) => (landed === null ? reject(error as Error) : resolve(landed)));
    });
  return { url, client, run };
}

void describe("statements that the library runs", needsService("postgres"), () => {
  test("are asked for their columns once", async (t) => {
    const { client, run } = await connect(t);
    let described = 0;
    const { connection } = client as unknown as { readonly connection: NodeJS.EventEmitter };
    connection.on("rowDescription", () => described++);
    const text = "select $1::integer, $2::text, null::bytea";
    // The second is sent before the first is answered, so that it has to ask too.
    const [first, second] = await Promise.all([run(text, ["1", "a"]), run(text, ["2", "b"])]);
    assert.deepEqual([first?.rows, second?.rows], [[[1, "a", null]], [[2, "b", null]]]);
    assert.equal(described, 2);
    assert.deepEqual((await run(text, ["3", "c"])).rows, [[3, "c", null]]);
    assert.equal(described, 2);
  });

  test("say how many rows they changed or returned", async (t) => {
    const { run } = await connect(t);
    const counts: number[] = [];
    for (const text of ["create table t (v integer)", "begin", "insert into t values (1), (2)", "update t set v = 3", "commit"])
      counts.push((await run(text, null)).count);
    const insert = "insert into t select unnest($1::integer[])";
    for (const values of ["{4,5,6}", "{}"]) counts.push((await run(insert, [values])).count);
    counts.push((await run("select v from t")).count);
    assert.deepEqual(counts, [0, 0, 2, 2, 0, 3, 0, 5]);
  });

  test("fail by themselves", async (t) => {
    const { run } = await connect(t);
    const told = await Promise.allSettled([
      run("select 1"),
      run("select nowhere"),
      run("select 1 / $1::integer", ["0"]),
      run("select 2"),
    ]);
    assert.deepEqual(
      told.map((one) => (one.status === "fulfilled" ? one.value.rows : (one.reason as { readonly code: string }).code)),
      [[[1]], "42703", "22012", [[2]]],
    );
  });

  test("are read as what their columns have become", async (t) => {
    const { url, run } = await connect(t);
    await run("create table t (v integer)", null);
    await run("insert into t values (7)", null);
    const db = await openPostgres({ url });
    t.after(() => db.close());
    const read = () => db.read({ text: "select v from t", params: [] });
    const reads = { text: "select v from t where v is not null and ? = '' limit 10", params: [""] };
    assert.deepEqual([await read(), await db.read(reads), await db.read(reads)], [[[7]], [[7]], [[7]]]);
    await run("alter table t alter v type text", null);
    assert.deepEqual([await read(), await db.read(reads), await db.read(reads)], [[["7"]], [["7"]], [["7"]]]);
  });
});
