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
import { answerOf, createPlace, type Place, type Row, type Served } from "./place.ts";

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
  await client.query(sql);
  const place = createPlace();
  const { code, out, err } = await place.run("adopt", database.url, "--read-only-for", "staff");
  assert.equal(code, 0, `${out}${err}`);
  place.write(
    "open.ts",
    place.read("backend.ts").replaceAll('read: me.has("staff")', 'read: me.has("staff"), write: me.has("staff")'),
  );
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
