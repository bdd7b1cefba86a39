/** Who waits for commits, of this process or another: SQLite counts those of other connections, and is asked for that number. */
import { createBell, createPoll, type Poll, type Wakeups } from "../../wakeups.ts";
import type { Connection } from "../connection.ts";
import type { Snapshot } from "../snapshot.ts";

/**
 * Asking costs microseconds: the number stands in the log's index, which is in memory (sqlite.org/pragma.html#pragma_data_version).
 * Watching the log's file would not do: it may be removed and made anew, and what is written to it is not yet committed.
 */
const intervalMs = 20;
/** Without a log, asking takes a lock of the file. */
const intervalBesideMs = 250;

/** The product's own tables, and so every commit that counts, are in the file beside where there is one. */
export function createWakeups({ statements }: Connection, snapshot: Snapshot, isBeside: boolean): Wakeups {
  const text = isBeside ? "PRAGMA holdfast.data_version" : "PRAGMA data_version";
  const waitMs = isBeside ? intervalBesideMs : intervalMs;
  const state = { poll: null as Poll | null };
  const bell = createBell({
    onFirst() {
      const look = () => {
        // Within a snapshot the number is that of its beginning.
        snapshot.leave();
        return statements.all(text, [])[0]?.[0];
      };
      state.poll = createPoll({ look, onNews: () => bell.ring(), minMs: waitMs, maxMs: waitMs });
    },
    onLast: () => end(),
  });

  function end(): void {
    state.poll?.end();
    state.poll = null;
  }

  return {
    listen: (wake) => bell.add(wake),
    committed: () => state.poll?.check(),
    async close() {
      end();
      bell.ring();
    },
  };
}
