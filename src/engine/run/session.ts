/** Where statements run: on the database, or inside a transaction that is held open. */
import { assert } from "../../base/errors.ts";
import type { Soon } from "../../base/soon.ts";
import type {
  CommitOptions,
  Database,
  Position,
  ReadOptions,
  Row,
  Statement,
  Step,
  StepResult,
  Transaction,
  WriteOptions,
} from "../../drivers/database.ts";

export interface Session {
  read(statement: Statement, options?: ReadOptions): Soon<readonly Row[]>;
  /** One atomic unit. */
  write(unit: readonly Step[], options?: WriteOptions): Promise<readonly StepResult[]>;
  /** Runs work in a transaction: a new one, or the one at hand. */
  transaction<T>(work: (session: Session) => Promise<T>, options?: CommitOptions): Promise<T>;
}

/** `seal` is what every transaction ends with that has written. */
export function databaseSession(database: Database, timeoutMs: number, seal: readonly Step[] = []): Session {
  return {
    read: (statement, options) => database.read(statement, options),
    write:
      seal.length === 0
        ? (unit, options) => database.write(unit, options)
        : (unit, options) => database.write([...unit, ...seal], options),
    transaction: (work, options) =>
      database.transaction(
        async (tx) => {
          const noted = notingWrites(tx);
          const value = await work(transactionSession(noted));
          // Who has only read has no place among those who wrote, and waits for none of them.
          if (seal.length > 0 && noted.wrote()) await tx.write(seal);
          return value;
        },
        { ...options, timeoutMs },
      ),
  };
}

/** The same transaction, which knows whether anything was written in it; checks alone write nothing. */
function notingWrites(tx: Transaction): Transaction & { readonly wrote: () => boolean } {
  const units = { wrote: false };
  return {
    read: (statement) => tx.read(statement),
    write(...asked) {
      units.wrote ||= asked[0].some(({ kind }) => kind !== "check");
      return tx.write(...asked);
    },
    wrote: () => units.wrote,
  };
}

/** The same session of the database, whose reads a replica may answer that has got so far. */
export function replicaSession(session: Session, since: Position | null): Session {
  return { ...session, read: (statement, options) => session.read(statement, { ...options, since }) };
}

/** The same session of the database, telling what each commit has reached. */
export function committingSession(session: Session, onCommit: NonNullable<CommitOptions["onCommit"]>): Session {
  return {
    read: (statement, options) => session.read(statement, options),
    write: (unit, options) => session.write(unit, { ...options, onCommit }),
    transaction: (work) => session.transaction(work, { onCommit }),
  };
}

/** The session of an open transaction. Transactions within it are savepoints: what one undoes, the outer one may survive. */
export function transactionSession(tx: Transaction, depth = 0): Session {
  return {
    read: (statement) => tx.read(statement),
    write: (unit, options) => tx.write(unit, options),
    async transaction(work) {
      const name = `nested_${depth}`;
      const run = (text: string) => tx.read({ text, params: [] });
      await run(`savepoint ${name}`);
      try {
        const value = await work(transactionSession(tx, depth + 1));
        await run(`release savepoint ${name}`);
        return value;
      } catch (error) {
        await run(`rollback to ${name}`);
        await run(`release savepoint ${name}`);
        throw error;
      }
    },
  };
}

/** Statements that ran for a request, for its log line. */
export interface Tally {
  statements: number;
}

function countingSaved(options: WriteOptions, tally: Tally): WriteOptions {
  return {
    ...options,
    onSaved(saved) {
      tally.statements -= saved;
    },
  };
}

/** The same session, counting what runs in it. */
export function countingSession(session: Session, tally: Tally): Session {
  return {
    read(statement, options) {
      tally.statements++;
      return session.read(statement, options);
    },
    write(unit, options) {
      tally.statements += unit.length;
      return session.write(unit, options?.repeats === undefined ? options : countingSaved(options, tally));
    },
    transaction: (work) => session.transaction((inner) => work(countingSession(inner, tally))),
  };
}

/** The same session, refusing writes while its caller holds a transaction of its own: they would wait for each other. */
export function sessionBeside(session: Session, held: { readonly count: number }): Session {
  const assertFree = () => assert(held.count === 0, "inside transaction(), write with the `tx` it hands you, not with `db`");
  return {
    read: (statement, options) => session.read(statement, options),
    async write(unit, options) {
      assertFree();
      return session.write(unit, options);
    },
    async transaction(work) {
      assertFree();
      return session.transaction(work);
    },
  };
}
