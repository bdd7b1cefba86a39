/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { Connection, ConnectionOptions, FieldPacket, Pool, PoolConnection, PoolOptions } from "mysql2";
import { AppError } from "../../../base/errors.ts";
import { createLru } from "../../../base/lru.ts";
import { failDatabase, type Row, type Statement, type Value } from "../../database.ts";
import { createFound, type Finding, type Found } from "../found.ts";
import { isLost, isRefused, isSilent, type ServerError, toError } from "./failures.ts";
import { addressOf, type MysqlSettings } from "./options.ts";
import { openingOf, type Purpose } from "./server/settings.ts";
import { variantOf } from "./server/version.ts";
import { toRows, toSent } from "./values.ts";
import type { Variant } from "./variants/variant.ts";

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that the statement found to change. */
  readonly count: number;
}

/** A connection in use. What the server refuses is thrown as it says it. */
export interface Session {
  /** Which server it is. */
  readonly variant: Variant;
  /** Runs a statement that stays prepared. */
  ask(text: string, params?: readonly Value[]): Promise<Answer>;
  /**
   * Runs statements, each of them a query or one that changes rows, in one round trip where the server takes it. Where one fails, it
   * is not told which.
   */
  askAll(statements: readonly Statement[]): Promise<readonly Answer[]>;
  /** Runs a word to the server that is not worth preparing, such as `commit`. */
  tell(text: string): Promise<void>;
  /** From now on, until the work ends, a statement may take so long. */
  allow(timeoutMs: number): void;
  /** The connection is not used again, whatever becomes of the work. */
  retire(): void;
}

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
  const now = { variant: null as Variant | null, silences: 0 };
  const attempt = () => greet(createConnection(poolOptions(settings)), found.begin());
  const found: Found = createFound({ ...settings, attempt, onSilent: () => void now.silences++ });
  /** How often the server had fallen silent when they were made ready: what it has done to one, it has done to all. */
  const ready = new WeakMap<PoolConnection, number>();
  const isSound = (connection: PoolConnection) => (ready.get(connection) ?? now.silences) === now.silences;
  const open = (max: number) => openPool(createPool({ ...poolOptions(settings), connectionLimit: max }), settings);
  const pools = { read: open(settings.readersMax), write: open(settings.writersMax) };

  const speak = createSpeech(settings.statementsMax);

  /** Another server might not even know what is set here. */
  async function settle(connection: PoolConnection, purpose: Purpose): Promise<void> {
    const variant = (now.variant ??= await recognise(connection, settings.connectTimeoutMs));
    for (const text of openingOf(variant, purpose, settings)) await send(connection, text, settings.connectTimeoutMs);
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
      const use: Use = { variant: now.variant as Variant, timeoutMs: timeoutOf(purpose, settings), isSound: true };
      try {
        return await work(openSession(connection, use, (text) => speak(use.variant, text)));
      } catch (error) {
        use.isSound = false;
        throw error;
      } finally {
        if (use.isSound) connection.release();
        else connection.destroy();
      }
    },
    async close() {
      found.close();
      await Promise.all([pools.read, pools.write].map((pool) => new Promise<void>((resolve) => pool.end(() => resolve()))));
    },
  });
}

/** What becomes of a connection while work is done on it. */
interface Use {
  readonly variant: Variant;
  timeoutMs: number;
  isSound: boolean;
}

function openSession(connection: PoolConnection, use: Use, speak: (text: string) => string): Session {
  const { variant } = use;
  const all = variant.sessions.hasBlocks ? prepareBlock : prepareEach;
  return {
    variant,
    ask: (text, params = []) => prepare(connection, { text: speak(text), params }, use.timeoutMs),
    askAll(statements) {
      const spoken = statements.map(({ text, params }) => ({ text: speak(text), params }));
      return all(connection, spoken, use.timeoutMs);
    },
    tell: (text) => send(connection, speak(text), use.timeoutMs),
    allow(timeoutMs) {
      use.timeoutMs = timeoutMs;
    },
    retire() {
      use.isSound = false;
    },
  };
}

/** Statements as that server takes them: what is said once is said again. */
function createSpeech(statementsMax: number): (variant: Variant, text: string) => string {
  const spoken = createLru<string, string>(statementsMax);
  return ({ sessions }, text) => {
    if (sessions.escaped === null) return text;
    const known = spoken.get(text);
    if (known !== undefined) return known;
    const escaped = sessions.escaped(text);
    if (escaped !== text) spoken.set(text, escaped);
    return escaped;
  };
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
  if (isLost(error) || isRefused(error)) finding.failed(error.message, isSilent(error));
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

/** @throws with what to do where the server is too old */
async function recognise(connection: PoolConnection, timeoutMs: number): Promise<Variant> {
  const { rows } = await prepare(connection, { text: "select version()", params: [] }, timeoutMs);
  return variantOf(String(rows[0]?.[0] as string));
}

const query = /^select\b/i;

/** The protocol answers one statement before it takes the next, but a block is one: each statement in it answers with rows. */
async function prepareBlock(
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

async function prepareEach(
  connection: PoolConnection,
  statements: readonly Statement[],
  timeoutMs: number,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const statement of statements) answers.push(await prepare(connection, statement, timeoutMs));
  return answers;
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

function timeoutOf(purpose: Purpose, { readTimeoutMs, writeTimeoutMs }: MysqlSettings): number {
  return purpose === "read" ? readTimeoutMs : writeTimeoutMs;
}
