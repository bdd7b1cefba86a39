/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { Pool, PoolClient, PoolConfig } from "pg";
import { createStatements, type Statements } from "./statements.ts";
import type { PostgresSettings } from "./options.ts";
import { type ServerError, toError } from "./failures.ts";
import { types } from "./values.ts";

export interface Connections {
  /** Runs work on a connection; one that is lost, or whose statements are outdated, is not used again. */
  use<T>(purpose: Purpose, work: (client: PoolClient) => Promise<T>): Promise<T>;
  readonly statements: Statements;
  /** Whether a connection could be had when last tried; where not, another attempt begins. */
  isReachable(): boolean;
  close(): Promise<void>;
}

export type Purpose = "read" | "write";

/** What every connection is told first: so that texts mean the same whatever the server's own settings are. */
const common = [
  "set timezone to 'UTC'",
  "set datestyle to 'ISO, MDY'",
  "set intervalstyle to 'postgres'",
  "set bytea_output to 'hex'",
  "set extra_float_digits to 1",
  "set standard_conforming_strings to on",
  "set client_min_messages to warning",
];

type PgModule = { readonly Pool: new (config: PoolConfig & { readonly pipeline: boolean }) => Pool };

export function createConnections(pg: PgModule, settings: PostgresSettings): Connections {
  const statements = createStatements(settings.statementsMax);
  const born = new WeakMap<PoolClient, number>();
  const reach = { is: true, probing: false };
  let closed = false;
  const open = (purpose: Purpose, max: number) => {
    const pool = new pg.Pool({ ...poolConfig(settings), max });
    pool.on("connect", (client) => {
      // One that ends while it is used is told by its statements; without a listener it would end the process.
      client.on("error", ignoreLoss);
      void client.query([...common, ...settingsOf(purpose, settings)].join("; ")).catch(ignoreLoss);
      born.set(client, statements.generation());
    });
    // An idle connection that ends is no request's trouble; without a listener it would be the process's.
    pool.on("error", (error) => {
      if (closed) return;
      settings.onTrouble({ kind: "database_lost", message: error.message });
      reach.is = false;
      probe();
    });
    return pool;
  };
  const pools = { read: open("read", settings.readersMax), write: open("write", settings.writersMax) };

  /** Looks whether the server is back: nobody would send a request to find out to one that says it is not ready. */
  function probe(): void {
    if (reach.probing || closed) return;
    reach.probing = true;
    // Whether it was found, acquire() says.
    void Promise.allSettled([acquire("read").then((client) => client.release())]).then(() => {
      reach.probing = false;
    });
  }

  async function acquire(purpose: Purpose): Promise<PoolClient> {
    try {
      const client = await pools[purpose].connect();
      if (!reach.is) settings.onTrouble({ kind: "database_found", message: "A connection could be opened again." });
      reach.is = true;
      return client;
    } catch (error) {
      reach.is = (error as ServerError).code === "53300" && reach.is;
      throw toError(error as ServerError, "nothing");
    }
  }

  return Object.freeze({
    async use<T>(purpose: Purpose, work: (client: PoolClient) => Promise<T>): Promise<T> {
      const client = await acquire(purpose);
      let isSound = false;
      try {
        const value = await work(client);
        isSound = true;
        return value;
      } finally {
        client.release(!isSound || born.get(client) !== statements.generation());
      }
    },
    statements,
    isReachable() {
      if (!reach.is) probe();
      return reach.is;
    },
    async close() {
      closed = true;
      await Promise.all([pools.read.end(), pools.write.end()]);
    },
  });
}

function poolConfig(settings: PostgresSettings): PoolConfig & { readonly pipeline: boolean } {
  return {
    connectionString: settings.url,
    application_name: "holdfast",
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    pipeline: true,
    types: types as unknown as NonNullable<PoolConfig["types"]>,
  };
}

function settingsOf(purpose: Purpose, settings: PostgresSettings): readonly string[] {
  if (purpose === "read")
    return ["set default_transaction_read_only to on", `set statement_timeout to ${settings.readTimeoutMs}`];
  return [
    "set default_transaction_isolation to serializable",
    `set lock_timeout to ${settings.lockTimeoutMs}`,
    // A write finds its rows by key. A plan made while the table was small would go on looking at all of them, and under
    // serializable isolation would be in the way of every other write (postgresql.org, 13.2.3).
    "set enable_seqscan to off",
  ];
}

// Who asked for the connection hears of it by his own first statement.
function ignoreLoss(): void {}
