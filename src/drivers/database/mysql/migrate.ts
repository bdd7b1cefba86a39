/** Runs the statements of a migration on one connection, references unchecked until its end; what it had made is taken back where it fails. */
import { type Statement, UnitRefused } from "../../database.ts";
import type { Connections, Session } from "./connections.ts";
import { type ServerError, toError, toRefusal } from "./failures.ts";
import { columnsOf } from "./places.ts";
import { findOrphans } from "./ddl/references.ts";
import { lockName, type Migrating, spellFor, withMigrationLock } from "./migrate/session.ts";
import { type Functions, versionText } from "./server/functions.ts";
import { literal, quote } from "./text.ts";

/** How long a node waits for another that makes the functions. */
const waitSeconds = 60;

export async function runMigration(migrating: Migrating, statements: readonly Statement[]): Promise<void> {
  const refusal = await withMigrationLock(migrating, (session) => run(session, statements));
  if (refusal !== null) throw refusal;
}

/** Definitions commit by themselves, so a table that was made is dropped where what comes after it fails. */
async function run(session: Session, statements: readonly Statement[]): Promise<Error | null> {
  const before = await tablesOf(session);
  await session.tell("start transaction");
  for (const [step, { text, params }] of statements.entries()) {
    try {
      const spelt = await spellFor(session, text);
      // Not every definition can be prepared.
      if (params.length === 0) await session.tell(spelt);
      else await session.ask(spelt, params);
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
export async function replaceFunctions(connections: Connections, { version, statements }: Functions): Promise<void> {
  await connections.use("write", async (session) => {
    session.retire();
    await session.ask(`do get_lock(${lockName}, ${waitSeconds})`);
    try {
      // Who held the lock before may have made them.
      const { rows } = await session.ask(versionText);
      for (const text of rows[0]?.[0] === version ? [] : statements) await session.tell(text);
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
