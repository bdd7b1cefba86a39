/** The PostgreSQL driver, on the library `pg`: serializable writes that share commits, reads that share round trips. */
import { setTimeout as pause } from "node:timers/promises";
import { AppError, reasonOf } from "../../../base/errors.ts";
import { failDatabase, type Database, type DatabaseState, type Statement } from "../../database.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createFunctions, isCurrent, versionText } from "./functions.ts";
import { runMigration } from "./migrate.ts";
import { type PostgresOptions, type PostgresSettings, resolveOptions } from "./options.ts";
import { createReads } from "./reads.ts";
import { createTurns, runTransaction } from "./transactions.ts";
import { WriteQueue } from "./write-queue.ts";

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
    await awaitServer(connections, settings);
    const [row] = await createReads(connections, settings).read({ text: versionText, params: [] });
    if (!isCurrent(row?.[0])) await runMigration(connections, createFunctions().map(toStatement));
    return createDatabase(connections, settings);
  } catch (error) {
    connections.destroy();
    throw error;
  }
}

function toStatement(text: string): Statement {
  return { text, params: [] };
}

const pauseMs = 250;

/** Waits for a server that is not there yet, within its time; what a server says that is there is told at once. */
async function awaitServer(connections: Connections, { startTimeoutMs, onTrouble }: PostgresSettings): Promise<void> {
  const giveUpMs = performance.now() + startTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connections.use("read", async () => {});
    } catch (error) {
      const isAbsent = error instanceof AppError && (error.code === "database_unreachable" || error.code === "database_busy");
      if (!isAbsent || performance.now() >= giveUpMs) throw error;
      if (attempt === 1) onTrouble({ kind: "database_awaited", message: reasonOf(error) });
      await pause(pauseMs);
    }
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
  const queue = new WriteQueue(connections, settings);
  const turns = createTurns();
  const open = { reads: new Set<Promise<unknown>>(), writes: new Set<Promise<unknown>>() };
  let migrating: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  let closeTimer: NodeJS.Timeout | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return connections.state();
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

  /** Lets work in progress end; where none ends for a while, nobody is there to end it. */
  async function shutDown(): Promise<void> {
    closeTimer = setTimeout(() => connections.destroy(), settings.closeTimeoutMs);
    while (open.reads.size + open.writes.size > 0) await Promise.all([...open.reads, ...open.writes]);
    await queue.idle();
    clearTimeout(closeTimer);
    connections.close();
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
