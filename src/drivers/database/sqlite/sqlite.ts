/** The SQLite driver: short reads on this thread, one writer and the long reads on threads of their own. */
import { assert } from "../../../base/errors.ts";
import {
  type Database,
  type DatabaseState,
  failDatabase,
  type ReadOptions,
  type Statement,
  type Step,
  type Transaction,
  type TransactionOptions,
} from "../../database.ts";
import { backupTo } from "./backup.ts";
import { type Connection, openReader, prepareFile } from "./connection.ts";
import { describe, faultOf, toError } from "./failures.ts";
import { SocketLink } from "./link/socket-link.ts";
import { linkThread } from "./link/thread-link.ts";
import { LongReads } from "./long-reads.ts";
import { toResult, type WireResult, type WriterCounts } from "./messages.ts";
import { createSnapshot, type Snapshot } from "./snapshot.ts";
import { resolveOptions, silenceMsOf, type SqliteOptions, type SqliteSettings, type ThreadSettings } from "./options.ts";
import { createTemporaryFile, removeTemporaryFile } from "./temporary.ts";
import type { Wakeups } from "../wakeups.ts";
import { startThread } from "./thread.ts";
import { runTransaction } from "./link/transactions.ts";
import { createWakeups } from "./wakeups/wakeups.ts";
import { type Work, WriteQueue } from "./link/write-queue.ts";

export type { SqliteOptions, SqliteTrouble } from "./options.ts";

export interface SqliteDatabase extends Database {
  /** What the writer has done since it started: for metrics, and for tests that count instead of measuring time. */
  counts(): WriterCounts;
}

/** Texts that the two ends of the writer know by number, for each statement that the writer keeps prepared. */
const textsPerStatement = 4;
/** Turns of the event loop after which the writer has nothing more to do, if it has not been heard meanwhile: its log may stay long. */
const quietTurnsMax = 1_000;

/**
 * Opens (and makes) a database. Fails with `database_failed` when the file is no database or cannot be opened.
 * Durable: WAL with `synchronous=FULL`, so that an acknowledged write survives a power cut.
 */
export function openSqlite(options: SqliteOptions): SqliteDatabase {
  const settings = resolveOptions(options);
  const temporary = settings.file === ":memory:";
  // A function cannot cross to a thread.
  const { onTrouble: _, writer: __, ...rest } = settings;
  const thread: ThreadSettings = Object.freeze({ ...rest, temporary, file: temporary ? createTemporaryFile() : settings.file });
  try {
    prepareFile(thread);
    return createDatabase(connect(settings, thread));
  } catch (error) {
    if (temporary) removeTemporaryFile(thread.file);
    throw toError(describe(error));
  }
}

/** What the driver is made of; no thread runs until there is work for it. */
interface Parts {
  readonly settings: SqliteSettings;
  readonly thread: ThreadSettings;
  readonly reader: Connection;
  /** Of the reader. */
  readonly snapshot: Snapshot;
  readonly queue: WriteQueue;
  readonly longReads: LongReads;
  readonly wakeups: Wakeups;
}

function connect(settings: SqliteSettings, thread: ThreadSettings): Parts {
  const { onTrouble, writer, busyTimeoutMs } = settings;
  const reader = openReader(thread);
  let quietTurns = 0;
  const snapshot = createSnapshot(
    reader,
    () => queue.counts.logPages >= settings.checkpointPages && quietTurns++ < quietTurnsMax,
  );
  const onNews = () => {
    quietTurns = 0;
    snapshot.leave();
  };
  const wakeups = createWakeups(reader, snapshot, thread.beside !== null);
  const queue = new WriteQueue({
    open: (events) =>
      writer === null
        ? linkThread(startThread("writer-thread", thread), events)
        : new SocketLink({ address: writer, waitMs: busyTimeoutMs, silenceMs: silenceMsOf(settings) }, events),
    isShared: writer !== null,
    max: settings.writeQueueMax,
    textsMax: settings.statementsMax * textsPerStatement,
    onTrouble,
    onNews,
    onCommitted: wakeups.committed,
  });
  const longReads = new LongReads({
    start: () => startThread("reader-thread", thread),
    threadsMax: settings.longReadersMax,
    queueMax: settings.longReadQueueMax,
    onTrouble,
    onNews,
  });
  return { settings, thread, reader, snapshot, queue, longReads, wakeups };
}

function createDatabase(parts: Parts): SqliteDatabase {
  const { settings, thread, queue } = parts;
  let closing: Promise<void> | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    if (settings.readOnly || queue.broken) return "read-only";
    return queue.isCut ? "unreachable" : "ready";
  }

  function assertUsable(use: "reads" | "writes"): void {
    const now = state();
    if (now === "closed") throw failDatabase("database_closed");
    if (now === "read-only" && use === "writes") throw failDatabase("database_read_only");
  }

  return Object.freeze({
    product: "sqlite",
    read(statement: Statement, options?: ReadOptions) {
      assertUsable("reads");
      return read(parts, statement, options);
    },
    async write(unit: readonly Step[]) {
      assertUsable("writes");
      const results = await submit(queue, { kind: "unit", steps: queue.encode(unit) });
      return (results as readonly WireResult[]).map(toResult);
    },
    async transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
      assertUsable("writes");
      const timeoutMs = options?.timeoutMs ?? settings.transactionTimeoutMs;
      return runTransaction(queue, work, { timeoutMs, retriesMax: settings.retriesMax });
    },
    async migrate(statements: readonly Statement[]) {
      assertUsable("writes");
      await submit(queue, { kind: "migrate", statements });
    },
    async backup(path: string, onProgress: (done: number) => void = () => {}) {
      assertUsable("reads");
      await backupTo(thread, path, onProgress);
    },
    state,
    listen: parts.wakeups.listen,
    close: () => (closing ??= shutDown(parts)),
    counts: () => queue.counts,
  });
}

function read({ settings, reader, snapshot, longReads }: Parts, { text, params }: Statement, options?: ReadOptions) {
  for (let index = 0; index < params.length; index++) {
    const fault = faultOf(params[index]);
    if (fault !== null) assert(false, `parameter ${index} ${fault}`);
  }
  const apart = options?.long === true || (options?.scan !== undefined && reader.statements.scans(text, options.scan));
  if (apart) return longReads.read({ text, params }, options.timeoutMs ?? settings.readTimeoutMs);
  try {
    if (options?.prompt === true) snapshot.enter();
    else snapshot.leave();
    return reader.statements.all(text, params);
  } catch (error) {
    throw toError(describe(error));
  }
}

async function submit(queue: WriteQueue, work: Work): Promise<unknown> {
  const outcome = await queue.submit(work).outcome;
  if (outcome.ok) return outcome.payload;
  throw toError(outcome.failure);
}

/**
 * Finishes what is queued. The last connection to close copies the log into the file and removes it: that is the writer,
 * unless the disk can no longer be trusted; then it is the reader, which cannot.
 */
async function shutDown({ thread, reader, snapshot, queue, longReads, wakeups }: Parts): Promise<void> {
  await queue.idle();
  await wakeups.close();
  await longReads.close();
  snapshot.leave();
  if (!queue.broken) reader.db.close();
  await queue.close();
  if (queue.broken) reader.db.close();
  if (thread.temporary) removeTemporaryFile(thread.file);
}
