/** Copies the write-ahead log into the database file, after the answers are out: no committed unit ever waits or fails for it. */
import { type Connection, withBusyTimeout } from "../connection.ts";
import { describe, type Failure, isSyncLost } from "../failures.ts";

export interface CheckpointOutcome {
  readonly ran: boolean;
  readonly failure: Failure | null;
  /** A sync failed: what the log holds is safe, but nothing more may be written. */
  readonly syncLost: boolean;
}

export interface Checkpoints {
  /** Looks at the log's length and copies it when that is due. */
  afterCommit(): CheckpointOutcome;
  /**
   * Empties the log and gives its space back: for a disk that is full, and after the log's index could not grow, when the
   * log may end in frames of a commit that was answered as failed.
   */
  giveSpaceBack(): CheckpointOutcome;
  /** Pages that the log held when it was last looked at; 0 where all are copied, and the next commit starts it anew. */
  readonly logPages: number;
}

/** Pages that the log holds, and those among them that the database file lacks. */
interface Log {
  readonly pages: number;
  readonly waiting: number;
}

/** A log this many times over the limit was never without a reader for long enough to start anew: then they are waited for. */
const overgrownTimes = 16;
/** How long, at most. Readers on the main thread are done in far less; a backup or a long read is not worth more. */
const readersWaitMs = 50;

const idle: CheckpointOutcome = Object.freeze({ ran: false, failure: null, syncLost: false });

export function createCheckpoints(connection: Connection, pages: number): Checkpoints {
  // What a checkpoint had to leave, for a reader or a full disk, makes the next one wait for as many pages again.
  let waitingMax = pages;
  let pagesMax = pages * overgrownTimes;
  let logPages = 0;

  function run(mode: "PASSIVE" | "TRUNCATE"): CheckpointOutcome {
    try {
      if (mode === "TRUNCATE") withBusyTimeout(connection, readersWaitMs, () => checkpoint(connection, mode));
      else checkpoint(connection, mode);
      return { ...idle, ran: true };
    } catch (error) {
      const failure = describe(error);
      return { ran: false, failure, syncLost: isSyncLost(failure.errcode, false) };
    } finally {
      const left = measure(connection);
      logPages = left.waiting > 0 ? left.pages : 0;
      waitingMax = left.waiting + pages;
      pagesMax = Math.max(left.pages + pages, pages * overgrownTimes);
    }
  }

  return {
    afterCommit() {
      const log = measure(connection);
      logPages = log.waiting > 0 ? log.pages : 0;
      if (log.pages >= pagesMax) return run("TRUNCATE");
      return log.waiting >= waitingMax ? run("PASSIVE") : idle;
    },
    giveSpaceBack: () => run("TRUNCATE"),
    get logPages() {
      return logPages;
    },
  };
}

function measure(connection: Connection): Log {
  try {
    return checkpoint(connection, "NOOP");
  } catch {
    // Whatever is wrong, the next commit meets it too and can tell somebody.
    return { pages: 0, waiting: 0 };
  }
}

function checkpoint({ statements }: Connection, mode: "NOOP" | "PASSIVE" | "TRUNCATE"): Log {
  const [, pages, copied] = statements.all(`PRAGMA wal_checkpoint(${mode})`, [])[0] ?? [];
  // Both are -1 while there is no log.
  const size = Math.max(Number(pages), 0);
  return { pages: size, waiting: size - Math.max(Number(copied), 0) };
}
