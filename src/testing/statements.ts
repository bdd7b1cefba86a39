/** Counts the SQL statements that a database is given, between the engine and the driver. */
import type { Database, Transaction, UnitOptions } from "../drivers/database.ts";

export interface Counted {
  /** What the app is to use. */
  readonly database: Database;
  /** Statements since it was last asked. */
  readonly take: () => number;
}

export function countStatements(database: Database): Counted {
  const state = { statements: 0 };
  const countingSaved = <O extends UnitOptions>(options?: O) => ({
    ...options,
    onSaved(saved: number) {
      state.statements -= saved;
      options?.onSaved?.(saved);
    },
  });
  const countIn = (tx: Transaction): Transaction => ({
    read(statement) {
      state.statements++;
      return tx.read(statement);
    },
    write(unit, options) {
      state.statements += unit.length;
      return tx.write(unit, countingSaved(options));
    },
  });
  const counting: Database = {
    ...database,
    read(statement, options) {
      state.statements++;
      return database.read(statement, options);
    },
    write(unit, options) {
      state.statements += unit.length;
      return database.write(unit, countingSaved(options));
    },
    transaction: (work, options) => database.transaction((tx) => work(countIn(tx)), options),
  };
  const take = () => {
    const { statements } = state;
    state.statements = 0;
    return statements;
  };
  return { database: Object.freeze(counting), take };
}
