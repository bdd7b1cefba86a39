/** The PostgreSQL driver, on the library `pg`: serializable writes that share commits, reads that share round trips. */
import { failDatabase, type Database, type DatabaseState, type Statement } from "../../database.ts";
import { createConnections } from "./connections.ts";
import { createFunctions, isCurrent, versionText } from "./functions.ts";
import { runMigration } from "./migrate.ts";
import { type PostgresOptions, resolveOptions } from "./options.ts";
import { createReads } from "./reads.ts";
import { createTurns, runTransaction } from "./transactions.ts";
import { createWriteQueue } from "./write-queue.ts";

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
  if (!isCurrent(row?.[0]))
    await runMigration(
      connections,
      createFunctions().map((text) => ({ text, params: [] })),
    );
  return createDatabase(connections, settings);
}

async function importPg() {
  try {
    return await import("pg");
  } catch (error) {
    throw new Error("a postgres: URL needs the package pg: npm install pg", { cause: error });
  }
}

function createDatabase(
  connections: ReturnType<typeof createConnections>,
  settings: ReturnType<typeof resolveOptions>,
): Database {
  const reads = createReads(connections, settings);
  const queue = createWriteQueue(connections, settings);
  const turns = createTurns();
  const open = { reads: new Set<Promise<unknown>>(), writes: new Set<Promise<unknown>>() };
  let migrating: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return connections.isReachable() ? "ready" : "unreachable";
  }

  /** What runs is waited for on closing, and writes by a migration. */
  function track<T>(running: Set<Promise<unknown>>, work: () => Promise<T>): Promise<T> {
    if (closing !== null) return Promise.reject(failDatabase("database_closed"));
    const result = work();
    running.add(result);
    const forget = () => void running.delete(result);
    result.then(forget, forget);
    return result;
  }

  /** A write waits for the migrations that were submitted before it. */
  async function write<T>(work: () => Promise<T>): Promise<T> {
    return track(open.writes, migrating === null ? work : () => (migrating as Promise<void>).then(work));
  }

  async function migrate(statements: readonly Statement[]): Promise<void> {
    const before = [...open.writes];
    return write(() => {
      const run = Promise.allSettled(before).then(() => runMigration(connections, statements));
      const done: Promise<void> = Promise.allSettled([run]).then(() => {
        if (migrating === done) migrating = null;
      });
      migrating = done;
      return run;
    });
  }

  async function shutDown(): Promise<void> {
    while (open.reads.size + open.writes.size > 0) await Promise.allSettled([...open.reads, ...open.writes]);
    await queue.idle();
    await connections.close();
  }

  return Object.freeze({
    product: "postgres",
    read: (statement, readOptions) => track(open.reads, () => reads.read(statement, readOptions)),
    write: (unit) => write(() => queue.submit(unit)),
    transaction: (work, { timeoutMs = settings.transactionTimeoutMs } = {}) =>
      write(() => runTransaction({ connections, turns }, work, { timeoutMs, retriesMax: settings.retriesMax })),
    migrate,
    backup: () => Promise.reject(failDatabase("backup_unsupported")),
    state,
    close: () => (closing ??= shutDown()),
  } satisfies Database);
}
