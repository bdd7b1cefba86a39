/** MariaDB adopted: Chinook answers as SQL by hand does, and a database of many types is served as it is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { needsService } from "../needs.ts";
import { testAnswers } from "./answers.ts";
import { folder, models, needsChinook } from "./chinook.ts";
import { type Adopted, adopt, nameBeside } from "./mariadb.ts";

const needed = needsService("mariadb");
const needsFile = needsChinook("chinook-mysql.sql");

const tablesOf = (schema: string) =>
  `select table_name from information_schema.tables where table_schema = '${schema}' order by binary table_name`;
const routinesOf = (schema: string) => `select count(*) from information_schema.routines where routine_schema = '${schema}'`;

describe("Chinook on MariaDB", needed.skip === false ? needsFile : needed, () => {
  const state: { adopted: Adopted | null } = { adopted: null };
  const adopted = () => state.adopted as Adopted;

  before(async () => {
    if (needed.skip !== false || needsFile.skip !== false) return;
    const script = readFileSync(`${folder}chinook-mysql.sql`, "utf8");
    state.adopted = await adopt(script.slice(script.indexOf("CREATE TABLE")));
  });
  after(() => state.adopted?.stop());

  test("every table is a model, and the file type-checks", async () => {
    assert.deepEqual([...adopted().served.app.engine.schema.models.keys()].toSorted(), models);
    assert.equal(await adopted().place.typeErrors(), "");
  });

  testAnswers({
    served: () => adopted().served, // Parts of texts are looked for to the letter, whatever the column's collation is.
    query: (sql) => adopted().query(sql.replace(" like '", " like binary '")),
  });

  test("in the database that was adopted nothing is made", async () => {
    const { query, served, url } = adopted();
    const own = new URL(url).pathname.slice(1);
    assert.equal((await query(tablesOf(own))).length, 11);
    assert.deepEqual((await query(routinesOf(own))).map(String), ["0"]);
    assert.equal(
      (await served.ask("artists", { method: "POST", body: JSON.stringify({ artistId: 9999, name: "New" }) })).status,
      201,
    );
    const records = await query(`SELECT model, kind, row_id, version FROM ${nameBeside(url)}._changes`);
    assert.deepEqual(records.map(String), ["artists,insert,9999,0"]);
    assert.deepEqual((await query(tablesOf(nameBeside(url)))).flat(), ["_changes", "_commits", "_idempotency", "_journal"]);
  });
});
