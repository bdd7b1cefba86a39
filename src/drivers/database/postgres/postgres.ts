/** The PostgreSQL driver, on the library `pg`: serializable writes that share commits, reads that share round trips. */
import { createLosers } from "../turns.ts";
import type { Client } from "pg";
import type { Database, ReadOptions, Statement } from "../../database.ts";
import type { Reader } from "../../ddl.ts";
import { awaitServer } from "../found.ts";
import { createServerDatabase } from "../server.ts";
import { type Connections, createConnections, useAnother } from "./connections.ts";
import { createFunctions, isCurrent, versionText } from "./functions.ts";
import { commit, createMigrator, runTogether, withMigrationLock } from "./migrate.ts";
import { type PostgresOptions, type PostgresSettings, resolveOptions } from "./options.ts";
import { createReads } from "./reads.ts";
import { createReplicas, type Replicas } from "./replicas/replicas.ts";
import { HeldTransaction } from "./transactions.ts";
import { createUnitQueue } from "./unit-queue.ts";
import { createWakeups } from "./wakeups/wakeups.ts";

export type { PostgresOptions, PostgresTrouble } from "./options.ts";

/**
 * Connects, and makes the schema `holdfast` with the functions that statements call where it is missing.
 * Fails with `database_unreachable` where nobody listens, and with what the server says where it refuses.
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const settings = resolveOptions(options);
  const { default: pg } = await importPg();
  const connections = createConnections(pg, settings);
  try {
    await awaitServer(() => connections.use("read", async () => {}), settings);
    const [row] = await createReads(connections, settings).read({ text: versionText, params: [] });
    if (!isCurrent(row?.[0])) {
      const statements = createFunctions().map(toStatement);
      const migrating = { connections, settings };
      await withMigrationLock(migrating, (client) => runTogether(client, migrating, { statements, end: commit }));
    }
    const replicas = settings.replicas.length > 0 ? await createReplicas(pg, connections, settings) : null;
    return createDatabase(connections, settings, replicas);
  } catch (error) {
    connections.destroy();
    throw error;
  }
}

function toStatement(text: string): Statement {
  return { text, params: [] };
}

/** Reads what the server says of itself, and makes nothing. Fails as `openPostgres` does. */
export async function inspectPostgres<T>(options: PostgresOptions, work: (read: Reader) => Promise<T>): Promise<T> {
  const settings = resolveOptions(options);
  const { default: pg } = await importPg();
  const connections = createConnections(pg, settings);
  const reads = createReads(connections, settings);
  try {
    return await work(async (text, params = []) => reads.read({ text, params }));
  } finally {
    connections.close();
  }
}

async function importPg() {
  try {
    return await import("pg");
  } catch (error) {
    throw new Error("a postgres: URL needs the package pg: npm install pg", { cause: error });
  }
}

function createDatabase(connections: Connections, settings: PostgresSettings, replicas: Replicas | null): Database {
  const losers = createLosers();
  const reads = createReads(connections, settings);
  const read = async (statement: Statement, options: ReadOptions | undefined) => {
    const rows = options?.since === undefined ? null : ((await replicas?.read(statement, options)) ?? null);
    return rows ?? reads.read(statement, options);
  };
  const migrating = { connections, settings };
  /** No replica answers with what was before the migration. */
  const migrate = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    try {
      return await withMigrationLock(migrating, work);
    } finally {
      await replicas?.raise();
    }
  };
  return createServerDatabase({
    ...settings,
    product: "postgres",
    read,
    queue: createUnitQueue(connections, settings, losers),
    losers,
    hold: (work) => useAnother(connections, (client) => work(new HeldTransaction(client, connections, settings))),
    migrate: (statements) => migrate((client) => runTogether(client, migrating, { statements, end: commit })),
    migrator: (work, isAlone) => migrate((client) => work(createMigrator(client, migrating, isAlone))),
    state: () => connections.state(),
    refusal: () => connections.refusal(),
    wakeups: createWakeups(connections, settings),
    async disconnect() {
      replicas?.close();
      connections.close();
    },
    abandon() {
      replicas?.destroy();
      connections.destroy();
    },
    ...(replicas === null ? {} : { following: replicas.following }),
  });
}
