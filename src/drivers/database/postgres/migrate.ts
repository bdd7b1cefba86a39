/** Runs the statements of a migration in one transaction, references checked at its end. */
import type { Client } from "pg";
import type { Statement } from "../../database.ts";
import type { Connections } from "./connections.ts";
import { isLost, toError, toRefusal } from "./failures.ts";
import { type Flight, fly, words } from "./flight.ts";
import { columnsOf } from "./places.ts";

/** Two nodes that start at once migrate one after the other. */
const opening = [
  "begin isolation level read committed read write",
  "set local statement_timeout to 0",
  "select pg_advisory_xact_lock(hashtext('holdfast migrate'))",
  "set constraints all deferred",
];

export async function runMigration(connections: Connections, statements: readonly Statement[]): Promise<void> {
  const refusal = await connections.use("write", (client) => run(client, statements, connections));
  // Statements that were prepared before may name what is not there any more.
  connections.statements.renew();
  if (refusal !== null) throw refusal;
}

// A statement may work on a large table for hours; a server that is gone is noticed by the connection's own probing.
const silenceMs = 2_147_483_647;

async function run(client: Client, statements: readonly Statement[], connections: Connections): Promise<Error | null> {
  const flight: Flight = { ...connections, silenceMs };
  const begun = await fly(client, opening.map(words), flight);
  if (begun.failure !== null) throw toError(begun.failure.error, "nothing");
  for (const [index, statement] of statements.entries()) {
    const { failure } = await fly(client, [{ ...statement, once: true }], flight);
    if (failure === null) continue;
    if (isLost(failure.error)) throw toError(failure.error, "nothing");
    await fly(client, [words("rollback")], flight);
    return toRefusal(failure.error, index, await columnsOf(client, failure.error, flight)) ?? toError(failure.error, "nothing");
  }
  const { failure, sent } = await fly(client, [words("commit")], flight);
  if (failure === null) return null;
  const error = toRefusal(failure.error, statements.length, []) ?? toError(failure.error, sent ? "a write" : "nothing");
  if (isLost(failure.error)) throw error;
  return error;
}
