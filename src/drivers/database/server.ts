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
  readonly state: () => Exclude<DatabaseState, "closed">;
  readonly disconnect: () => Promise<void>;
  /** Ends every connection, whatever it is doing: what runs on it fails. */
  readonly abandon?: () => void;
  /** How long closing waits for work that makes no progress, where there is `abandon`. */
  readonly closeTimeoutMs?: number;
  /** Where there are replicas. */
  readonly following?: Required<Pick<Database, "replicas" | "position">>;
  readonly transactionTimeoutMs: number;
  readonly retriesMax: number;
}

export function createServerDatabase(parts: ServerParts): Database {
  const { queue, hold, retriesMax, transactionTimeoutMs } = parts;
  const turns = createTurns();
  const open = { reads: new Set<Promise<unknown>>(), writes: new Set<Promise<unknown>>() };
  let migrating: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  let patience: NodeJS.Timeout | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return parts.state();
  }

  /** What runs is waited for on closing, and writes by a migration. */
  function track<T>(running: Set<Promise<unknown>>, work: () => Promise<T>): Promise<T> {
    if (closing !== null) return Promise.reject(failDatabase("database_closed"));
    const result = work();
    running.add(result);
    const forget = () => {
      running.delete(result);
      patience?.refresh();
    };
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

  /** Lets work in progress end; where none of it does for a while, nobody is there to end it. */
  async function shutDown(): Promise<void> {
    const { abandon, closeTimeoutMs } = parts;
    if (abandon !== undefined) patience = setTimeout(abandon, closeTimeoutMs);
    while (open.reads.size + open.writes.size > 0) await Promise.allSettled([...open.reads, ...open.writes]);
    await queue.idle();
    clearTimeout(patience ?? undefined);
    await parts.disconnect();
  }

  return Object.freeze({
    product: parts.product,
    read: (statement, options) => track(open.reads, async () => parts.read(statement, options)),
    write: (unit, options) => write(() => queue.submit(unit, options)),
    transaction: (work, { timeoutMs = transactionTimeoutMs, ...options } = {}) =>
      write(() => runTransaction({ hold, turns }, work, { ...options, timeoutMs, retriesMax })),
    migrate,
    backup: () => Promise.reject(failDatabase("backup_unsupported")),
    state,
    ...parts.following,
    close: () => (closing ??= shutDown()),
  } satisfies Database);
}
