/** Lets so many through at a time; the others wait in a queue that is bounded in length and in time. */
import { failDatabase } from "../../../database.ts";

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export interface GateSpec {
  readonly max: number;
  readonly waitersMax: number;
  readonly waitMs: number;
}

/** @throws database_busy where too many wait, or one for too long */
export function createGate({ max, waitersMax, waitMs }: GateSpec): Gate {
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
    else if (waiters.size >= waitersMax) throw busy();
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
  return failDatabase("database_busy", { headers: { "retry-after": "1" } });
}
