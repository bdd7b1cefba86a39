/** Several workers on one port and one database of a server: the same holds as on a file. */
import { describe, type TestContext } from "node:test";
import { verifyMysql } from "./crash/verify-mysql.ts";
import { verifyPostgres } from "./crash/verify-postgres.ts";
import { needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { type ServiceName, serviceUrl } from "./servers/names.ts";
import { promiseTests } from "./workers/promises.ts";

async function openOn(server: ServiceName, t: TestContext): Promise<string> {
  const { url, drop } = await freshDatabase(serviceUrl(server));
  t.after(drop);
  return url;
}

describe("workers on PostgreSQL", needsService("postgres"), () =>
  promiseTests({ open: (t) => openOn("postgres", t), verify: verifyPostgres }),
);
describe("workers on MariaDB", needsService("mariadb"), () =>
  promiseTests({ open: (t) => openOn("mariadb", t), verify: verifyMysql }),
);
describe("workers on MySQL", needsService("mysql"), () => promiseTests({ open: (t) => openOn("mysql", t), verify: verifyMysql }));
