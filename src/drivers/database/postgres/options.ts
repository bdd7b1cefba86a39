/** The options of the PostgreSQL driver: their defaults, their limits, and what a wrong one is answered with. */
import { assert } from "../../../base/errors.ts";
import { isReadable, type NumberLimits, resolveSettings, type ServerTrouble, type Settings } from "../settings.ts";

export type PostgresTrouble = ServerTrouble;

export interface PostgresOptions {
  /** Where the database is: `postgres://user:password@host:port/name`, with the parameters that libpq knows (`sslmode` …). */
  readonly url: string;
  /** URLs of streaming replicas, which answer reads that need nothing newer than they have. @default none */
  readonly replicas?: readonly string[];
  /** How often each is asked how far it has come. @default 500 */
  readonly replicaPollMs?: number;
  /** One that is further behind than this answers no reads. @default 10000 */
  readonly replicaLagMaxMs?: number;
  /** Connections for reads, on the primary and on each replica. @default 8 */
  readonly readersMax?: number;
  /** Connections for writes and transactions; units that are submitted together share one. @default 4 */
  readonly writersMax?: number;
  /** Long reads at a time, out of `readersMax`. @default 3 */
  readonly longReadersMax?: number;
  /** Reads of one shape that may share a round trip. @default 64 */
  readonly mergedMax?: number;
  /** Statements kept prepared on each connection. @default 500 */
  readonly statementsMax?: number;
  /** Units that may share one commit. @default 64 */
  readonly groupUnitsMax?: number;
  /** Units and transactions that may wait for a connection; further ones fail with `transaction_queue_full`. @default 10000 */
  readonly writeQueueMax?: number;
  /** How often a unit or transaction is run anew when the database asks for it. @default 10 */
  readonly retriesMax?: number;
  /** Reads that may wait for a connection; further ones fail with `database_busy`. @default 10000 */
  readonly readQueueMax?: number;
  /** For opening a connection. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** For waiting for a free connection, or behind other writes; then a read or write fails with `database_busy`. @default 10000 */
  readonly waitTimeoutMs?: number;
  /** How long opening waits for a server that is not there yet. @default 10000 */
  readonly startTimeoutMs?: number;
  /** How long a statement waits for a lock. @default 5000 */
  readonly lockTimeoutMs?: number;
  /** For each statement of a unit or transaction; it is then undone and fails with `transaction_timeout`. @default 30000 */
  readonly statementTimeoutMs?: number;
  /** How long the server may be silent over the time that a statement has; then its connection is given up. @default 5000 */
  readonly silenceTimeoutMs?: number;
  /** How long closing waits for work that makes no progress. @default 1500 */
  readonly closeTimeoutMs?: number;
  /** How long a statement of a migration waits for a lock, while all others queue behind it. @default 5000 */
  readonly migrationLockTimeoutMs?: number;
  /** How often a migration's transaction is tried where a lock cannot be had. @default 5 */
  readonly migrationTriesMax?: number;
  /** The longest that a statement of a migration's transaction may take; 0 is no limit. @default 0 */
  readonly migrationStatementTimeoutMs?: number;
  /** For transactions that name no other. @default 5000 */
  readonly transactionTimeoutMs?: number;
  /** For reads that name no other. @default 30000 */
  readonly readTimeoutMs?: number;
  /** Hears of trouble that no request is answered with. @default none */
  readonly onTrouble?: (trouble: PostgresTrouble) => void;
}

type Limit = Exclude<keyof PostgresOptions, "url" | "onTrouble" | "replicas">;

export type PostgresSettings = Settings<Limit> & { readonly replicas: readonly string[] };

const limits: NumberLimits<Limit> = {
  replicaPollMs: [500, 10, 600_000],
  replicaLagMaxMs: [10_000, 1, 86_400_000],
  readersMax: [8, 1, 1_000],
  writersMax: [4, 2, 1_000],
  longReadersMax: [3, 1, 1_000],
  mergedMax: [64, 1, 1_000],
  statementsMax: [500, 1, 100_000],
  groupUnitsMax: [64, 1, 10_000],
  writeQueueMax: [10_000, 1, 10_000_000],
  retriesMax: [10, 0, 100],
  readQueueMax: [10_000, 1, 10_000_000],
  connectTimeoutMs: [5_000, 1, 600_000],
  waitTimeoutMs: [10_000, 1, 600_000],
  startTimeoutMs: [10_000, 0, 3_600_000],
  statementTimeoutMs: [30_000, 1, 3_600_000],
  silenceTimeoutMs: [5_000, 1, 600_000],
  closeTimeoutMs: [1_500, 1, 600_000],
  lockTimeoutMs: [5_000, 1, 600_000],
  migrationLockTimeoutMs: [5_000, 1, 600_000],
  migrationTriesMax: [5, 1, 1_000],
  migrationStatementTimeoutMs: [0, 0, 86_400_000],
  transactionTimeoutMs: [5_000, 1, 3_600_000],
  readTimeoutMs: [30_000, 1, 3_600_000],
};

const protocols = /^postgres(ql)?:\/\//i;
const example = "postgres://user:password@host:port/name";

/** Checks the options, fills in the defaults and freezes the result. A wrong one is a programmer's error. */
export function resolveOptions(options: PostgresOptions): PostgresSettings {
  const { replicas = [], ...others } = options;
  const isUrl = (url: string) => protocols.test(url) && isReadable(url);
  assert(replicas.every(isUrl), `one of the URLs of replicas cannot be read: write ${example}`);
  const settings = resolveSettings(others, { of: "openPostgres", protocols, example, limits });
  return Object.freeze({ ...settings, replicas: Object.freeze([...replicas]) });
}
