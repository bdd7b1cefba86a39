/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { FieldPacket, Pool, PoolConnection, PoolOptions } from "mysql2";
import { failDatabase, type Row, type Statement, type Value } from "../../database.ts";
import { isLost, type ServerError, toError } from "./failures.ts";
import { addressOf, type MysqlSettings } from "./options.ts";
import { collation } from "./text.ts";
import { checkVersion } from "./server/version.ts";
import { toRows, toSent } from "./values.ts";

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that the statement found to change. */
  readonly count: number;
}

/** A connection in use. What the server refuses is thrown as it says it. */
export interface Session {
  /** Runs a statement that stays prepared. */
  ask(text: string, params?: readonly Value[]): Promise<Answer>;
  /** Runs statements in one round trip, each of them a query or one that changes rows. Where one fails, it is not told which. */
  askAll(statements: readonly Statement[]): Promise<readonly Answer[]>;
  /** Runs a word to the server that is not worth preparing, such as `commit`. */
  tell(text: string): Promise<void>;
  /** From now on, until the work ends, a statement may take so long. */
  allow(timeoutMs: number): void;
  /** The connection is not used again, whatever becomes of the work. */
  retire(): void;
}

export type Purpose = "read" | "write";

export interface Connections {
  /** Runs work on a connection; one that is lost, or on which the work has failed, is not used again. */
  use<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T>;
  /** Whether the last attempt to open a connection succeeded. */
  isReachable(): boolean;
  close(): Promise<void>;
}

type Mysql = { readonly createPool: (options: PoolOptions) => Pool };

/** How much longer than the server a client waits for an answer that the server has promised to cut off. */
const graceMs = 5_000;

export function createConnections({ createPool }: Mysql, settings: MysqlSettings): Connections {
  const reach = { is: true, isChecked: false };
  const ready = new WeakSet<PoolConnection>();
  const open = (max: number) => {
    const pool = createPool({ ...poolOptions(settings), connectionLimit: max });
    // An idle connection that ends is no request's trouble; without a listener it would be the process's.
    pool.on("connection", (connection) => {
      connection.on("error", (error) => settings.onTrouble({ kind: "database_lost", message: error.message }));
    });
    return pool;
  };
  const pools = { read: open(settings.readersMax), write: open(settings.writersMax) };

  /** Another server might not even know what is set here. */
  async function settle(connection: PoolConnection, purpose: Purpose): Promise<void> {
    if (!reach.isChecked) {
      const { rows } = await prepare(connection, { text: "select version()", params: [] }, settings.connectTimeoutMs);
      checkVersion(String(rows[0]?.[0] as string));
    }
    reach.isChecked = true;
    for (const text of openingOf(purpose, settings)) await send(connection, text, settings.connectTimeoutMs);
  }

  async function acquire(purpose: Purpose): Promise<PoolConnection> {
    let connection: PoolConnection | null = null;
    try {
      connection = await take(pools[purpose], settings.connectTimeoutMs);
      if (!ready.has(connection)) await settle(connection, purpose);
      ready.add(connection);
      if (!reach.is) settings.onTrouble({ kind: "database_found", message: "A connection could be opened again." });
      reach.is = true;
      return connection;
    } catch (error) {
      connection?.destroy();
      if (isLost(error as ServerError)) reach.is = false;
      throw toError(error as ServerError, "nothing");
    }
  }

  return Object.freeze({
    async use<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T> {
      const connection = await acquire(purpose);
      let isSound = true;
      let timeoutMs = timeoutOf(purpose, settings);
      try {
        return await work({
          ask: (text, params = []) => prepare(connection, { text, params }, timeoutMs),
          askAll: (statements) => prepareAll(connection, statements, timeoutMs),
          tell: (text) => send(connection, text, timeoutMs),
          allow: (allowedMs) => {
            timeoutMs = allowedMs;
          },
          retire: () => {
            isSound = false;
          },
        });
      } catch (error) {
        isSound = false;
        throw error;
      } finally {
        if (isSound) connection.release();
        else connection.destroy();
      }
    },
    isReachable: () => reach.is,
    async close() {
      await Promise.all([pools.read, pools.write].map((pool) => new Promise<void>((resolve) => pool.end(() => resolve()))));
    },
  });
}

/** A connection of the pool; one that comes too late goes back. */
function take(pool: Pool, timeoutMs: number): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(failDatabase("database_busy", { headers: { "retry-after": "1" } }));
    }, timeoutMs);
    pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (isLate) connection?.release();
      else if (error) reject(error);
      else resolve(connection);
    });
  });
}

const query = /^select\b/i;

