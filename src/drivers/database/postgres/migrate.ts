/** Runs the statements of a migration in one transaction, references checked at its end. */
import type { PoolClient } from "pg";
import type { Statement } from "../../database.ts";
import type { Connections } from "./connections.ts";
import { toError, toRefusal } from "./failures.ts";
import { fly } from "./flight.ts";
import { columnsOf } from "./places.ts";

/** Two nodes that start at once migrate one after the other. */
const opening = [
  "begin isolation level read committed",
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

async function run(client: PoolClient, statements: readonly Statement[], connections: Connections): Promise<Error | null> {
  const queries = opening.map((text) => ({ text, params: [] }));
  const begun = await fly(client, queries, connections.statements);
  if (begun.failure !== null) throw toError(begun.failure.error, "nothing");
  for (const [index, statement] of statements.entries()) {
    const { failure } = await fly(client, [{ ...statement, once: true }], connections.statements);
    if (failure === null) continue;
    const columns = await fly(client, [{ text: "rollback", params: [] }], connections.statements).then(() =>
      columnsOf(client, failure.error),
    );
    return toRefusal(failure.error, index, columns) ?? toError(failure.error, "nothing");
  }
  const { failure } = await fly(client, [{ text: "commit", params: [] }], connections.statements);
  if (failure === null) return null;
  return toRefusal(failure.error, statements.length, []) ?? toError(failure.error, "a write");
}
