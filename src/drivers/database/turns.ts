/** Who goes first: work done one after another, and work of which only so much is done at a time. */
import { failDatabase } from "../database.ts";

/** Runs one thing after another. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = Promise.allSettled([mine]);
    return mine;
  };
}

const gateQueueMax = 1_000;

/** Lets so many through at a time; the others wait in a queue that is bounded. Fails with `database_busy` where that is full. */
export function createGate(max: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= max) {
      if (waiting.length >= gateQueueMax) throw failDatabase("database_busy", { headers: { "retry-after": "1" } });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