/** The protocol answers one statement before it takes the next, but a block is one: each statement in it answers with rows. */
async function prepareAll(
  connection: PoolConnection,
  statements: readonly Statement[],
  timeoutMs: number,
): Promise<readonly Answer[]> {
  const [only, ...others] = statements;
  if (only === undefined) return [];
  if (others.length === 0) return [await prepare(connection, only, timeoutMs)];
  const lines = statements.map(({ text }) => (query.test(text) ? `${text};` : `${text}; select row_count();`));
  const params = statements.flatMap((statement) => statement.params);
  const text = `begin not atomic\n${lines.join("\n")}\nend`;
  return inTime(connection, timeoutMs, (resolve, reject) => {
    connection.execute(text, params.map(toSent), (error: unknown, result: unknown, fields) => {
      if (error) return reject(error as Error);
      const sets = result as unknown[][][];
      const described = fields as unknown as FieldPacket[][];
      resolve(
        statements.map((statement, index) => {
          const rows = toRows(sets[index] ?? [], described[index] ?? []);
          return query.test(statement.text) ? { rows, count: rows.length } : { rows: [], count: Number(rows[0]?.[0]) };
        }),
      );
    });
  });
}

function prepare(connection: PoolConnection, { text, params }: Statement, timeoutMs: number): Promise<Answer> {
  return inTime(connection, timeoutMs, (resolve, reject) => {
    connection.execute(text, params.map(toSent), (error: unknown, result: unknown, fields) => {
      if (error) reject(error as Error);
      else if (Array.isArray(result)) resolve({ rows: toRows(result as unknown[][], fields ?? []), count: result.length });
      else resolve({ rows: [], count: (result as { readonly affectedRows: number }).affectedRows });
    });
  });
}

function send(connection: PoolConnection, text: string, timeoutMs: number): Promise<void> {
  return inTime(connection, timeoutMs, (resolve, reject) => {
    connection.query(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Where nobody answers, not even the server's own limits of time, the connection is given up. */
function inTime<T>(
  connection: PoolConnection,
  timeoutMs: number,
  ask: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = () => {
    connection.destroy();
    reject(Object.assign(new Error("the database does not answer"), { code: "ETIMEDOUT", fatal: true }));
  };
  const timer = setTimeout(giveUp, timeoutMs + graceMs);
  const settled = <A>(then: (value: A) => void) => {
    return (value: A) => {
      clearTimeout(timer);
      then(value);
    };
  };
  ask(settled(resolve), settled(reject));
  return promise;
}

function poolOptions(settings: MysqlSettings): PoolOptions {
  return {
    ...addressOf(settings.url),
    charset: "UTF8MB4_BIN",
    connectTimeout: settings.connectTimeoutMs,
    maxPreparedStatements: settings.statementsMax,
    enableKeepAlive: true,
    multipleStatements: false,
    rowsAsArray: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
  };
}

/**
 * Under these, texts mean the same whatever the server's own settings are. Sorting takes so many bytes of a text into account;
 * the buffer holds the fifteen keys of that length that the server asks for.
 */
const modes = [
  "ANSI_QUOTES",
  "PIPES_AS_CONCAT",
  "NO_BACKSLASH_ESCAPES",
  "STRICT_ALL_TABLES",
  "NO_ZERO_DATE",
  "NO_ZERO_IN_DATE",
  "ERROR_FOR_DIVISION_BY_ZERO",
  "SIMULTANEOUS_ASSIGNMENT",
  "NO_ENGINE_SUBSTITUTION",
];
const common: readonly string[] = [
  `sql_mode = '${modes.join(",")}'`,
  "time_zone = '+00:00'",
  "group_concat_max_len = 1073741824",
  "max_sort_length = 65536",
  "sort_buffer_size = 4194304",
  "max_recursive_iterations = 4294967295",
];

function openingOf(purpose: Purpose, settings: MysqlSettings): readonly string[] {
  const lockSeconds = Math.ceil(settings.lockTimeoutMs / 1000);
  const own =
    purpose === "read"
      ? ["autocommit = 1", secondsText(settings.readTimeoutMs)]
      : [
          "autocommit = 0",
          secondsText(settings.writeTimeoutMs),
          `innodb_lock_wait_timeout = ${lockSeconds}`,
          `lock_wait_timeout = ${lockSeconds}`,
        ];
  return [
    `set names utf8mb4 collate ${collation}`,
    `set ${[...common, ...own].join(", ")}`,
    purpose === "read"
      ? "set session transaction isolation level repeatable read, read only"
      : "set session transaction isolation level serializable, read write",
  ];
}

function timeoutOf(purpose: Purpose, { readTimeoutMs, writeTimeoutMs }: MysqlSettings): number {
  return purpose === "read" ? readTimeoutMs : writeTimeoutMs;
}

/** The setting that ends a statement which takes longer. */
export function secondsText(timeoutMs: number): string {
  return `max_statement_time = ${timeoutMs / 1000}`;
}
