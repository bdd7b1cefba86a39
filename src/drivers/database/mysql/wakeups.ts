/** Who waits for commits: neither server tells of them, so the newest is asked for again and again, at once after this process's own. */
import type { Statement } from "../../database.ts";
import { createPoll, type Poll, type Wakeups } from "../wakeups.ts";
import type { Reads } from "./reads.ts";

/** One read of a single entry of an index; where nothing happens, two of them a second. */
const interval = { minMs: 20, maxMs: 500 } as const;

export function createWakeups(reads: Reads): Wakeups {
  const polls = new Map<Poll, () => void>();
  return {
    listen(wake, newest: Statement) {
      const look = async () => (await reads.read(newest))[0]?.[0];
      const poll = createPoll({ look, onNews: wake, ...interval });
      polls.set(poll, wake);
      return () => {
        poll.end();
        polls.delete(poll);
      };
    },
    committed() {
      for (const poll of polls.keys()) poll.check();
    },
    async close() {
      for (const [poll, wake] of polls) {
        poll.end();
        wake();
      }
    },
  };
}
