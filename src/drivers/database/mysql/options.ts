/** The options of the MariaDB driver: their defaults, their limits, and how its URL is read. */
import type { PoolOptions } from "mysql2";
import { assert } from "../../../base/errors.ts";
import { didYouMean } from "../../../base/suggest.ts";
import { type NumberLimits, resolveSettings, type ServerTrouble, type Settings } from "../settings.ts";

export type MysqlTrouble = ServerTrouble;

export interface MysqlOptions {
  /**
   * Where the database is: `mysql://user:password@host:port/name` or `mariadb://…`; with `?ssl=verify` the connection is encrypted
   * and the server's certificate checked, with `?ssl=require` encrypted alone.
   */
  readonly url: string;
  /** Connections for reads. @default 8 */
  readonly readersMax?: number;
  /** Connections for writes and transactions; units that are submitted together share one. @default 4 */
  readonly writersMax?: number;
  /** Long reads at a time, out of `readersMax`. @default 3 */
  readonly longReadersMax?: number;
  /** Statements kept prepared on each connection. @default 500 */
  readonly statementsMax?: number;
  /** Point reads of one shape that may share one statement. @default 64 */
  readonly mergedMax?: number;
  /** Units that may share one commit. @default 64 */
  readonly groupUnitsMax?: number;
  /** Units and transactions that may wait for a connection; further ones fail with `transaction_queue_full`. @default 10000 */
  readonly writeQueueMax?: number;
  /** How often a unit or transaction is run anew when the database asks for it. @default 10 */
  readonly retriesMax?: number;
  /** For opening a connection, and for waiting for a free one. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** How long opening waits for a server that is not there yet. @default 10000 */
  readonly startTimeoutMs?: number;
  /** How long a statement waits for a lock; the server counts in whole seconds. @default 5000 */
  readonly lockTimeoutMs?: number;
  /** How long a statement of a migration waits for a lock, while all others queue behind it; in whole seconds. @default 5000 */
  readonly migrationLockTimeoutMs?: number;
  /** How often a statement of a migration is tried where a lock cannot be had. @default 5 */
  readonly migrationTriesMax?: number;
  /** For transactions that name no other. @default 5000 */
  readonly transactionTimeoutMs?: number;
  /** For reads that name no other. @default 30000 */
  readonly readTimeoutMs?: number;
  /** For one statement of a write, together with those that go out with it. @default 60000 */
  readonly writeTimeoutMs?: number;
  /** Hears of trouble that no request is answered with. @default none */
  readonly onTrouble?: (trouble: MysqlTrouble) => void;
}

type Limit = Exclude<keyof MysqlOptions, "url" | "onTrouble">;

export type MysqlSettings = Settings<Limit>;

const limits: NumberLimits<Limit> = {
  readersMax: [8, 1, 1_000],
  writersMax: [4, 2, 1_000],
  longReadersMax: [3, 1, 1_000],
  statementsMax: [500, 1, 10_000],
  mergedMax: [64, 1, 1_000],
  groupUnitsMax: [64, 1, 10_000],
  writeQueueMax: [10_000, 1, 10_000_000],
  retriesMax: [10, 0, 100],
  connectTimeoutMs: [5_000, 1, 600_000],
  startTimeoutMs: [10_000, 0, 3_600_000],
  lockTimeoutMs: [5_000, 1, 600_000],
  migrationLockTimeoutMs: [5_000, 1, 600_000],
  migrationTriesMax: [5, 1, 1_000],
  transactionTimeoutMs: [5_000, 1, 3_600_000],
  readTimeoutMs: [30_000, 1, 3_600_000],
  writeTimeoutMs: [60_000, 1, 3_600_000],
};

/** Checks the options, fills in the defaults and freezes the result. A wrong one is a programmer's error. */
export function resolveOptions(options: MysqlOptions): MysqlSettings {
  return resolveSettings(options, {
    of: "openMysql",
    protocols: /^(mysql|mariadb):\/\//i,
    example: "mysql://user:password@host:port/name",
    limits,
  });
}

const encryptions: Readonly<Record<string, { readonly rejectUnauthorized: boolean }>> = {
  verify: { rejectUnauthorized: true },
  require: { rejectUnauthorized: false },
};

const defaultPort = 3306;

/** Where the URL leads. Only what is named here is taken from it: the library's own options have dangerous ones. */
export function addressOf(url: string): PoolOptions {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  for (const name of searchParams.keys())
    assert(name === "ssl", `a mysql: URL has no parameter "${name}".${didYouMean(name, ["ssl"])}`);
  const ssl = searchParams.get("ssl");
  const encryption = ssl === null ? undefined : encryptions[ssl];
  assert(ssl === null || encryption, "the parameter ssl of a mysql: URL is verify or require");
  const database = decodeURIComponent(pathname.slice(1));
  assert(
    database !== "" && !database.includes("/"),
    "a mysql: URL ends in the name of a database: mysql://user:password@host/name",
  );
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
    port: port === "" ? defaultPort : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database,
    ...(encryption ? { ssl: encryption } : {}),
  };
}
