/** Transactions that a caller holds open: each request is a round trip to the writer, which waits for this one alone. */
import { assert } from "../../../../base/errors.ts";
import type { Row, Statement, Step, StepResult, Transaction } from "../../../database.ts";
import { type Failure, toError } from "../failures.ts";
import { toResult, type WireResult } from "../messages.ts";
import type { Outcome, WriteQueue } from "./write-queue.ts";

export interface TransactionLimits {
  readonly timeoutMs: number;
  readonly retriesMax: number;
}

export type Work<T> = (tx: Transaction) => Promise<T>;

/** What came of one run: a value, the caller's own error, or a failure of the database. */
type Verdict<T> = { readonly value: T } | { readonly thrown: unknown } | { readonly failure: Failure };

/** Runs `work` until it is durable, undone by its own throw, or failed. Each run after the first has a commit of its own. */
export async function runTransaction<T>(queue: WriteQueue, work: Work<T>, limits: TransactionLimits): Promise<T> {
  for (let run = 0; ; run++) {
    const verdict = await runOnce(queue, work, { timeoutMs: limits.timeoutMs, alone: run > 0 });
    if ("value" in verdict) return verdict.value;
    if ("thrown" in verdict) throw verdict.thrown;
    if (verdict.failure.code !== "aborted" || run >= limits.retriesMax) throw toError(verdict.failure);
  }
}

async function runOnce<T>(queue: WriteQueue, work: Work<T>, begin: { timeoutMs: number; alone: boolean }): Promise<Verdict<T>> {
  const { id, outcome } = queue.submit({ kind: "begin", ...begin });
  const begun = await outcome;
  if (!begun.ok) return { failure: begun.failure };
  const held = new HeldTransaction(queue, id);
  const worked = work(held).then(
    (value) => ({ value }),
    (thrown: unknown) => ({ thrown }),
  );
  try {
    const verdict = await Promise.race([worked, held.lost]);
    return "failure" in verdict ? verdict : await held.end(verdict);
  } finally {
    held.close();
  }
}

class HeldTransaction implements Transaction {
  /** Settles only when the writer undoes the transaction on its own. */
  readonly lost: Promise<{ readonly failure: Failure }>;
  readonly #queue: WriteQueue;
  readonly #id: number;
  readonly #unwatch: () => void;
  #failure: Failure | null = null;
  #ended = false;

  constructor(queue: WriteQueue, id: number) {
    this.#queue = queue;
    this.#id = id;
    const { promise, resolve } = Promise.withResolvers<{ readonly failure: Failure }>();
    this.lost = promise;
    this.#unwatch = queue.watch(id, (failure) => {
      this.#failure = failure;
      resolve({ failure });
    });
  }

  async read({ text, params }: Statement): Promise<readonly Row[]> {
    this.#assertOpen();
    const [step] = this.#queue.encode([{ text, kind: "rows", params }]);
    assert(step !== undefined, "one step is encoded as one");
    return this.#payload(await this.#queue.request({ kind: "read", transaction: this.#id, step })) as readonly Row[];
  }

  async write(unit: readonly Step[]): Promise<readonly StepResult[]> {
    this.#assertOpen();
    const steps = this.#queue.encode(unit);
    const results = this.#payload(await this.#queue.request({ kind: "write", transaction: this.#id, steps }));
    return (results as readonly WireResult[]).map(toResult);
  }

  /** Commits, or undoes what threw; resolves when the commit that it shares is durable. */
  async end<T>(verdict: { value: T } | { thrown: unknown }): Promise<Verdict<T>> {
    this.#ended = true;
    const undo = "thrown" in verdict;
    const outcome = await this.#queue.request({ kind: "end", transaction: this.#id, undo });
    if (outcome.ok) return verdict;
    const { failure } = outcome;
    // A writer that is gone took the transaction along, but may have committed it first.
    return { failure: failure.code === "write_outcome_unknown" ? failure : (this.#failure ?? failure) };
  }

  close(): void {
    this.#ended = true;
    this.#unwatch();
  }

  #assertOpen(): void {
    if (this.#failure !== null) throw toError(this.#failure);
    assert(!this.#ended, "the transaction has ended; its handle serves only while its function runs");
  }

  #payload(outcome: Outcome): unknown {
    if (outcome.ok) return outcome.payload;
    throw toError(this.#failure ?? outcome.failure);
  }
}
