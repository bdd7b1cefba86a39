/** The PostgreSQL driver keeps the contract of a database, on a real server. */
import { describe } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import type { Database } from "../../database.ts";
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
});
