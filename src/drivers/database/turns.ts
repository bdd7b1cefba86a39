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

/** Those who lost a race and are run anew, one after another. */
export interface Losers {
  readonly turns: Turns;
  /** How many have their turn or wait for it. */
  count: number;
}

export function createLosers(): Losers {
  return { turns: createTurns(), count: 0 };
}

/** Runs anew what lost a race, in its turn: losers do not race each other again. */
export async function runInTurn<T>(losers: Losers, work: () => Promise<T>): Promise<T> {
  losers.count++;
  try {
    return await losers.turns(work);
  } finally {
    losers.count--;
  }
}

/** Who comes new waits for the losers that are there, or they would lose to one newcomer after the other. */
export async function letLosersPass({ turns, count }: Losers): Promise<void> {
  if (count > 0) await turns(() => Promise.resolve());
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
