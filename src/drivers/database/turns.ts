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
const gateWaitMs = 30_000;

/** Lets so many through at a time; the others wait in a queue. Fails with `database_busy` where that is full, or for who waits too long. */
export function createGate(max: number, waitMs = gateWaitMs): Turns {
  const waiters = new Set<() => void>();
  let running = 0;

  function wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        waiters.delete(enter);
        resolve();
      };
      const timer = setTimeout(() => {
        waiters.delete(enter);
        reject(busy());
      }, waitMs);
      waiters.add(enter);
    });
  }

  return async (work) => {
    if (running < max) running++;
    else if (waiters.size >= gateQueueMax) throw busy();
    else await wait();
    try {
      return await work();
    } finally {
      const [next] = waiters;
      if (next) next();
      else running--;
    }
  };
}

function busy(): Error {
  return failDatabase("database_busy", { headers: { "Retry-After": "1" } });
}
