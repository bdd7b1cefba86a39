/** Units that wait go out together: one transaction and one commit for all that a product's driver is handed at a time. */
import { failDatabase, type Step, type StepResult, type WriteOptions } from "../database.ts";

/** A unit with whatever its driver has made of it, and who waits for its outcome. */
export interface Waiting<E> {
  readonly unit: readonly Step[];
  /** It may run together with others of the same texts. */
  readonly alike: boolean;
  readonly encoded: E;
  readonly resolve: (results: readonly StepResult[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueue {
  submit(unit: readonly Step[], options?: WriteOptions): Promise<readonly StepResult[]>;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
}

export interface GroupRunner<E> {
  /** @throws an assertion for a unit that cannot be sent */
  readonly encode: (unit: readonly Step[]) => E;
  /** Gives every unit its outcome; what it throws is the outcome of those that have none yet. */
  readonly run: (group: readonly Waiting<E>[]) => Promise<void>;
}

export interface QueueLimits {
  readonly groupUnitsMax: number;
  readonly writeQueueMax: number;
}

export function createWriteQueue<E>({ encode, run }: GroupRunner<E>, limits: QueueLimits): WriteQueue {
  const waiting: Waiting<E>[] = [];
  const state = { running: null as Promise<void> | null };

  async function drain(): Promise<void> {
    // What is submitted in the same turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting.splice(0, limits.groupUnitsMax);
      await run(group).catch((error: unknown) => {
        for (const { reject } of group) reject(error);
      });
    }
    state.running = null;
  }

  return {
    submit(unit, { alike = false } = {}) {
      if (unit.length === 0) return Promise.resolve([]);
      if (waiting.length >= limits.writeQueueMax) return Promise.reject(failDatabase("transaction_queue_full"));
      const encoded = encode(unit);
      const { promise, resolve, reject } = Promise.withResolvers<readonly StepResult[]>();
      waiting.push({ unit, alike, encoded, resolve, reject });
      state.running ??= drain();
      return promise;
    },
    idle: () => state.running ?? Promise.resolve(),
  };
}
