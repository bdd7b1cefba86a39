/** Follows the change feed: sleeps where there is nothing, and is woken by the database; by the clock where a word of it is lost. */
import { AppError, assert } from "../base/errors.ts";
import type { Database, Statement } from "../drivers/database.ts";
import type { CommitOrder } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { FeedPage, PlacedChange, ReadFeed } from "./feed.ts";
import { changesTable, commitColumn } from "./write/change.ts";

export interface WatchQuery {
  /** The position of the last record that the reader is done with. @default the beginning */
  readonly after?: string | null;
  /** Ends the watching; who waits for a record then gets none. @default never */
  readonly signal?: AbortSignal;
  /** The longest sleep without a word from the database, in milliseconds. @default 1000 */
  readonly pollMs?: number;
}

/**
 * Gives each record once, in the feed's order, and waits for further ones until it is ended or the database is closed. While the
 * database cannot be reached it tries again. @throws invalid_cursor for a position of another kind
 */
export type WatchFeed = (query?: WatchQuery) => AsyncGenerator<PlacedChange, void, undefined>;

/** What the feed is watched with. */
export interface WatchSource {
  readonly database: Pick<Database, "listen">;
  readonly dialect: Dialect;
  readonly commits: CommitOrder | null;
  readonly readChanges: ReadFeed;
}

const pollMsMax = 3_600_000;

/** While something is committed that may not be read yet: nobody tells when a transaction ends that wrote no records. */
const soonMs = { min: 10, max: 250 } as const;

/** Makes what watches a database's feed. */
export function createWatch({ database, dialect, commits, readChanges }: WatchSource): WatchFeed {
  const newest = newestOf(dialect, commits);
  return async function* watch({ after = null, signal, pollMs = 1_000 } = {}) {
    assert(Number.isInteger(pollMs) && pollMs >= 1 && pollMs <= pollMsMax, `pollMs is a whole number from 1 to ${pollMsMax}`);
    const sleep = createSleep();
    signal?.addEventListener("abort", sleep.wake);
    const unlisten = database.listen?.(sleep.wake, newest);
    let waitMs: number = soonMs.min;
    try {
      for (let position = after; !isOver(signal); ) {
        // Whatever is told from here on may be too late for this page.
        sleep.begin();
        const page = await readOrNull(readChanges, position);
        if (page === "closed") return;
        for (const record of page?.records ?? []) {
          if (isOver(signal)) return;
          yield record;
          position = record.position;
        }
        if (page?.state === "full") continue;
        const isSettled = page?.state === "end";
        waitMs = isSettled || (page?.records.length ?? 0) > 0 ? soonMs.min : Math.min(2 * waitMs, soonMs.max);
        await sleep.end(isSettled ? pollMs : Math.min(waitMs, pollMs));
      }
    } finally {
      unlisten?.();
      signal?.removeEventListener("abort", sleep.wake);
    }
  };
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Null where the database cannot answer now. */
async function readOrNull(readChanges: ReadFeed, after: string | null): Promise<FeedPage | "closed" | null> {
  try {
    return await readChanges({ after });
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 503) throw error;
    return error.code === "database_closed" ? "closed" : null;
  }
}

interface Sleep {
  readonly wake: () => void;
  /** Being woken counts from now on. */
  readonly begin: () => void;
  /** Resolves when it was woken since it began, or after so long. */
  readonly end: (ms: number) => Promise<void>;
}

function createSleep(): Sleep {
  let woken = Promise.withResolvers<void>();
  return {
    wake: () => woken.resolve(),
    begin() {
      woken = Promise.withResolvers<void>();
    },
    async end(ms) {
      const { promise, resolve } = woken;
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
    },
  };
}

/** Reads one entry of the index that the feed is read by. */
function newestOf({ quote, sorting }: Dialect, commits: CommitOrder | null): Statement {
  const place = (commits === null ? ["seq"] : [commitColumn, "seq"]).map(quote);
  const sort = place.map((sql) => sorting.term({ sql, descending: true, nullable: false })).join(", ");
  return { text: `select ${place[0]} from ${quote(changesTable)} order by ${sort} limit 1`, params: [] };
}
