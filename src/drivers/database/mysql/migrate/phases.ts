/** Carries out a migration in phases on one connection, which alone holds the lock of migrations: every definition commits by itself. */
import { failDatabase, type Migrator, type Statement } from "../../../database.ts";
import type { Alone } from "../../server.ts";
import type { Connections, Session } from "../connections.ts";
import { type ServerError, toError, toRefusal } from "../failures.ts";
import { lockName, statementMsMax, waitSeconds } from "../migrate.ts";
import { columnsOf } from "../places.ts";

export async function withMigrator<T>(
  connections: Connections,
  isAlone: Alone,
  work: (migrator: Migrator) => Promise<T>,
): Promise<T> {
  const outcome = await connections.use("write", async (session) => {
    // Its settings are not those of other work, and the lock goes with it.
    session.retire();
    session.allow(statementMsMax);
    await session.tell(
      "set foreign_key_checks = 0, max_statement_time = 0, innodb_lock_wait_timeout = 60, lock_wait_timeout = 60",
    );
    const { rows } = await session.ask(`select get_lock(${lockName}, ${waitSeconds})`);
    if (rows[0]?.[0] !== 1) return { error: failDatabase("database_busy") };
    return work(createMigrator(session, isAlone)).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function createMigrator(session: Session, isAlone: Alone): Migrator {
  return {
    read: async ({ text, params }) => (await session.ask(text, params)).rows,
    together: (statements) => isAlone(() => runTogether(session, statements)),
    async alone(text) {
      // A reference is looked at where it is made, and nowhere else.
      const looks = /ADD CONSTRAINT .* FOREIGN KEY/.test(text);
      if (looks) await session.tell("set foreign_key_checks = 1");
      try {
        await ask(session, { text, params: [] }, 0);
      } finally {
        if (looks) await session.tell("set foreign_key_checks = 0");
      }
    },
  };
}

async function runTogether(session: Session, statements: readonly Statement[]): Promise<void> {
  await session.tell("start transaction");
  try {
    for (const [index, statement] of statements.entries()) await ask(session, statement, index);
  } catch (error) {
    await session.tell("rollback");
    throw error;
  }
  await session.tell("commit");
}

async function ask(session: Session, { text, params }: Statement, step: number): Promise<void> {
  try {
    await session.ask(text, params);
  } catch (error) {
    const columns = (table: string, index: string) => columnsOf(session, table, index);
    throw (await toRefusal(error as ServerError, { step, text, columnsOf: columns })) ?? toError(error as ServerError, "nothing");
  }
}
