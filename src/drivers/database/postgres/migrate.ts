/** Runs migrations: one at a time on a database, in transactions that do not wait long for a lock, and statements that stand alone. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { failDatabase, type Migrator, type Row, type Statement } from "../../database.ts";
import type { Alone } from "../server.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, type ServerError, toError, toRefusal } from "./failures.ts";
import { type Flight, type Flown, fly as send, type Query, words } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";

export interface Migrating {
  readonly connections: Connections;
  readonly settings: Pick<
    PostgresSettings,
    "lockTimeoutMs" | "migrationLockTimeoutMs" | "migrationStatementTimeoutMs" | "migrationTriesMax"
  >;
}

const lockKey = "hashtext('holdfast migrate')";
const pollMs = 50;
/** Between tries, so that those who queue behind the lock get their turn. */
const pauseMs = 200;

// A statement may work on a large table for hours; a server that is gone is noticed by the connection's own probing.
const silenceMs = 2_147_483_647;

function fly(client: Client, queries: readonly Query[], flight: Flight): Promise<Flown> {
  return send(client, queries, { ...flight, silenceMs });
}

/** What stands alone has no first word that says that it writes, and no limit but its own. */
const freely = ["set default_transaction_read_only to off", "set statement_timeout to 0"].map((text) => words(text));

/**
 * One migration at a time, whatever process it is in. The lock is asked for again and again, outside of any transaction: a waiting
 * transaction would hold up the building of an index, which waits for all that are open.
 */
export async function withMigrationLock<T>(migrating: Migrating, work: (client: Client) => Promise<T>): Promise<T> {
  const { connections, settings } = migrating;
  const outcome = await connections.use("write", async (client) => {
    const endMs = performance.now() + settings.lockTimeoutMs;
    for (;;) {
      const [row] = await ask(client, connections, { text: `select pg_try_advisory_lock(${lockKey})`, params: [] });
      if (row?.[0] === 1) break;
      if (performance.now() > endMs) return { error: failDatabase("database_busy", { headers: { "Retry-After": "1" } }) };
      await delay(pollMs);
    }
    await fly(client, freely, connections);
    const result = await work(client).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    // The client is not used for anything else: it was told to behave differently.
    connections.statements.renew();
    // Where the connection is lost the lock is too, and the client is not used again.
    await ask(client, connections, { text: `select pg_advisory_unlock(${lockKey})`, params: [] }).catch((error: unknown) => {
      throw "error" in result ? result.error : error;
    });
    return result;
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** What a migration works with on the connection that holds the lock. */
export function createMigrator(client: Client, migrating: Migrating, isAlone: Alone): Migrator {
  const { connections } = migrating;
  return {
    read: (statement) => ask(client, connections, { ...statement, once: true }),
    together: (statements) => isAlone(() => runTogether(client, migrating, { statements, end: commit })),
    async alone(text) {
      const { failure } = await fly(client, [{ text, params: [], once: true }], connections);
      connections.statements.renew();
      if (failure !== null) throw await told(client, connections, { error: failure.error, index: 0 });
    },
    rehearse: (statements, look) =>
      isAlone(() => runTogether(client, migrating, { statements, end: async () => undone(client, connections, look) })),
  };
}

async function undone<T>(client: Client, connections: Connections, look: (read: Migrator["read"]) => Promise<T>): Promise<T> {
  try {
    return await look((statement) => ask(client, connections, { ...statement, once: true }));
  } finally {
    await fly(client, [{ text: "rollback", params: [] }], connections);
  }
}

interface Together<T> {
  readonly statements: readonly Statement[];
  readonly end: (client: Client, connections: Connections, count: number) => Promise<T>;
}

/** All statements in one transaction, tried anew where a lock was not to be had, or another transaction stood crosswise. */
export async function runTogether<T>(client: Client, migrating: Migrating, together: Together<T>): Promise<T> {
  const { connections, settings } = migrating;
  for (let tries = 1; ; tries++) {
    const failure = await begin(client, migrating, together.statements);
    if (failure === null) {
      const value = await together.end(client, connections, together.statements.length);
      connections.statements.renew();
      return value;
    }
    const { error } = failure;
    if (isLost(error)) throw toError(error, "nothing");
    await fly(client, [{ text: "rollback", params: [] }], connections);
    if (!isHeldUp(error)) throw statementTimeout(error, settings) ?? (await told(client, connections, failure));
    if (tries >= settings.migrationTriesMax) throw blocked(error, settings);
    await delay(pauseMs * tries);
  }
}

async function begin(
  client: Client,
  { connections, settings }: Migrating,
  statements: readonly Statement[],
): Promise<Flown["failure"]> {
  const opening = [
    "begin isolation level read committed read write",
    `set local statement_timeout to ${settings.migrationStatementTimeoutMs}`,
    `set local lock_timeout to ${settings.migrationLockTimeoutMs}`,
    // Other writes find their rows by key; a migration looks at all of them.
    "set local enable_seqscan to on",
    "set constraints all deferred",
  ].map((text): Query => ({ text, params: [] }));
  const begun = await fly(client, opening, connections);
  if (begun.failure !== null) return { ...begun.failure, index: 0 };
  for (const [index, statement] of statements.entries()) {
    const { failure } = await fly(client, [{ ...statement, once: true }], connections);
    if (failure !== null) return { ...failure, index };
  }
  return null;
}

/** References are checked here, so that a refusal has no statement of its own. */
export async function commit(client: Client, connections: Connections, count: number): Promise<void> {
  const { failure } = await fly(client, [{ text: "commit", params: [] }], connections);
  if (failure !== null) throw toRefusal(failure.error, count, []) ?? toError(failure.error, "a write");
}

const isHeldUp = (error: ServerError) => error.code === "55P03" || isAborted(error);

function blocked(cause: ServerError, { migrationTriesMax: tries, migrationLockTimeoutMs }: Migrating["settings"]): Error {
  return failDatabase("migration_blocked", { fields: { tries, seconds: migrationLockTimeoutMs / 1000 }, cause });
}

function statementTimeout(cause: ServerError, { migrationStatementTimeoutMs }: Migrating["settings"]): Error | null {
  if (cause.code !== "57014" || migrationStatementTimeoutMs === 0) return null;
  return failDatabase("migration_timeout", { fields: { seconds: migrationStatementTimeoutMs / 1000 }, cause });
}

async function told(
  client: Client,
  connections: Connections,
  { error, index: step }: { error: ServerError; index: number },
): Promise<Error> {
  if (isLost(error)) return toError(error, "a write");
  return toRefusal(error, step, await columnsOf(client, error, connections)) ?? toError(error, "nothing");
}

async function ask(client: Client, connections: Connections, query: Query): Promise<readonly Row[]> {
  const { landed, failure } = await fly(client, [query], connections);
  if (failure !== null) throw toError(failure.error, "a read");
  return landed[0]?.rows ?? [];
}
