/** Units that wait go out together: one transaction and one commit for all that a product's driver is handed at a time. */
import { failDatabase, type Step, type StepResult, type UnitRepeat, type WriteOptions } from "../database.ts";

/** A unit with whatever its driver has made of it, and who waits for its outcome. */
export interface Waiting<E> {
  readonly unit: readonly Step[];
  /** It may run together with others of the same texts. */
  readonly alike: boolean;
  /** The row that it changes; none where it makes one. */
  readonly row: string | undefined;
  readonly onCommit: WriteOptions["onCommit"];
  readonly onSaved: WriteOptions["onSaved"];
  readonly encoded: E;
  readonly sinceMs: number;
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
  readonly encode: (unit: readonly Step[], repeats: readonly UnitRepeat[]) => E;
  /** Gives every unit its outcome; what it throws is the outcome of those that have none yet. */
  readonly run: (group: readonly Waiting<E>[]) => Promise<void>;
}

export interface QueueLimits {
  readonly groupUnitsMax: number;
  readonly writeQueueMax: number;
  /** How long a unit waits behind others; then it fails with `database_busy`. @default for ever */
  readonly waitTimeoutMs?: number;
  /** Hears of who waited in vain. @default nobody does */
  readonly onDoubt?: () => void;
}

// The longest that a timer takes.
const forEverMs = 2_147_483_647;

export function createWriteQueue<E>({ encode, run }: GroupRunner<E>, limits: QueueLimits): WriteQueue {
  const waiting: Waiting<E>[] = [];
  const state = { running: null as Promise<void> | null, timer: null as NodeJS.Timeout | null };
  const { waitTimeoutMs = forEverMs } = limits;

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

  /** Refuses those who have waited too long. */
  function expire(): void {
    state.timer = null;
    const oldestMs = performance.now() - waitTimeoutMs;
    if (waiting[0] && waiting[0].sinceMs <= oldestMs) limits.onDoubt?.();
    while (waiting[0] && waiting[0].sinceMs <= oldestMs)
      waiting.shift()?.reject(failDatabase("database_busy", { headers: { "Retry-After": "1" } }));
    if (waiting[0]) state.timer = setTimeout(expire, waiting[0].sinceMs - oldestMs).unref();
  }

  return {
    submit(unit, { alike = false, row, onCommit, repeats = [], onSaved } = {}) {
      if (unit.length === 0) return Promise.resolve([]);
      if (waiting.length >= limits.writeQueueMax) return Promise.reject(failDatabase("transaction_queue_full"));
      const encoded = encode(unit, repeats);
      const { promise, resolve, reject } = Promise.withResolvers<readonly StepResult[]>();
      waiting.push({ unit, alike, row, onCommit, onSaved, encoded, resolve, reject, sinceMs: performance.now() });
      state.timer ??= setTimeout(expire, waitTimeoutMs).unref();
      state.running ??= drain();
      return promise;
    },
    idle: () => state.running ?? Promise.resolve(),
  };
}
