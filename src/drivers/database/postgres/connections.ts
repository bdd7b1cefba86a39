/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { Client, ClientConfig } from "pg";
import { AppError, reasonOf } from "../../../base/errors.ts";
import { type DatabaseState, failDatabase } from "../../database.ts";
import { type ServerError, toError } from "./failures.ts";
import type { Flight } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { createPool, type Pool } from "./pool.ts";
import { createStatements } from "./statements.ts";
import { Silence, streamOf } from "./stream.ts";
import { types } from "./values.ts";

/** Flights on these connections have the silence of writes; reads with a limit of their own say so. */
export interface Connections extends Flight {
  /** Runs work on a connection; one that is lost, or whose statements are outdated, is not used again. */
  use<T>(purpose: Purpose, work: (client: Client) => Promise<T>): Promise<T>;
  /** As a connection was last found; where it was not ready, another attempt begins. */
  state(): Exclude<DatabaseState, "closed">;
  /** Says goodbye on all connections. */
  close(): void;
  /** Closes all connections, whatever they are doing. */
  destroy(): void;
}

export type Purpose = "read" | "write";

export type PgModule = { readonly Client: new (config: ClientConfig & { readonly pipeline: boolean }) => Client };

/** What every connection is told first: so that texts mean the same whatever the server's own settings are. */
const common = [
  "set timezone to 'UTC'",
  "set datestyle to 'ISO, MDY'",
  "set intervalstyle to 'postgres'",
  "set bytea_output to 'hex'",
  "set extra_float_digits to 1",
  "set standard_conforming_strings to on",
  "set client_min_messages to warning",
  // A transaction that may write says so in its first word: where that word fails, those behind it can write nothing.
  "set default_transaction_read_only to on",
];

// A peer that vanished without a word is found out even where nothing waits for it to answer.
const keepAliveAfterMs = 10_000;

export function createConnections(pg: PgModule, settings: PostgresSettings): Connections {
  const statements = createStatements(settings.statementsMax);
  const born = new WeakMap<Client, number>();
  const now = { state: "ready" as ReturnType<Connections["state"]>, probing: false, closed: false };

  function find(state: typeof now.state, why: string): void {
    const before = now.state;
    now.state = state;
    if (before === state || now.closed) return;
    if (state === "ready") settings.onTrouble({ kind: "database_found", message: "The database can be worked with again." });
    else settings.onTrouble({ kind: state === "unreachable" ? "database_lost" : "database_read_only", message: why });
  }

  /** @throws what the caller is told; for writes, database_read_only at a server that only follows another */
  async function open(purpose: Purpose): Promise<Client> {
    try {
      const { client, isFollower } = await connect(pg, settings, purpose);
      find(isFollower ? "read-only" : "ready", follows);
      born.set(client, statements.generation());
      if (!isFollower || purpose === "read") return client;
      streamOf(client).destroy();
    } catch (error) {
      const told = toError(error as ServerError, "nothing");
      // A server that has no connection left is there.
      if (!(told instanceof AppError && told.code === "database_busy")) find("unreachable", reasonOf(error));
      throw told;
    }
    throw failDatabase("database_read_only", { cause: new Error(follows) });
  }

  const poolOf = (purpose: Purpose, max: number, waitersMax: number): Pool =>
    createPool({ open: () => open(purpose), max, waitersMax, waitMs: settings.waitTimeoutMs, onIdleLoss: () => probe() });
  const pools = {
    read: poolOf("read", settings.readersMax, settings.readQueueMax),
    write: poolOf("write", settings.writersMax, settings.writeQueueMax),
  };

  /** Looks whether the server is there: nobody would send a request to find out to one that says it is not ready. */
  function probe(): void {
    if (now.probing || now.closed) return;
    now.probing = true;
    const done = () => {
      now.probing = false;
    };
    void open("write")
      .then((client) => {
        streamOf(client).destroy();
      })
      .then(done, done);
  }

  return Object.freeze({
    async use<T>(purpose: Purpose, work: (client: Client) => Promise<T>): Promise<T> {
      const client = await pools[purpose].acquire();
      let isSound = false;
      try {
        const value = await work(client);
        isSound = true;
        return value;
      } finally {
        pools[purpose].release(client, isSound && born.get(client) === statements.generation());
      }
    },
    statements,
    silenceMs: settings.statementTimeoutMs + settings.silenceTimeoutMs,
    onSilence() {
      // What one connection has run into, the others have too: they are not tried one after the other.
      for (const pool of Object.values(pools)) pool.clear();
      probe();
    },
    state() {
      if (now.state !== "ready") probe();
      return now.state;
    },
    close() {
      now.closed = true;
      for (const pool of Object.values(pools)) pool.end();
    },
    destroy() {
      now.closed = true;
      for (const pool of Object.values(pools)) pool.destroy();
    },
  });
}

const follows = "the server is in recovery: it follows another one";

/** Opens a connection, tells it how to behave, and asks whether its server follows another one. */
async function connect(
  pg: PgModule,
  settings: PostgresSettings,
  purpose: Purpose,
): Promise<{ readonly client: Client; readonly isFollower: boolean }> {
  const client = new pg.Client({
    connectionString: settings.url,
    application_name: "holdfast",
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    pipeline: true,
    types: types as unknown as NonNullable<ClientConfig["types"]>,
  });
  // Who waits for the connection hears of it by the promise.
  client.on("error", () => {});
  const timer = setTimeout(() => streamOf(client).destroy(new Silence(settings.connectTimeoutMs)), settings.connectTimeoutMs);
  try {
    await client.connect();
    const text = [...common, ...settingsOf(purpose, settings), "select pg_is_in_recovery()"].join("; ");
    const results = (await client.query({ text, rowMode: "array" })) as unknown as readonly { readonly rows: unknown[][] }[];
    return { client, isFollower: results.at(-1)?.rows[0]?.[0] === 1 };
  } catch (error) {
    streamOf(client).destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function settingsOf(purpose: Purpose, settings: PostgresSettings): readonly string[] {
  if (purpose === "read") return [`set statement_timeout to ${settings.readTimeoutMs}`];
  return [
    "set default_transaction_isolation to serializable",
    `set lock_timeout to ${settings.lockTimeoutMs}`,
    `set statement_timeout to ${settings.statementTimeoutMs}`,
  ];
}
