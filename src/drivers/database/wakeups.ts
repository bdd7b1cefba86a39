/** Who waits for commits, and what every product has for telling them: a bell that wakes all, and a sign that is asked for anew. */
import { AppError } from "../../base/errors.ts";
import type { Soon } from "../../base/soon.ts";
import type { Statement } from "../database.ts";

/** What a driver's `listen` is made of. */
export interface Wakeups {
  /** Returns what ends it. */
  readonly listen: (wake: () => void, newest: Statement) => () => void;
  /** This process has committed something, or may have. */
  readonly committed: () => void;
  /** Says what is still to be said, wakes all a last time, and ends. */
  readonly close: () => Promise<void>;
}

/** Passes on what became of a commit; who waits for commits is told of it, also where nobody knows whether it was made. */
export async function tellOf<T>({ committed }: Wakeups, commit: Promise<T>): Promise<T> {
  try {
    const value = await commit;
    committed();
    return value;
  } catch (error) {
    if (error instanceof AppError && error.code === "write_outcome_unknown") committed();
    throw error;
  }
}

export interface Bell {
  readonly add: (wake: () => void) => () => void;
  readonly ring: () => void;
}

export interface BellOptions {
  /** Called when somebody is the first to wait. */
  readonly onFirst: () => void;
  /** Called when nobody waits any more. */
  readonly onLast: () => void;
}

/** Wakes all who wait. */
export function createBell({ onFirst, onLast }: BellOptions): Bell {
  const wakes = new Set<{ readonly wake: () => void }>();
  return {
    add(wake) {
      // The same function may be handed in twice.
      const entry = { wake };
      wakes.add(entry);
      if (wakes.size === 1) onFirst();
      return () => {
        if (wakes.delete(entry) && wakes.size === 0) onLast();
      };
    },
    ring() {
      for (const { wake } of wakes) wake();
    },
  };
}

export interface PollSpec {
  /** What is another value after each commit. A failure tells nothing. */
  readonly look: () => Soon<unknown>;
  /** Hears of every other value, and of the first. */
  readonly onNews: () => void;
  /** Between two looks while there is something new. */
  readonly minMs: number;
  /** The interval doubles up to this while there is not. */
  readonly maxMs: number;
}

export interface Poll {
  /** Looks now. */
  readonly check: () => void;
  readonly end: () => void;
}

/** Looks again and again, more seldom where nothing happens. Keeps no process alive. */
export function createPoll({ look, onNews, minMs, maxMs }: PollSpec): Poll {
  const state = { found: undefined as unknown, waitMs: minMs, looking: false, again: false, ended: false };
  let timer: NodeJS.Timeout | undefined;

  async function lookOnce(): Promise<void> {
    try {
      const found = await look();
      if (state.ended) return;
      const isNews = found !== state.found;
      state.found = found;
      state.waitMs = isNews ? minMs : Math.min(2 * state.waitMs, maxMs);
      if (isNews) onNews();
    } catch {
      // The next look tells what this one could not.
      state.waitMs = maxMs;
    }
  }

  async function run(): Promise<void> {
    clearTimeout(timer);
    // What is committed while one look is under way may be too late for it.
    state.again = true;
    if (state.looking) return;
    state.looking = true;
    while (state.again && !state.ended) {
      state.again = false;
      await lookOnce();
    }
    state.looking = false;
    if (!state.ended) timer = setTimeout(check, state.waitMs).unref();
  }

  function check(): void {
    void run();
  }

  check();
  return {
    check,
    end() {
      state.ended = true;
      clearTimeout(timer);
    },
  };
}
