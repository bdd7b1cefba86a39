/** The MariaDB driver keeps the contract of a database, on a real server. */
import { describe } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import type { Database } from "../../database.ts";
import { kitTables, testDatabase } from "../conformance.ts";
import { openMysql } from "./mysql.ts";

/** Opens a database of its own, which goes with it. */
async function openFresh(): Promise<Database> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const database = await openMysql({ url });
  const close = async () => {
    await database.close();
    await drop();
  };
  return { ...database, close };
}

// Without these the server's own defaults decide.
const tables = kitTables.map(
  (text) =>
    `${text.replace("BLOB", "LONGBLOB").replace("TEXT", "LONGTEXT")} engine = InnoDB character set utf8mb4 collate utf8mb4_nopad_bin`,
);

void describe("MariaDB", needsService("mariadb"), () => {
  testDatabase("MariaDB", openFresh, tables);
});
