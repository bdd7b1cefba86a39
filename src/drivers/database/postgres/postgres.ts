/** The PostgreSQL driver, on the library `pg`: serializable writes that share commits, reads that share round trips. */
import type { Database } from "../../database.ts";
import type { Reader } from "../../ddl.ts";
import { createServerDatabase } from "../server.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createFunctions, isCurrent, versionText } from "./functions.ts";
import { commit, createMigrator, runTogether, withMigrationLock } from "./migrate.ts";
import { type PostgresOptions, type PostgresSettings, resolveOptions } from "./options.ts";
import { createReads } from "./reads.ts";
import { HeldTransaction } from "./transactions.ts";
import { createUnitQueue } from "./unit-queue.ts";

export type { PostgresOptions, PostgresTrouble } from "./options.ts";

/**
 * Connects, and makes the schema `holdfast` with the functions that statements call where it is missing.
 * Fails with `database_unreachable` where nobody listens, and with what the server says where it refuses.
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const settings = resolveOptions(options);
  const { default: pg } = await importPg();
  const connections = createConnections(pg as never, settings);
  const [row] = await createReads(connections, settings).read({ text: versionText, params: [] });
  if (!isCurrent(row?.[0])) {
    const statements = createFunctions().map((text) => ({ text, params: [] }));
    const migrating = { connections, settings };
    await withMigrationLock(migrating, (client) => runTogether(client, migrating, { statements, end: commit }));
  }
  return createDatabase(connections, settings);
}

/** Reads what the server says of itself, and makes nothing. Fails as `openPostgres` does. */
export async function inspectPostgres<T>(options: PostgresOptions, work: (read: Reader) => Promise<T>): Promise<T> {
  const settings = resolveOptions(options);
  const { default: pg } = await importPg();
  const connections = createConnections(pg as never, settings);
  const reads = createReads(connections, settings);
  try {
    return await work(async (text, params = []) => reads.read({ text, params }));
  } finally {
    await connections.close();
  }
}

async function importPg() {
  try {
    return await import("pg");
  } catch (error) {
    throw new Error("a postgres: URL needs the package pg: npm install pg", { cause: error });
  }
}

function createDatabase(connections: Connections, settings: PostgresSettings): Database {
  const reads = createReads(connections, settings);
  const migrating = { connections, settings };
  return createServerDatabase({
    ...settings,
    product: "postgres",
    read: (statement, options) => reads.read(statement, options),
    queue: createUnitQueue(connections, settings),
    hold: (work) => connections.use("write", (client) => work(new HeldTransaction(client, connections))),
    migrate: (statements) =>
      withMigrationLock(migrating, (client) => runTogether(client, migrating, { statements, end: commit })),
    migrator: (work, isAlone) => withMigrationLock(migrating, (client) => work(createMigrator(client, migrating, isAlone))),
    isReachable: () => connections.isReachable(),
    disconnect: () => connections.close(),
  });
}
