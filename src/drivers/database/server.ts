/** A database on a server, put together from what its driver does: migrations wait for writes and writes for them, and closing for all. */
import { type Database, type DatabaseState, failDatabase, type Product, type Statement } from "../database.ts";
import { type Hold, runTransaction } from "./held.ts";
import { createTurns } from "./turns.ts";
import type { WriteQueue } from "./write-queue.ts";

/** What a driver hands in. */
export interface ServerParts {
  readonly product: Product;
  readonly read: (...asked: Parameters<Database["read"]>) => ReturnType<Database["read"]>;
  readonly queue: WriteQueue;
  readonly hold: Hold;
  readonly migrate: (statements: readonly Statement[]) => Promise<void>;
  readonly isReachable: () => boolean;
  readonly disconnect: () => Promise<void>;
  readonly transactionTimeoutMs: number;
  readonly retriesMax: number;
}

export function createServerDatabase(parts: ServerParts): Database {
  const { queue, hold, retriesMax, transactionTimeoutMs } = parts;
  const turns = createTurns();
  const open = { reads: new Set<Promise<unknown>>(), writes: new Set<Promise<unknown>>() };
  let migrating: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return parts.isReachable() ? "ready" : "unreachable";
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
      const run = Promise.allSettled(before).then(() => parts.migrate(statements));
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
    await parts.disconnect();
  }

  return Object.freeze({
    product: parts.product,
    read: (statement, options) => track(open.reads, async () => parts.read(statement, options)),
    write: (unit, options) => write(() => queue.submit(unit, options)),
    transaction: (work, { timeoutMs = transactionTimeoutMs } = {}) =>
      write(() => runTransaction({ hold, turns }, work, { timeoutMs, retriesMax })),
    migrate,
    backup: () => Promise.reject(failDatabase("backup_unsupported")),
    state,
    close: () => (closing ??= shutDown()),
  } satisfies Database);
}
