/** Runs the statements of a migration on one connection, references unchecked until its end; what it had made is taken back where it fails. */
import { failDatabase, type Statement, UnitRefused } from "../../database.ts";
import type { Connections, Session } from "./connections.ts";
import { type ServerError, toError, toRefusal } from "./failures.ts";
import { columnsOf } from "./places.ts";
import { findOrphans } from "./ddl/references.ts";
import { literal, quote } from "./text.ts";

/** How long a node waits for another that migrates; the server counts in seconds. */
export const waitSeconds = 60;

/** To change a large table takes its time; the longest that a timer measures is 24 days. */
export const statementMsMax = 7 * 86_400_000;

/** Two nodes that start at once migrate one after the other. Names of locks are the whole server's, and have 64 characters. */
export const lockName = "concat('holdfast ', sha1(database()))";

export async function runMigration(connections: Connections, statements: readonly Statement[]): Promise<void> {
  const refusal = await connections.use("write", (session) => runLocked(session, statements));
  if (refusal !== null) throw refusal;
}

/** @throws where the connection is lost */
async function runLocked(session: Session, statements: readonly Statement[]): Promise<Error | null> {
  // Its settings are not those of other work, and the lock goes with it.
  session.retire();
  session.allow(statementMsMax);
  try {
    await session.tell(
      "set foreign_key_checks = 0, max_statement_time = 0, innodb_lock_wait_timeout = 60, lock_wait_timeout = 60",
    );
    const { rows } = await session.ask(`select get_lock(${lockName}, ${waitSeconds})`);
    if (rows[0]?.[0] !== 1) return failDatabase("database_busy");
    return await run(session, statements);
  } catch (error) {
    throw toError(error as ServerError, "nothing");
  }
}

/** Definitions commit by themselves, so a table that was made is dropped where what comes after it fails. */
async function run(session: Session, statements: readonly Statement[]): Promise<Error | null> {
  const before = await tablesOf(session);
  for (const [step, { text, params }] of statements.entries()) {
    try {
      await session.ask(text, params);
    } catch (error) {
      const columns = (table: string, index: string) => columnsOf(session, table, index);
      const refused = await toRefusal(error as ServerError, { step, text, columnsOf: columns });
      await undo(session, before);
      return refused ?? toError(error as ServerError, "nothing");
    }
  }
  const orphans = await findOrphans(async (text, params) => (await session.ask(text, params)).rows);
  if (orphans.length > 0) {
    await undo(session, before);
    return new UnitRefused("foreign_key", statements.length);
  }
  try {
    await session.tell("commit");
    return null;
  } catch (error) {
    return toError(error as ServerError, "a commit");
  }
}

async function tablesOf(session: Session): Promise<ReadonlySet<string>> {
  const { rows } = await session.ask(
    "select table_name from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'",
  );
  return new Set(rows.map(([name]) => String(name as string)));
}

async function undo(session: Session, before: ReadonlySet<string>): Promise<void> {
  await session.tell("rollback");
  const made = [...(await tablesOf(session))].filter((name) => !before.has(name));
  for (const name of made) await session.ask(`drop table ${quote(name)}`);
}

/** Makes the functions that statements call. */
export async function replaceFunctions(connections: Connections, texts: readonly string[]): Promise<void> {
  await connections.use("write", async (session) => {
    session.retire();
    await session.ask(`do get_lock(${lockName}, ${waitSeconds})`);
    try {
      for (const text of texts) await session.ask(text);
    } catch (error) {
      const { errno, sqlMessage } = error as ServerError;
      const mend = needs.get(errno ?? 0);
      if (mend === undefined) throw toError(error as ServerError, "nothing");
      throw new Error(`the functions ${literal("holdfast_%")} cannot be made in the database (${sqlMessage ?? ""}): ${mend}`, {
        cause: error,
      });
    }
  });
}

const privileges = "grant the user CREATE ROUTINE, ALTER ROUTINE and EXECUTE on the database";
const needs: ReadonlyMap<number, string> = new Map([
  [1044, privileges],
  [1142, privileges],
  [1227, privileges],
  [1370, privileges],
  [1419, "set log_bin_trust_function_creators = 1 on the server, or start once as a user with the privilege SUPER"],
]);
