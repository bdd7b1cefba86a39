/** The driver of MariaDB and MySQL, on the library `mysql2`: serializable writes that share commits, reads that cannot write. */
import { createLosers } from "../turns.ts";
import type { Database } from "../../database.ts";
import type { Reader } from "../../ddl.ts";
import { awaitServer } from "../found.ts";
import { createServerDatabase } from "../server.ts";
import { makeBeside, urlBeside } from "./catalog/beside.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createFunctions, versionText } from "./server/functions.ts";
import { replaceFunctions, runMigration } from "./migrate.ts";
import { withMigrator } from "./migrate/phases.ts";
import { type MysqlOptions, type MysqlSettings, resolveOptions } from "./options.ts";
import { createReads } from "./reads.ts";
import { HeldTransaction } from "./transactions.ts";
import { createUnitQueue } from "./units/unit-queue.ts";
import type { Variant } from "./variants/variant.ts";
import { createWakeups } from "./wakeups.ts";

export type { MysqlOptions, MysqlTrouble } from "./options.ts";

/**
 * Connects, and makes the functions `holdfast_…` that statements call where they are missing.
 * Fails with `database_unreachable` where nobody listens, with what the server says where it refuses, and with a sentence where
 * the server is too old.
 */
export async function openMysql(options: MysqlOptions): Promise<Database> {
  const settings = resolveOptions(options);
  const connections = createConnections(await importMysql(), settings);
  try {
    return createDatabase(connections, settings, await prepareServer(connections, settings));
  } catch (error) {
    await connections.close();
    throw error;
  }
}

/** The same where the tables are somebody else's: the functions are made in the database beside, which is made where it is missing. */
export async function openMysqlBeside(options: MysqlOptions): Promise<Database> {
  const settings = resolveOptions(options);
  const library = await importMysql();
  const connections = createConnections(library, settings);
  const beside = createConnections(library, { ...settings, url: urlBeside(settings.url) });
  try {
    await awaitServer(() => variantAt(connections), settings);
    await makeBeside(connections, settings.url);
    return createDatabase(connections, settings, await prepareServer(beside, settings));
  } catch (error) {
    await connections.close();
    throw error;
  } finally {
    await beside.close();
  }
}

/** Reads what the server says of itself, and makes nothing. Fails as `openMysql` does. */
export async function inspectMysql<T>(options: MysqlOptions, work: (read: Reader, variant: Variant) => Promise<T>): Promise<T> {
  const settings = resolveOptions(options);
  const connections = createConnections(await importMysql(), settings);
  try {
    const variant = await variantAt(connections);
    const reads = createReads(connections, settings, variant);
    return await work(async (text, params = []) => reads.read({ text, params }), variant);
  } finally {
    await connections.close();
  }
}

/** Asks which of the two servers it is. Fails as `openMysql` does. */
export async function recogniseMysql(options: MysqlOptions): Promise<Variant> {
  const settings = resolveOptions(options);
  const connections = createConnections(await importMysql(), settings);
  try {
    return await awaitServer(() => variantAt(connections), settings);
  } finally {
    await connections.close();
  }
}

const variantAt = (connections: Connections) => connections.use("read", async ({ variant }) => variant);

async function importMysql() {
  try {
    return await import("mysql2");
  } catch (error) {
    throw new Error("a mysql: URL needs the package mysql2: npm install mysql2", { cause: error });
  }
}

async function prepareServer(connections: Connections, settings: MysqlSettings): Promise<Variant> {
  const variant = await awaitServer(() => variantAt(connections), settings);
  const reads = createReads(connections, settings, variant);
  const functions = createFunctions(variant);
  const [known] = await reads.read({ text: versionText, params: [] });
  if (known?.[0] !== functions.version) await replaceFunctions(connections, functions);
  return variant;
}

function createDatabase(connections: Connections, settings: MysqlSettings, variant: Variant): Database {
  const reads = createReads(connections, settings, variant);
  const losers = createLosers();
  return createServerDatabase({
    ...settings,
    product: "mysql",
    read: (statement, options) => reads.read(statement, options),
    queue: createUnitQueue(connections, settings, losers),
    losers,
    hold: (work) => connections.use("write", (session) => work(new HeldTransaction(session))),
    migrate: (statements) => runMigration({ connections, settings }, statements),
    migrator: (work, isAlone) => withMigrator({ connections, settings }, isAlone, work),
    state: () => connections.state(),
    refusal: () => connections.refusal(),
    wakeups: createWakeups(reads),
    disconnect: () => connections.close(),
  });
}
