/** Transactions that a caller holds open: serializable, run anew where the server asks for it, undone when held too long. */
import type { Client } from "pg";
import { assert } from "../../../base/errors.ts";
import type { Row, Statement, Step, StepResult, Transaction } from "../../database.ts";
import { failDatabase } from "../../database.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, isStale, type ServerError, toError, toRefusal } from "./failures.ts";
import { type Flown, fly, type Query, words } from "./flight.ts";
import { columnsOf } from "./places.ts";
import { encodeUnit, resultsOf } from "./units.ts";
import { faultOf } from "./values.ts";
import { beginText } from "./write-queue.ts";

/** The server's patience ends after ours, which gives the better answer. */
const idleGraceMs = 10_000;

export type Work<T> = (tx: Transaction) => Promise<T>;

export interface TransactionLimits {
  readonly timeoutMs: number;
  readonly retriesMax: number;
}

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

/** What came of one run: a value, the caller's own error, or the server's wish to have it run anew. */
type Verdict<T> = { readonly value: T } | { readonly thrown: unknown } | { readonly aborted: ServerError };

/** Each run after the first waits for its turn, so that those who lost a race do not race each other again. */
export async function runTransaction<T>(
  { connections, turns }: { readonly connections: Connections; readonly turns: Turns },
  work: Work<T>,
  { timeoutMs, retriesMax }: TransactionLimits,
): Promise<T> {
  const once = () =>
    connections.use("write", (client) => runOnce(new HeldTransaction(client, connections, timeoutMs), work, timeoutMs));
  for (let run = 0; ; run++) {
    const verdict = await (run === 0 ? once() : turns(once)).catch((error: unknown): Verdict<T> => {
      if (error instanceof LostEarly) return { aborted: error.cause };
      throw error;
    });
    if ("value" in verdict) return verdict.value;
    if ("thrown" in verdict) throw verdict.thrown;
    if (run >= retriesMax) throw toError(verdict.aborted, "nothing");
  }
}

/** @throws where the connection is not to be used again */
async function runOnce<T>(held: HeldTransaction, work: Work<T>, timeoutMs: number): Promise<Verdict<T>> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = failDatabase("transaction_timeout", { fields: { timeoutMs } });
    held.lose(error);
    late.reject(error);
  }, timeoutMs);
  const worked = work(held).then(
    (value): Verdict<T> => ({ value }),
    (thrown: unknown): Verdict<T> => ({ thrown }),
  );
  try {
    return await held.end(await Promise.race([worked, late.promise]));
  } finally {
    clearTimeout(timer);
    held.close();
  }
}

/** The connection was gone before anything was sent on it, so another one is tried. */
class LostEarly extends Error {
  override readonly name = "LostEarly";
  override readonly cause: ServerError;

  constructor(cause: ServerError) {
    super("lost");
    this.cause = cause;
  }
}

class HeldTransaction implements Transaction {
  readonly #client: Client;
  readonly #connections: Connections;
  /** Statements of one transaction follow each other, whoever of its code sends them. */
  readonly #turns: Turns = createTurns();
  readonly #timeoutMs: number;
  #begun = false;
  #ended = false;
  /** Why nothing more can be done in it. */
  #lost: Error | null = null;
  #aborted: ServerError | null = null;

  constructor(client: Client, connections: Connections, timeoutMs: number) {
    this.#client = client;
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
  }

  read({ text, params }: Statement): Promise<readonly Row[]> {
    return this.#turns(async () => {
      for (const [index, param] of params.entries()) {
        const fault = faultOf(param);
        assert(fault === null, `parameter ${index} ${fault}`);
      }
      const { landed, failure } = await this.#fly([{ text, params }]);
      if (failure !== null) throw this.#told(failure.error);
      return landed[0]?.rows ?? [];
    });
  }

  write(unit: readonly Step[]): Promise<readonly StepResult[]> {
    return this.#turns(async () => {
      if (unit.length === 0) return [];
      const queries = encodeUnit(unit);
      const { landed, failure } = await this.#fly([words("savepoint unit"), ...queries, words("release unit")]);
      if (failure === null) return resultsOf(unit, landed.slice(1));
      const error = this.#told(failure.error);
      if (this.#lost !== null) throw error;
      await this.#fly([words("rollback to unit"), words("release unit")]);
      throw toRefusal(failure.error, failure.index - 1, await columnsOf(this.#client, failure.error, this.#connections)) ?? error;
    });
  }

  /** Commits, or undoes what threw. @throws where the connection is not to be used again */
  async end<T>(verdict: Verdict<T>): Promise<Verdict<T>> {
    return this.#turns(async () => {
      this.#ended = true;
      if (this.#lost !== null && this.#aborted === null) throw this.#lost;
      if (!this.#begun) return verdict;
      const isUndone = this.#aborted !== null || !("value" in verdict);
      const { failure, sent } = await fly(this.#client, [words(isUndone ? "rollback" : "commit")], this.#connections);
      if (failure !== null && !isUndone && isAborted(failure.error)) return { aborted: failure.error };
      if (failure !== null) throw toError(failure.error, isUndone || !sent ? "nothing" : "a write", this.#timeoutMs);
      return this.#aborted === null ? verdict : { aborted: this.#aborted };
    });
  }

  lose(error: Error): void {
    this.#lost ??= error;
  }

  close(): void {
    this.#ended = true;
  }

  #assertHeld(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  async #fly(queries: readonly Query[]): Promise<Flown> {
    this.#assertHeld();
    assert(!this.#ended, "the transaction has ended; its handle serves only while its function runs");
    const all = this.#begun ? queries : [...this.#opening(), ...queries];
    const skipped = all.length - queries.length;
    const isFirst = !this.#begun;
    this.#begun = true;
    const { landed, failure, sent } = await fly(this.#client, all, this.#connections);
    if (!sent && isFirst && failure !== null) this.lose(new LostEarly(failure.error));
    this.#assertThere();
    return {
      landed: landed.slice(skipped),
      failure: failure && { index: failure.index - skipped, error: failure.error },
      sent,
    };
  }

  #assertThere(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** Should this process fall silent, the server lets go of what the transaction has locked. */
  #opening(): readonly Query[] {
    return [words(beginText), words(`set local idle_in_transaction_session_timeout to ${this.#timeoutMs + idleGraceMs}`)];
  }

  // After some errors the transaction cannot go on, whatever its code makes of them.
  #told(error: ServerError): Error {
    const told = toError(error, "nothing", this.#timeoutMs);
    if (isStale(error)) this.#connections.statements.renew();
    if (isAborted(error) || isStale(error)) this.#aborted ??= error;
    if (isAborted(error) || isStale(error) || isLost(error)) this.lose(told);
    return told;
  }
}
