/**
 * Takes the file's write lock in turn with other processes. SQLite's own waiting sleeps for longer and longer, up to 100 ms, so
 * that who waits is passed over again and again by who has just committed, and the disk is idle meanwhile.
 */
import type { Connection } from "../connection.ts";
import { describe, type Failure, isBusy } from "../failures.ts";

export interface Turns {
  /** Begins a transaction that holds the write lock. Returns why it could not, or null. */
  begin(): Failure | null;
}

export interface TurnOptions {
  /** How long to wait for a lock that another process holds. */
  readonly busyTimeoutMs: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** Asking costs some 10 µs: in a wait that a commit explains it is done often, in a longer one seldom. */
const askEveryMs = 0.1;
const askOftenForMs = 20;
const askSeldomEveryMs = 1;
/** Long enough for another process to ask once. */
const yieldMs = 0.2;

/** The connection's busy timeout is 0, so that nothing waits but this. */
export function createTurns({ statements }: Connection, { busyTimeoutMs, now }: TurnOptions): Turns {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  // Others write too: they are let in before this process takes another turn.
  let contended = false;

  function pause(ms: number): void {
    Atomics.wait(cell, 0, 0, ms);
  }

  return {
    begin() {
      const sinceMs = now();
      if (contended) pause(yieldMs);
      contended = false;
      for (;;) {
        try {
          statements.run("BEGIN IMMEDIATE", []);
          return null;
        } catch (error) {
          const failure = describe(error);
          const waitedMs = now() - sinceMs;
          if (!isBusy(failure.errcode) || waitedMs >= busyTimeoutMs) return failure;
          contended = true;
          pause(waitedMs < askOftenForMs ? askEveryMs : askSeldomEveryMs);
        }
      }
    },
  };
}
