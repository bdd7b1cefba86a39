/** Transactions that a caller holds open on a server: run anew where it asks for that, and undone when held too long. */
import type { CommitOptions, Transaction } from "../database.ts";
import { failDatabase } from "../database.ts";
import { letLosersPass, type Losers, runInTurn } from "./turns.ts";

export type Work<T> = (tx: Transaction) => Promise<T>;

export interface TransactionLimits extends CommitOptions {
  readonly timeoutMs: number;
  readonly retriesMax: number;
}

/** What came of one run: a value, the caller's own error, or the server's wish to have it run anew: then what it fails with in the end. */
export type Verdict<T> = { readonly value: T } | { readonly thrown: unknown } | { readonly aborted: Error };

/** An open transaction of a driver. */
export interface Held extends Transaction {
  /** Commits, or undoes what threw. @throws where the connection is not to be used again */
  end<T>(verdict: Verdict<T>, onCommit: CommitOptions["onCommit"]): Promise<Verdict<T>>;
  /** Nothing more can be done in it, for this reason. */
  lose(error: Error): void;
  close(): void;
}

/** Hands work an open transaction on a connection of its own. */
export type Hold = <T>(work: (held: Held) => Promise<T>) => Promise<T>;

/** Each run after the first waits for its turn. */
export async function runTransaction<T>(
  { hold, losers }: { readonly hold: Hold; readonly losers: Losers },
  work: Work<T>,
  limits: TransactionLimits,
): Promise<T> {
  const once = () => hold((held) => runOnce(held, work, limits));
  await letLosersPass(losers);
  for (let run = 0; ; run++) {
    const verdict = await (run === 0 ? once() : runInTurn(losers, once));
    if ("value" in verdict) return verdict.value;
    if ("thrown" in verdict) throw verdict.thrown;
    if (run >= limits.retriesMax) throw verdict.aborted;
  }
}

/** @throws where the connection is not to be used again */
async function runOnce<T>(held: Held, work: Work<T>, { timeoutMs, onCommit }: TransactionLimits): Promise<Verdict<T>> {
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
    return await held.end(await Promise.race([worked, late.promise]), onCommit);
  } finally {
    clearTimeout(timer);
    held.close();
  }
}
