/** The PostgreSQL driver keeps the contract of a database, on a real server. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { type Database, UnitRefused } from "../../database.ts";
import { runStep } from "../conformance-asks.ts";
import { kitTables, testDatabase } from "../conformance.ts";
import { openPostgres } from "./postgres.ts";

/** Opens a database of its own, which goes with it. */
async function openFresh(): Promise<Database> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const database = await openPostgres({ url });
  const close = async () => {
    await database.close();
    await drop();
  };
  return { ...database, close };
}

const tables = kitTables.map((text) =>
  text.replace("BLOB", "BYTEA").replace("REFERENCES people (id)", "REFERENCES people (id) DEFERRABLE"),
);

void describe("PostgreSQL", needsService("postgres"), () => {
  testDatabase("PostgreSQL", openFresh, tables);

  test("a text that is too long for an index is the row's fault, not the server's", async () => {
    const db = await openFresh();
    await db.migrate(tables.map((text) => ({ text, params: [] })));
    await db.migrate([
      { text: "CREATE INDEX films_title ON films (title)", params: [] },
      { text: "ALTER TABLE films ALTER title TYPE text", params: [] },
    ]);
    // Random, as what can be compressed fits.
    const title = randomBytes(9_000).toString("base64");
    const refused = await db
      .write([runStep("INSERT INTO films (id, title) VALUES (?, ?)", 1, title)])
      .catch((error: unknown) => error);
    assert.ok(refused instanceof UnitRefused && refused.reason === "check");
    await db.close();
  });
});
