/** The options of the SQLite driver: their defaults, their limits, and what a wrong one is answered with. */
import { assert } from "../../../base/errors.ts";
import { didYouMean } from "../../../base/suggest.ts";

/** What went wrong beside the callers' own requests, for the log. */
export interface SqliteTrouble {
  /**
   * - `sync_failed`: a sync to disk failed; the database takes no more writes until it is opened anew.
   * - `checkpoint_failed`: the log could not be copied into the database file; nothing is lost, the log grows.
   * - `worker_died`: a thread of the driver ended by itself; its work was failed and the next request starts another.
   * - `writer_lost`: the process that writes for this one and others is gone, says nothing, or was not to be reached; it is tried again.
   */
  readonly kind: "sync_failed" | "checkpoint_failed" | "worker_died" | "writer_lost";
  readonly message: string;
}

export interface SqliteOptions {
  /**
   * Path of the database file; it and its folder are made when missing. `":memory:"` is a private temporary file (in
   * shared memory where the system has it) that is never synced and is removed on close: fast, and gone with the process.
   */
  readonly file: string;
  /**
   * A second file, made when missing and attached to every connection as `holdfast`, for tables that are not to stand in the first.
   * The database file then keeps its journal mode. In any mode but WAL a transaction over both files is atomic; in WAL it is
   * atomic in each, and a crash within a commit may leave it in the first alone (sqlite.org/lang_attach.html). @default none
   */
  readonly beside?: string;
  /** Where a writer listens that works for several processes: what `keepWriter` says. @default a thread of this process writes */
  readonly writer?: string;
  /** Refuse every write. The file must exist. @default false */
  readonly readOnly?: boolean;
  /** Prepared statements kept for each connection. @default 500 */
  readonly statementsMax?: number;
  /** Units and transactions that may share one commit. @default 128 */
  readonly groupUnitsMax?: number;
  /** A commit starts no further unit when its first one began this long ago. @default 20 */
  readonly groupAgeMs?: number;
  /** Units and transactions that may wait for the writer; further ones fail with `transaction_queue_full`. @default 10000 */
  readonly writeQueueMax?: number;
  /** How often a transaction is run anew when the database asks for it. @default 5 */
  readonly retriesMax?: number;
  /** How long a connection waits for a lock that another process holds. @default 5000 */
  readonly busyTimeoutMs?: number;
  /** The log is copied into the database file when it holds this many pages (of 4096 bytes). @default 1000 */
  readonly checkpointPages?: number;
  /**
   * How long, beyond `busyTimeoutMs`, a writer that works for several may say nothing while it is asked: then it is killed and
   * replaced, and what it was doing fails with `write_outcome_unknown`. @default 10000
   */
  readonly writerSilenceMs?: number;
  /** Page cache of each connection, in bytes. @default 16777216 */
  readonly cacheBytes?: number;
  /** Threads for long reads. @default 2 */
  readonly longReadersMax?: number;
  /** Long reads that may wait for a thread; further ones fail with `read_timeout`. @default 1000 */
  readonly longReadQueueMax?: number;
  /** For transactions that name no other. @default 5000 */
  readonly transactionTimeoutMs?: number;
  /** For long reads that name no other. @default 30000 */
  readonly readTimeoutMs?: number;
  /** Hears of trouble that no request is answered with. @default none */
  readonly onTrouble?: (trouble: SqliteTrouble) => void;
}

type Limits = { readonly [K in keyof SqliteOptions as Required<SqliteOptions>[K] extends number ? K : never]-?: number };

export interface SqliteSettings extends Limits {
  readonly file: string;
  readonly beside: string | null;
  readonly writer: string | null;
  readonly readOnly: boolean;
  readonly onTrouble: (trouble: SqliteTrouble) => void;
}

/** What a thread is told: the settings that can cross to it. */
export type ThreadSettings = Omit<SqliteSettings, "onTrouble" | "writer"> & { readonly temporary: boolean };

const limits: { readonly [K in keyof Limits]: readonly [fallback: number, min: number, max: number] } = {
  statementsMax: [500, 1, 100_000],
  groupUnitsMax: [128, 1, 100_000],
  groupAgeMs: [20, 0, 60_000],
  writeQueueMax: [10_000, 1, 10_000_000],
  retriesMax: [5, 0, 100],
  busyTimeoutMs: [5_000, 0, 600_000],
  writerSilenceMs: [10_000, 100, 600_000],
  checkpointPages: [1_000, 1, 1_000_000],
  cacheBytes: [16_777_216, 65_536, 68_719_476_736],
  longReadersMax: [2, 1, 64],
  longReadQueueMax: [1_000, 1, 1_000_000],
  transactionTimeoutMs: [5_000, 1, 3_600_000],
  readTimeoutMs: [30_000, 1, 3_600_000],
};

const known = ["file", "beside", "writer", "readOnly", "onTrouble", ...Object.keys(limits)];

/** How long a writer for several may be silent: a lock that it waits for is no reason to end it. */
export function silenceMsOf({ writerSilenceMs, busyTimeoutMs }: Pick<Limits, "writerSilenceMs" | "busyTimeoutMs">): number {
  return writerSilenceMs + busyTimeoutMs;
}

/** Checks the options, fills in the defaults and freezes the result. A wrong one is a programmer's error. */
export function resolveOptions(options: SqliteOptions): SqliteSettings {
  for (const key of Object.keys(options)) {
    assert(known.includes(key), `openSqlite knows no option "${key}".${didYouMean(key, known)}`);
  }
  assert(typeof options.file === "string" && options.file !== "", 'openSqlite needs a file: a path or ":memory:"');
  assert(options.writer === undefined || options.file !== ":memory:", 'openSqlite cannot share ":memory:" with a writer');
  const { readOnly = false, onTrouble = () => {} } = options;
  assert(typeof readOnly === "boolean", "the option readOnly of openSqlite must be true or false");
  const numbers: Record<string, number> = {};
  for (const [name, [fallback, min, max]] of Object.entries(limits)) {
    const value = options[name as keyof Limits] ?? fallback;
    const fits = Number.isInteger(value) && value >= min && value <= max;
    assert(fits, `the option ${name} of openSqlite must be a whole number from ${min} to ${max}`);
    numbers[name] = value;
  }
  return Object.freeze({
    file: options.file,
    beside: options.beside ?? null,
    writer: options.writer ?? null,
    readOnly,
    onTrouble,
    ...(numbers as unknown as Limits),
  });
}
