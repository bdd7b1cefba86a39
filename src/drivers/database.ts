/** The contract of a database: SQL text in, rows out, one atomic unit per write. Knows no models and no rules. */
import { defineErrors } from "../base/errors.ts";
import type { Soon } from "../base/soon.ts";
import type { Value } from "../schema/value.ts";

// What a statement may bind and a row may hold. A 64-bit column is read as bigint only above 2^53.
export type { Value };

/**
 * Points at the first row of an earlier step of the same unit: what that step returned is bound here. It may arrive as a text,
 * so a statement casts it to what it takes it for.
 */
export interface StepRef {
  readonly step: number;
  readonly column: number;
}

export type Row = readonly Value[];

/** A read. `text` should be the same string object for every call of one shape: drivers keep it prepared by text. */
export interface Statement {
  readonly text: string;
  readonly params: readonly Value[];
}

/**
 * One statement of a write.
 * - `run`: changes rows; with `changes`, any other count than within the bounds undoes the unit with that code.
 * - `rows`: its rows are returned (a RETURNING clause or a SELECT).
 * - `check`: its first row's first column must be null (or there is no row); otherwise the unit is undone and fails with
 *   `UnitRefused`, whose `reason` is that text. This is how a condition is judged inside the transaction that relies on it.
 */
export interface Step {
  readonly text: string;
  readonly kind: "run" | "rows" | "check";
  readonly params: readonly (Value | StepRef)[];
  readonly changes?: { readonly min: number; readonly max: number; readonly reason: string };
  /**
   * The same statement closes every unit: those that share a commit may run it once, as the last thing before the commit, and leave
   * out its result. It takes a lock that everybody wants. @default false
   */
  readonly atEnd?: boolean;
}

export interface StepResult {
  /** Rows of a `rows` step, otherwise empty. */
  readonly rows: readonly Row[];
  /** Rows changed by a `run` step, otherwise 0. */
  readonly changes: number;
}

/** A condition of the unit did not hold, or the database refused a row. The unit left no trace. */
export class UnitRefused extends Error {
  override readonly name = "UnitRefused";
  /** What a check returned, a step's `changes.reason`, or `unique`, `foreign_key`, `not_null`, `check` from the database. */
  readonly reason: string;
  /** Index of the step in its unit. */
  readonly step: number;
  /** For `unique` and `not_null`: the table and columns, where the database tells them. */
  readonly table: string | null;
  /** The table's schema, where the database has such and tells it. */
  readonly schema: string | null;
  readonly columns: readonly string[];
  /** For `check`, and for `unique` over expressions: the name of the constraint or index, where the database tells it. */
  readonly constraint: string | null;

  constructor(reason: string, step: number, place: RefusalPlace = {}) {
    super(`step ${step} was refused: ${reason}`);
    this.reason = reason;
    this.step = step;
    this.table = place.table ?? null;
    this.schema = place.schema ?? null;
    this.columns = place.columns ?? [];
    this.constraint = place.constraint ?? null;
  }
}

/** What a database tells of the place where it refused a row. */
export interface RefusalPlace {
  readonly table?: string | null;
  readonly schema?: string | null;
  readonly columns?: readonly string[];
  readonly constraint?: string | null;
}

/** A transaction held open by the caller; its statements see its own writes. */
export interface Transaction {
  /** Reads inside the transaction. */
  read(statement: Statement): Promise<readonly Row[]>;
  /** Runs a unit in a savepoint: refused, it leaves no trace and the transaction goes on. */
  write(unit: readonly Step[], options?: UnitOptions): Promise<readonly StepResult[]>;
}

/**
 * How far the primary has come, as a text: of two the greater one is the later. Whoever has got to the position of a commit has
 * all that was committed until then.
 */
export type Position = string;

/**
 * Part of a unit: from that step on, so many parts of so many steps each, of the same texts in turn. What one of them does hangs on
 * nothing that another one does, so a driver may run them step by step together. A step may look back at an earlier one of its own part.
 */
export interface UnitRepeat {
  readonly from: number;
  readonly steps: number;
  readonly times: number;
}

export interface UnitOptions {
  /** In the order of the unit, without overlapping. @default none */
  readonly repeats?: readonly UnitRepeat[];
  /** Hears how many statements fewer than its steps the unit took, where they ran together. @default none */
  readonly onSaved?: (statements: number) => void;
}

