/**
 * One snapshot for the reads of one turn of the event loop. By itself each read takes a lock and lets it go, two calls of the
 * system that cost more than finding a row does; in a transaction only the first one does.
 *
 * Nobody sees less than they may know of: what the reads answer was asked for before the turn took in anything (`ReadOptions.prompt`),
 * and the snapshot ends with the turn, before an answer of another thread is told, and before any read that is not prompt.
 */
import type { Connection } from "./connection.ts";

export interface Snapshot {
  /** Before a read that may share it. The second such read of a turn opens it. */
  enter(): void;
  /** Before a read that may not, and before news of what was committed. */
  leave(): void;
}

/** `isLogLong`: readers shall leave gaps, in which the log can start anew. */
export function createSnapshot({ db, statements }: Connection, isLogLong: () => boolean): Snapshot {
  let reads = 0;
  let isOpen = false;
  let isWatched = false;

  function leave(): void {
    reads = 0;
    if (!isOpen) return;
    isOpen = false;
    // Some errors of a read end its transaction.
    if (db.isTransaction) statements.run("commit", []);
  }

  return {
    enter() {
      if (isOpen || ++reads === 1) return watch();
      if (isLogLong()) return;
      statements.run("begin", []);
      isOpen = true;
    },
    leave,
  };

  // The loop's check phase comes after everything that one poll has found, and before the next one.
  function watch(): void {
    if (isWatched) return;
    isWatched = true;
    setImmediate(() => {
      isWatched = false;
      leave();
    });
  }
}
