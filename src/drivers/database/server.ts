/** A database on a server, put together from what its driver does: migrations wait for writes and writes for them, and closing for all. */
import { type Database, type DatabaseState, failDatabase, type Migrator, type Product, type Statement } from "../database.ts";
import { type Hold, runTransaction } from "./held.ts";
import type { Losers } from "./turns.ts";
import { tellOf, type Wakeups } from "./wakeups.ts";
import type { WriteQueue } from "./write-queue.ts";

/** What a driver hands in. */
export interface ServerParts {
  readonly product: Product;
  readonly read: (...asked: Parameters<Database["read"]>) => ReturnType<Database["read"]>;
  readonly queue: WriteQueue;
  readonly hold: Hold;
  readonly losers: Losers;
  readonly migrate: (statements: readonly Statement[]) => Promise<void>;
  /** Where a migration may have phases; what runs in a transaction is handed to `isAlone`. */
  readonly migrator?: <T>(work: (migrator: Migrator) => Promise<T>, isAlone: Alone) => Promise<T>;
  readonly state: () => Exclude<DatabaseState, "closed">;
  /** Why nothing need be tried now: a server that says nothing would let everybody wait for their whole time. @default tried always */
  readonly refusal?: () => Error | null;
  readonly wakeups: Wakeups;
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

/** Keeps this process's own writes away while a transaction of a migration runs. */
export type Alone = <T>(work: () => Promise<T>) => Promise<T>;

export function createServerDatabase(parts: ServerParts): Database {
  const { queue, hold, losers, retriesMax, transactionTimeoutMs, wakeups } = parts;
  const open = createRunning(parts);
  let migrating: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return parts.state();
  }

  /** What runs is waited for on closing, and writes by a migration. */
  function track<T>(running: Set<Promise<unknown>>, work: () => Promise<T>): Promise<T> {
    const refused = closing === null ? (parts.refusal?.() ?? null) : failDatabase("database_closed");
    if (refused !== null) return Promise.reject(refused);
    return open.add(running, work());
  }

  /** A write waits for the migrations that were submitted before it. */
  async function write<T>(work: () => Promise<T>): Promise<T> {
    return track(open.writes, migrating === null ? work : () => (migrating as Promise<void>).then(work));
  }

  /** Waits for what is being written and for the migration before it, and holds up what comes. */
  function withoutWrites<T>(work: () => Promise<T>): Promise<T> {
    const run = Promise.allSettled([migrating, ...open.writes]).then(work);
    const done: Promise<void> = Promise.allSettled([run]).then(() => {
      if (migrating === done) migrating = null;
    });
    migrating = done;
    return run;
  }

  function migrate(statements: readonly Statement[]): Promise<void> {
    return track(open.migrations, () => withoutWrites(() => parts.migrate(statements)));
  }

  async function shutDown(): Promise<void> {
    await open.end(() => queue.idle());
    await wakeups.close();
    await parts.disconnect();
  }

  const { migrator: begin } = parts;
  const migrator: Required<Database>["migrator"] | undefined =
    begin && ((work) => track(open.migrations, () => begin(work, withoutWrites)));

  return Object.freeze({
    product: parts.product,
    read: (statement, options) => track(open.reads, async () => parts.read(statement, options)),
    write: (unit, options) => write(() => tellOf(wakeups, queue.submit(unit, options))),
    transaction: (work, { timeoutMs = transactionTimeoutMs, ...options } = {}) =>
      write(() => tellOf(wakeups, runTransaction({ hold, losers }, work, { ...options, timeoutMs, retriesMax }))),
    migrate,
    ...(migrator ? { migrator } : {}),
    backup: () => Promise.reject(failDatabase("backup_unsupported")),
    state,
    ...parts.following,
    listen: wakeups.listen,
    close: () => (closing ??= shutDown()),
  } satisfies Database);
}

interface Running {
  readonly reads: Set<Promise<unknown>>;
  readonly writes: Set<Promise<unknown>>;
  readonly migrations: Set<Promise<unknown>>;
  add<T>(to: Set<Promise<unknown>>, result: Promise<T>): Promise<T>;
  /** Lets work in progress end; where none of it does for a while, nobody is there to end it. */
  end(last: () => Promise<void>): Promise<void>;
}

function createRunning({ abandon, closeTimeoutMs }: Pick<ServerParts, "abandon" | "closeTimeoutMs">): Running {
  const kinds = {
    reads: new Set<Promise<unknown>>(),
    writes: new Set<Promise<unknown>>(),
    migrations: new Set<Promise<unknown>>(),
  };
  let patience: NodeJS.Timeout | undefined;
  return {
    ...kinds,
    add(to, result) {
      to.add(result);
      const forget = () => {
        to.delete(result);
        patience?.refresh();
      };
      result.then(forget, forget);
      return result;
    },
    async end(last) {
      if (abandon !== undefined) patience = setTimeout(abandon, closeTimeoutMs);
      const running = () => Object.values(kinds).flatMap((one) => [...one]);
      while (running().length > 0) await Promise.allSettled(running());
      await last();
      clearTimeout(patience);
    },
  };
}
