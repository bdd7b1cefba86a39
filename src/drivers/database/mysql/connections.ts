/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { Connection, ConnectionOptions, FieldPacket, Pool, PoolConnection, PoolOptions } from "mysql2";
import { AppError } from "../../../base/errors.ts";
import { failDatabase, type Row, type Statement, type Value } from "../../database.ts";
import { createFound, type Finding, type Found } from "../found.ts";
import { isLost, isSilent, type ServerError, toError } from "./failures.ts";
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

export interface Connections extends Pick<Found, "refusal" | "state"> {
  /** Runs work on a connection; one that is lost, or on which the work has failed, is not used again. */
  use<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

type Mysql = {
  readonly createPool: (options: PoolOptions) => Pool;
  readonly createConnection: (options: ConnectionOptions) => Connection;
};

/** How much longer than the server a client waits for an answer that the server has promised to cut off. */
const graceMs = 5_000;

export function createConnections({ createPool, createConnection }: Mysql, settings: MysqlSettings): Connections {
  const now = { isChecked: false, silences: 0 };
  const attempt = () => greet(createConnection(poolOptions(settings)), found.begin());
  const found: Found = createFound({ ...settings, attempt, onSilent: () => void now.silences++ });
  /** How often the server had fallen silent when they were made ready: what it has done to one, it has done to all. */
  const ready = new WeakMap<PoolConnection, number>();
  const isSound = (connection: PoolConnection) => (ready.get(connection) ?? now.silences) === now.silences;
  const open = (max: number) => openPool(createPool({ ...poolOptions(settings), connectionLimit: max }), settings);
  const pools = { read: open(settings.readersMax), write: open(settings.writersMax) };

  /** Another server might not even know what is set here. */
  async function settle(connection: PoolConnection, purpose: Purpose): Promise<void> {
    if (!now.isChecked) {
      const { rows } = await prepare(connection, { text: "select version()", params: [] }, settings.connectTimeoutMs);
      checkVersion(String(rows[0]?.[0] as string));
    }
    now.isChecked = true;
    for (const text of openingOf(purpose, settings)) await send(connection, text, settings.connectTimeoutMs);
  }

  async function acquire(purpose: Purpose): Promise<PoolConnection> {
    const finding = found.begin();
    let connection: PoolConnection | null = null;
    try {
      connection = await takeSound(pools[purpose], settings.connectTimeoutMs, isSound);
      if (ready.has(connection)) return connection;
      await settle(connection, purpose);
      ready.set(connection, now.silences);
      finding.answered("ready", "");
      return connection;
    } catch (error) {
      connection?.destroy();
      noteFailure(error as ServerError, finding, found.probe);
      throw toError(error as ServerError, "nothing");
    }
  }

  return Object.freeze({
    refusal: found.refusal,
    state: found.state,
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
    async close() {
      found.close();
      await Promise.all([pools.read, pools.write].map((pool) => new Promise<void>((resolve) => pool.end(() => resolve()))));
    },
  });
}

function openPool(pool: Pool, { onTrouble }: MysqlSettings): Pool {
  // An idle connection that ends is no request's trouble; without a listener it would be the process's.
  pool.on("connection", (connection) => {
    connection.on("error", (error) => onTrouble({ kind: "database_lost", message: error.message }));
  });
  return pool;
}

/** Looks whether the server greets who comes, beside the pools. */
async function greet(connection: Connection, finding: Finding): Promise<void> {
  // Who waits for the greeting hears of it by the promise.
  connection.on("error", () => {});
  try {
    await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
    finding.answered("ready", "");
  } catch (error) {
    noteFailure(error as ServerError, finding, () => {});
  } finally {
    connection.destroy();
  }
}

function noteFailure(error: ServerError, finding: Finding, probe: () => void): void {
  if (isLost(error)) finding.failed(error.message, isSilent(error));
  // All are in use, or none can be opened: another one tells which.
  if (error instanceof AppError) probe();
}

/** What is not sound is closed: to use it would take all the time that a statement has. */
async function takeSound(
  pool: Pool,
  timeoutMs: number,
  isSound: (connection: PoolConnection) => boolean,
): Promise<PoolConnection> {
  for (;;) {
    const connection = await take(pool, timeoutMs);
    if (isSound(connection)) return connection;
    connection.destroy();
  }
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
