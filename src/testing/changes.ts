/** Reads the change records of a test app: what every committed write appended. */
import { assert } from "../base/errors.ts";
import type { ChangeRecord, ReadFeed } from "../engine/feed.ts";

/** Gives the records since it was last asked, the oldest first. */
export type ReadChanges = () => Promise<readonly ChangeRecord[]>;

// A transaction that is still open, of another test on the same server perhaps, may hold records back.
const waitMs = 5;
const waitsMax = 4_000;

export function createChangeReader(readFeed: ReadFeed): ReadChanges {
  const state = { position: null as string | null };
  return async () => {
    const found: ChangeRecord[] = [];
    for (let waits = 0; ; ) {
      const page = await readFeed({ after: state.position });
      state.position = page.position;
      found.push(...page.records.map(({ position: _, ...record }) => record));
      if (page.state === "end") return found;
      if (page.state === "full") continue;
      assert(
        waits++ < waitsMax,
        "a transaction somewhere on the database's server does not end, so the changes after it are held back",
      );
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  };
}