export interface TransactionOptions extends CommitOptions {
  /** The transaction is undone and fails with `transaction_timeout` when it is held longer. @default 5000 */
  readonly timeoutMs?: number;
}

export interface CommitOptions {
  /** Hears, before the promise resolves, of a position that includes what was committed; null where it could not be had. @default none */
  readonly onCommit?: (position: Position | null) => void;
}

export interface ReadOptions {
  /** May scan much: runs where it does not hold up other work. @default false */
  readonly long?: boolean;
  /**
   * The statement has a condition or sort that may have no index: the driver judges, once for each text, whether it would look at
   * a whole table, and runs it as a long one if so. `sorted`: no condition narrows it, only a sort may be without index. @default none
   */
  readonly scan?: "sorted" | "filtered";
  /** One of many alike that find one row each: may share a round trip with others of the same text. @default false */
  readonly point?: boolean;
  /**
   * Asked for before the turn of the event loop that it runs in took in anything: it may see what other such reads of the turn see,
   * as nobody can know of a later commit than the turn's first read does. @default false
   */
  readonly prompt?: boolean;
  /** The statement is interrupted and fails with `read_timeout` after this; long reads only. @default 30000 */
  readonly timeoutMs?: number;
  /** A replica may answer that has got to this position at least; null: any replica. @default the primary answers */
  readonly since?: Position | null;
}

export interface WriteOptions extends CommitOptions, UnitOptions {
  /**
   * One of many of the same texts whose outcome does not hang on what the others do: it writes and reads rows of its own key
   * alone. A driver may run such units step by step together. @default false
   */
  readonly alike?: boolean;
  /** With `alike`: the row that it changes, as a name. Units of one row are not run together. @default a row that it makes itself */
  readonly row?: string;
}

/**
 * `ready`; `read-only` after a failed sync or by configuration: reads go on, writes fail; `unreachable` while no connection can
 * be opened; `closed`.
 */
export type DatabaseState = "ready" | "read-only" | "unreachable" | "closed";

/** One that follows the primary, as it was last found. */
export interface ReplicaState {
  /** `behind` where it has not got, in time, to where the primary was; `foreign` where it is no standby of the primary's cluster. */
  readonly state: "ready" | "behind" | "unreachable" | "foreign";
  /** Reads that it has answered. */
  readonly reads: number;
}

/** The databases that there are drivers for. */
export type Product = "sqlite" | "postgres" | "mysql";

/** A statement that the server does not take, and what it says of it. */
export interface Refused {
  /** Its place among those that were tried. */
  readonly index: number;
  readonly why: string;
}

/** Carries out a migration of several phases; it alone holds the lock of migrations meanwhile, whatever process others are in. */
export interface Migrator {
  /** Outside of any transaction. */
  read(statement: Statement): Promise<readonly Row[]>;
  /** In one transaction, foreign keys checked at the end; tried anew a few times where a lock cannot be had. */
  together(statements: readonly Statement[]): Promise<void>;
  /** By itself, outside of any transaction. */
  alone(text: string): Promise<void>;
  /** Tries definitions without making them, where they could not be undone; says which one the server does not take. */
  attempt?(texts: readonly string[]): Promise<Refused | null>;
  /** As `together`; then `look` reads what has become of the database, and all is undone. Not where definitions commit by themselves. */
  rehearse?<T>(
    statements: readonly Statement[],
    look: (read: (statement: Statement) => Promise<readonly Row[]>) => Promise<T>,
  ): Promise<T>;
}

/** Twelve members at most; a driver's factory is the product's name (`openSqlite`). */
export interface Database {
  readonly product: Product;
  /** Reads outside any transaction: sees what was committed when it starts. A short read may answer at once, without a promise. */
  read(statement: Statement, options?: ReadOptions): Soon<readonly Row[]>;
  /** One atomic unit; resolves when it is durable. Units may share a commit, never a fate. */
  write(unit: readonly Step[], options?: WriteOptions): Promise<readonly StepResult[]>;
  /** Serializable; resolves when it is durable. A throw undoes it. Retried within a bound where the database asks for it. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Statements in one transaction, foreign keys unchecked until the end and then checked: for migrations. */
  migrate(statements: readonly Statement[]): Promise<void>;
  /** Where a migration may have phases. @throws `database_busy` where another process migrates for longer than the driver waits */
  migrator?<T>(work: (migrator: Migrator) => Promise<T>): Promise<T>;
  /** Copies the whole database, consistent, to a new file while it is in use. Progress is 0 to 1. */
  backup(path: string, onProgress?: (done: number) => void): Promise<void>;
  state(): DatabaseState;
  /** Of each replica; left out where there are none. */
  replicas?(): readonly ReplicaState[];
  /** A position that includes everything committed until now; left out where there are no replicas. */
  position?(): Promise<Position>;
  /**
   * Calls back when something may have been committed, by whatever process: now and then for nothing, and not at all where a word of
   * it is lost, so that who waits also looks by itself. Where listening was interrupted, it calls back once it goes on. `newest` is a
   * read whose value is another one after each such commit, for products that have to be asked. Returns what ends it; closing the
   * database calls back a last time.
   */
  listen?(wake: () => void, newest: Statement): () => void;
  close(): Promise<void>;
}

