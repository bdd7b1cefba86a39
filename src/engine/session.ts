/** Where statements run: on the database, or inside a transaction that is held open. */
import type { Database, Row, Statement, Step, StepResult, Transaction } from "../drivers/database.ts";

export interface Session {
  read(statement: Statement, long: boolean): readonly Row[] | Promise<readonly Row[]>;
  /** One atomic unit. */
  write(unit: readonly Step[]): Promise<readonly StepResult[]>;
  /** Runs work in a transaction: a new one, or the one at hand. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

const short = Object.freeze({ long: false });
const long = Object.freeze({ long: true });

export function databaseSession(database: Database, timeoutMs: number): Session {
  return {
    read: (statement, isLong) => database.read(statement, isLong ? long : short),
    write: (unit) => database.write(unit),
    transaction: (work) => database.transaction((tx) => work(transactionSession(tx)), { timeoutMs }),
  };
}

export function transactionSession(tx: Transaction): Session {
  const session: Session = {
    read: (statement) => tx.read(statement),
    write: (unit) => tx.write(unit),
    transaction: (work) => work(session),
  };
  return session;
}
