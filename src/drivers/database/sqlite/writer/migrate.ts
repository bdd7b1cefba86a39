/** Runs the statements of a migration in one transaction of their own, foreign keys checked once, at the end. */
import type { Statement } from "../../../database.ts";
import type { Connection } from "../connection.ts";
import { describe, type Failure } from "../failures.ts";
import type { Turns } from "./turns.ts";

/** Returns what went wrong, or null. Either all statements are durable or none left a trace. */
export function migrate(connection: Connection, statements: readonly Statement[], turns: Turns): Failure | null {
  const { db } = connection;
  // SQLite ignores this pragma inside a transaction, so it comes before.
  db.exec("PRAGMA foreign_keys = OFF");
  try {
    const failure = attempt(connection, { statements, turns, before: 0 });
    if (failure?.refusal?.reason !== "foreign_key") return failure;
    // Others' tables may have been broken before: that is theirs, and no reason to refuse.
    const before = broken(connection).length;
    return before === 0 ? failure : attempt(connection, { statements, turns, before });
  } finally {
    db.exec("PRAGMA foreign_keys = ON");
  }
}

interface Attempt {
  readonly statements: readonly Statement[];
  readonly turns: Turns;
  /** Rows whose references led nowhere already. */
  readonly before: number;
}

function attempt(connection: Connection, { statements, turns, before }: Attempt): Failure | null {
  const { db } = connection;
  let step = 0;
  try {
    const refused = turns.begin();
    if (refused !== null) return refused;
    for (const { text, params } of statements) {
      connection.statements.run(text, params);
      step++;
    }
    const failure = brokenReference(connection, { step: statements.length, before });
    db.exec(failure === null ? "COMMIT" : "ROLLBACK");
    return failure;
  } catch (error) {
    return describe(error, Math.min(step, statements.length - 1));
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

function broken({ statements }: Connection) {
  return statements.all("PRAGMA foreign_key_check", []);
}

function brokenReference(
  connection: Connection,
  { step, before }: { readonly step: number; readonly before: number },
): Failure | null {
  const found = broken(connection);
  const [last] = found.slice(before);
  if (last === undefined) return null;
  const [table, rowid, parent] = last.map(String);
  const message = `row ${rowid} of ${table} refers to a row of ${parent} that does not exist`;
  return { code: "refused", message, errcode: 0, refusal: { reason: "foreign_key", step, place: { table: table ?? null } } };
}
