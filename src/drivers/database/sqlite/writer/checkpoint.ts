/** Copies the write-ahead log into the database file, after the answers are out: no committed unit ever waits or fails for it. */
import type { Connection } from "../connection.ts";
import { describe, type Failure, isSyncLost } from "../failures.ts";

export interface CheckpointOutcome {
  readonly ran: boolean;
  readonly failure: Failure | null;
  /** A sync failed: what the log holds is safe, but nothing more may be written. */
  readonly syncLost: boolean;
}

/** A log this many times over the limit has been held by readers throughout: then they are waited for, briefly. */
const overgrownTimes = 16;
const readersWaitMs = 50;

const idle: CheckpointOutcome = Object.freeze({ ran: false, failure: null, syncLost: false });

/** Looks at the log's length and copies it when it is over `pages`. Readers and other processes are not waited for. */
export function checkpointWhenDue(connection: Connection, pages: number): CheckpointOutcome {
  return guarded(() => {
    const waiting = pagesWaiting(connection);
    if (waiting < pages) return idle;
    if (waiting < pages * overgrownTimes) pragma(connection, "PASSIVE");
    else truncate(connection);
    return { ...idle, ran: true };
  });
}

/**
 * Empties the log and gives its space back: for a disk that is full, and after the log's index could not grow, when the
 * log may end in frames of a commit that was answered as failed.
 */
export function giveSpaceBack(connection: Connection): CheckpointOutcome {
  return guarded(() => {
    truncate(connection);
    return { ...idle, ran: true };
  });
}

function guarded(run: () => CheckpointOutcome): CheckpointOutcome {
  try {
    return run();
  } catch (error) {
    const failure = describe(error);
    return { ran: false, failure, syncLost: isSyncLost(failure.errcode, false) };
  }
}

/** Pages in the log that the database file lacks. */
function pagesWaiting(connection: Connection): number {
  const [, log, copied] = pragma(connection, "NOOP");
  return (log as number) - (copied as number);
}

function truncate(connection: Connection): void {
  const before = Number(connection.statements.all("PRAGMA busy_timeout", [])[0]?.[0] ?? 0);
  try {
    connection.db.exec(`PRAGMA busy_timeout = ${readersWaitMs}`);
    pragma(connection, "TRUNCATE");
  } finally {
    connection.db.exec(`PRAGMA busy_timeout = ${before}`);
  }
}

function pragma({ statements }: Connection, mode: "NOOP" | "PASSIVE" | "TRUNCATE"): readonly unknown[] {
  return statements.all(`PRAGMA wal_checkpoint(${mode})`, [])[0] ?? [0, 0, 0];
}