/** Every error a database driver may fail with, but for `UnitRefused`. */
export const databaseErrors = {
  database_busy: {
    status: 503,
    message: "The database is busy.",
    explanation:
      "Others hold its locks, or all of its connections, for longer than the driver waits. Nothing was written. Retry after a moment.",
  },
  database_read_only: {
    status: 503,
    message: "The database takes no writes.",
    explanation:
      "A sync to disk failed, so nothing more is written until an operator has looked at the disk and restarted; or the server only follows another one, and the URL should name that. Reads go on.",
  },
  database_unreachable: {
    status: 503,
    message: "The database cannot be reached.",
    explanation: "Nothing was written. Connections are opened anew by themselves; retry after a moment.",
  },
  database_refused: {
    status: 503,
    message: "The database refuses the connection.",
    explanation:
      "Nothing was written. User, password or the database's name in the URL are not the server's; the log has what it said.",
  },
  database_denied: {
    status: 500,
    message: "The database does not let its user do this.",
    explanation:
      "Nothing was written. The user of the URL lacks a right, which the log has by name: grant it. docs/guide/databases.md lists what each database asks for.",
  },
  database_restored: {
    status: 503,
    message: "The change records were written on another server, and this user may not set their order right.",
    explanation:
      "The database was restored from a dump. Start once with a URL of the user who owns the table `_changes`: its column `tx` then gets a default by which new records come after the restored ones.",
  },
  write_outcome_unknown: {
    status: 503,
    message: "The connection to the database was lost while the write was under way: it may or may not have been made.",
    explanation: "Retry with the same Idempotency-Key: a keyed request is never done twice. Without a key, look first.",
  },
  database_conflict: {
    status: 409,
    message: "Too many writers want the same rows.",
    explanation:
      "The write was tried several times and undone each time, since others changed what it had read. Retry after a moment.",
  },
  backup_unsupported: {
    status: 501,
    message: "This database is backed up with its own tools.",
    explanation: "Use pg_dump or a base backup for PostgreSQL, mariadb-dump or mysqldump for MariaDB and MySQL.",
  },
  migration_blocked: {
    status: 503,
    message: "The migration waited {tries} times {seconds} s for the lock of a table, and others held it.",
    explanation:
      "A transaction that stays open holds up the migration, and the migration would hold up everyone behind it, so it was undone; on MariaDB what came before stays, and the next start goes on. End what is long, or raise migrationLockTimeoutMs.",
  },
  migration_timeout: {
    status: 503,
    message: "A statement of the migration took longer than {seconds} s and was undone.",
    explanation: "Raise migrationStatementTimeoutMs, or leave it out: then there is no limit.",
  },
  database_full: {
    status: 507,
    message: "The disk is full.",
    explanation: "Nothing was written. Free space; writes go on without a restart.",
  },
  database_failed: {
    status: 500,
    message: "The database failed.",
    explanation: "The log has the cause under this request's id.",
  },
  database_closed: { status: 503, message: "The server is stopping.", explanation: "Retry on another instance or in a moment." },
  transaction_timeout: {
    status: 503,
    message: "The transaction was held for more than {timeoutMs} ms and was undone.",
    explanation: "Do slow work outside the transaction, or raise transactionTimeoutMs.",
  },
  transaction_queue_full: {
    status: 503,
    message: "Too many writes are waiting.",
    explanation: "More than writeQueueMax units wait for the writer. Retry after a moment.",
  },
  read_timeout: {
    status: 503,
    message: "The query took longer than {timeoutMs} ms.",
    explanation: "Narrow the filter, or add an index; `holdfast check` names the missing ones.",
  },
} as const;

export const failDatabase = defineErrors(databaseErrors);
