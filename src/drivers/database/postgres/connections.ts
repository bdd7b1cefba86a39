/** Connections: two pools, for reads that cannot write and for writes, with settings under which every answer is the same. */
import type { Client, ClientConfig } from "pg";
import { AppError, reasonOf } from "../../../base/errors.ts";
import { failDatabase } from "../../database.ts";
import { createFound, type Found } from "../found.ts";
import { isSilent, type ServerError, toError } from "./failures.ts";
import type { Flight } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { createAsk, type LibraryQuery } from "./pool/ask.ts";
import { Pool } from "./pool/pool.ts";
import { createStatements } from "./statements.ts";
import { Silence, streamOf } from "./pool/stream.ts";
import { types } from "./values.ts";

/** Flights on these connections have the silence of writes; reads with a limit of their own say so. */
export interface Connections extends Flight, Pick<Found, "probe" | "refusal" | "state"> {
  /** Runs work on a connection; one that is lost, or whose statements are outdated, is not used again. */
  use<T>(purpose: Purpose, work: (client: Client) => Promise<T>): Promise<T>;
  /** Opens a connection for reads that belongs to its caller alone. */
  openApart(): Promise<Client>;
  /** Says goodbye on all connections. */
  close(): void;
  /** Closes all connections, whatever they are doing. */
  destroy(): void;
}

export type Purpose = "read" | "write";

export type PgModule = {
  readonly Client: new (config: ClientConfig & { readonly pipeline: boolean }) => Client;
  readonly Query: LibraryQuery;
};

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

/** Looks at a new connection before anything is asked on it. Throws where it is not to be used. */
export type Admit = (client: Client) => Promise<void>;

const admitAll: Admit = async () => {};

export function createConnections(pg: PgModule, settings: PostgresSettings, admit: Admit = admitAll): Connections {
  const statements = createStatements(settings.statementsMax);
  const born = new WeakMap<Client, number>();
  const open = async (purpose: Purpose) => {
    const client = await openOne(pg, { settings, purpose, found, admit });
    born.set(client, statements.generation());
    return client;
  };
  const found = createFound({
    ...settings,
    attempt: async () => streamOf(await open("write")).destroy(),
    onSilent() {
      for (const pool of all) pool.giveUp();
    },
  });
  const pools = { read: poolOf("read"), write: poolOf("write") };
  const all = Object.values(pools);

  function poolOf(purpose: Purpose): Pool {
    const { readersMax, writersMax, readQueueMax, writeQueueMax, waitTimeoutMs } = settings;
    const bounds =
      purpose === "read"
        ? ({ max: readersMax, waitersMax: readQueueMax, fullCode: "database_busy" } as const)
        : ({ max: writersMax, waitersMax: writeQueueMax, fullCode: "transaction_queue_full" } as const);
    return new Pool({ ...bounds, open: () => open(purpose), waitMs: waitTimeoutMs, onDoubt: found.probe });
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
    openApart: () => open("read"),
    ask: createAsk(pg.Query),
    statements,
    silenceMs: settings.statementTimeoutMs + settings.silenceTimeoutMs,
    onSilence() {
      // What one connection has run into, the others have too: they are not tried one after the other.
      for (const pool of all) pool.clear();
      found.probe();
    },
    probe: found.probe,
    refusal: found.refusal,
    state: found.state,
    close() {
      found.close();
      for (const pool of all) pool.end();
    },
    destroy() {
      found.close();
      for (const pool of all) pool.destroy();
    },
  });
}

interface Opening {
  readonly settings: PostgresSettings;
  readonly purpose: Purpose;
  readonly found: Found;
  readonly admit: Admit;
}

/** @throws what the caller is told; for writes, database_read_only at a server that only follows another */
async function openOne(pg: PgModule, { settings, purpose, found, admit }: Opening): Promise<Client> {
  const finding = found.begin();
  try {
    const { client, isFollower } = await connect(pg, settings, purpose);
    await admit(client).catch((error: unknown) => {
      streamOf(client).destroy();
      throw error;
    });
    finding.answered(isFollower ? "read-only" : "ready", follows);
    if (!isFollower || purpose === "read") return client;
    streamOf(client).destroy();
  } catch (error) {
    const told = toError(error as ServerError, "nothing");
    // A server that has no connection left is there.
    if (!(told instanceof AppError && told.code === "database_busy"))
      finding.failed(reasonOf(error), isSilent(error as ServerError));
    throw told;
  }
  throw failDatabase("database_read_only", { cause: new Error(follows) });
}

const idleTransactionMs = 60_000;

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
    // Should this process fall silent in the middle of a transaction, the server lets go of what that has locked.
    `set idle_in_transaction_session_timeout to ${Math.max(idleTransactionMs, 2 * settings.transactionTimeoutMs)}`,
    // A write finds its rows by key. A plan made while the table was small would go on looking at all of them, and under
    // serializable isolation would be in the way of every other write (postgresql.org, 13.2.3).
    "set enable_seqscan to off",
  ];
}

/** Runs work whose connection may be gone before anything was sent on it: then the server has seen nothing, and another one is tried. */
export async function useAnother<T>(connections: Connections, work: (client: Client) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await connections.use("write", work);
    } catch (error) {
      if (!(error instanceof Unsent)) throw error;
      if (tries >= unsentMax) throw failDatabase("database_unreachable", { headers: { "Retry-After": "1" } });
    }
  }
}

const unsentMax = 3;

/** The connection was gone before anything was sent on it. */
export class Unsent extends Error {
  override readonly name = "Unsent";
}
