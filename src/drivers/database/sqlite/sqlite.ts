/** The SQLite driver: short reads on this thread, one writer and the long reads on threads of their own. */
import { assert } from "../../../base/errors.ts";
import type { Database, DatabaseState, ReadOptions, Row, Statement, Step, StepResult, Transaction } from "../../database.ts";
import { failDatabase, type TransactionOptions } from "../../database.ts";
import { backupTo } from "./backup.ts";
import { openReader, prepareFile } from "./connection.ts";
import { describe, faultOf, toError } from "./failures.ts";
import { LongReads } from "./long-reads.ts";
import { toResult, type WireResult, type WriterCounts } from "./messages.ts";
import { resolveOptions, type SqliteOptions, type SqliteSettings, type ThreadSettings } from "./options.ts";
import { createTemporaryFile, removeTemporaryFile } from "./temporary.ts";
import { startThread } from "./thread.ts";
import { runTransaction } from "./transactions.ts";
import { type Work, WriteQueue } from "./write-queue.ts";

export type { SqliteOptions, SqliteTrouble } from "./options.ts";

export interface SqliteDatabase extends Database {
  /** What the writer has done since it started: for metrics, and for tests that count instead of measuring time. */
  counts(): WriterCounts;
}

/** Texts that the two ends of the writer know by number, for each statement that the writer keeps prepared. */
const textsPerStatement = 4;

/**
 * Opens (and makes) a database. Fails with `database_failed` when the file is no database or cannot be opened.
 * Durable: WAL with `synchronous=FULL`, so that an acknowledged write survives a power cut.
 */
export function openSqlite(options: SqliteOptions): SqliteDatabase {
  const settings = resolveOptions(options);
  const temporary = settings.file === ":memory:";
  const { onTrouble, ...rest } = settings;
  const thread: ThreadSettings = Object.freeze({ ...rest, temporary, file: temporary ? createTemporaryFile() : settings.file });
  try {
    prepareFile(thread);
    return assemble(settings, thread);
  } catch (error) {
    if (temporary) removeTemporaryFile(thread.file);
    throw toError(describe(error));
  }
}

function assemble(settings: SqliteSettings, thread: ThreadSettings): SqliteDatabase {
  const reader = openReader(thread);
  const { onTrouble } = settings;
  const queue = new WriteQueue({
    start: () => startThread("writer-thread", thread),
    max: settings.writeQueueMax,
    textsMax: settings.statementsMax * textsPerStatement,
    onTrouble,
  });
  const longReads = new LongReads({
    start: () => startThread("reader-thread", thread),
    threadsMax: settings.longReadersMax,
    queueMax: settings.longReadQueueMax,
    onTrouble,
  });
  let closing: Promise<void> | null = null;

  function state(): DatabaseState {
    if (closing !== null) return "closed";
    return settings.readOnly || queue.broken ? "read-only" : "ready";
  }

  function assertOpen(): void {
    if (closing !== null) throw failDatabase("database_closed");
  }

  function assertWritable(): void {
    assertOpen();
    if (state() === "read-only") throw failDatabase("database_read_only");
  }

  function read({ text, params }: Statement, options?: ReadOptions): readonly Row[] | Promise<readonly Row[]> {
    assertOpen();
    for (let index = 0; index < params.length; index++) {
      const fault = faultOf(params[index]);
      if (fault !== null) assert(false, `parameter ${index} ${fault}`);
    }
    if (options?.long === true) return longReads.read({ text, params }, options.timeoutMs ?? settings.readTimeoutMs);
    try {
      return reader.statements.all(text, params);
    } catch (error) {
      throw toError(describe(error));
    }
  }

  async function submit(work: Work): Promise<unknown> {
    const outcome = await queue.submit(work).outcome;
    if (outcome.ok) return outcome.payload;
    throw toError(outcome.failure);
  }

  async function write(unit: readonly Step[]): Promise<readonly StepResult[]> {
    assertWritable();
    return ((await submit({ kind: "unit", steps: queue.encode(unit) })) as readonly WireResult[]).map(toResult);
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    assertWritable();
    const { transactionTimeoutMs, retriesMax } = settings;
    return runTransaction(queue, work, { timeoutMs: options?.timeoutMs ?? transactionTimeoutMs, retriesMax });
  }

  async function migrate(statements: readonly Statement[]): Promise<void> {
    assertWritable();
    await submit({ kind: "migrate", statements });
  }

  async function backup(path: string, onProgress: (done: number) => void = () => {}): Promise<void> {
    assertOpen();
    await backupTo(thread, path, onProgress);
  }

  async function shutDown(): Promise<void> {
    await queue.idle();
    longReads.close();
    // The last connection to close copies the log and removes it: the writer, unless the disk can no longer be trusted.
    if (queue.broken) {
      await queue.close();
      reader.db.close();
    } else {
      reader.db.close();
      await queue.close();
    }
    if (thread.temporary) removeTemporaryFile(thread.file);
  }

  return Object.freeze({
    product: "sqlite",
    read,
    write,
    transaction,
    migrate,
    backup,
    state,
    close: () => (closing ??= shutDown()),
    counts: () => queue.counts,
  });
}
