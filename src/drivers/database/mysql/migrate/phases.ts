/** Carries out a migration in phases on one connection, which alone holds the lock of migrations: every definition commits by itself. */
import type { Migrator, Statement } from "../../../database.ts";
import type { Alone } from "../../server.ts";
import type { Session } from "../connections.ts";
import { type ServerError, toError } from "../failures.ts";
import { attempt } from "./attempt.ts";
import { askStep, inTries, type Migrating, withMigrationLock } from "./session.ts";

export function withMigrator<T>(migrating: Migrating, isAlone: Alone, work: (migrator: Migrator) => Promise<T>): Promise<T> {
  return withMigrationLock(migrating, (session) => work(createMigrator(session, migrating, isAlone)));
}

function createMigrator(session: Session, migrating: Migrating, isAlone: Alone): Migrator {
  return {
    read: async (statement) => (await askStep(session, statement, 0)).rows,
    together: (statements) => isAlone(() => inTries(migrating, () => runTogether(session, statements))),
    attempt: (texts) => attempt(migrating, texts),
    alone: async (text) => void (await inTries(migrating, () => askStep(session, { text, params: [] }, 0))),
  };
}

async function runTogether(session: Session, statements: readonly Statement[]): Promise<void> {
  try {
    await session.tell("start transaction");
    for (const [index, statement] of statements.entries()) await askStep(session, statement, index);
  } catch (error) {
    await session.tell("rollback").catch(() => undefined);
    throw error;
  }
  try {
    await session.tell("commit");
  } catch (error) {
    throw toError(error as ServerError, "a commit");
  }
}
