/** A serializable transaction that a caller holds open on one connection. */
import type { Client } from "pg";
import { assert } from "../../../base/errors.ts";
import type { CommitOptions, Row, Statement, Step, StepResult, UnitOptions } from "../../database.ts";
import type { Held, Verdict } from "../held.ts";
import { faultOf } from "../texts.ts";
import { createTurns, type Turns } from "../turns.ts";
import { type Connections, Unsent } from "./connections.ts";
import { isAborted, isLost, isStale, type ServerError, toError, toRefusal } from "./failures.ts";
import { type Flown, fly, type Landed, type Query, words } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { positionAt, reachedQuery } from "./replicas/position.ts";
import { type Encoded, encodeUnit, resultsOf } from "./units.ts";
import { beginText } from "./unit-queue.ts";

export class HeldTransaction implements Held {
  readonly #client: Client;
  readonly #connections: Connections;
  /** Statements of one transaction follow each other, whoever of its code sends them. */
  readonly #turns: Turns = createTurns();
  readonly #timeoutMs: number;
  /** Whether positions of commits are of use to anybody. */
  readonly #tells: boolean;
  #begun = false;
  #ended = false;
  /** Why nothing more can be done in it. */
  #lost: Error | null = null;
  #aborted: ServerError | null = null;

  constructor(client: Client, connections: Connections, { statementTimeoutMs, replicas }: PostgresSettings) {
    this.#client = client;
    this.#connections = connections;
    this.#timeoutMs = statementTimeoutMs;
    this.#tells = replicas.length > 0;
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

  write(unit: readonly Step[], { repeats, onSaved }: UnitOptions = {}): Promise<readonly StepResult[]> {
    return this.#turns(async () => {
      if (unit.length === 0) return [];
      const joined = encodeUnit(unit, repeats);
      const saved = unit.length - joined.queries.length;
      const landed = await this.#tryUnit(joined, saved > 0);
      if (landed === null) {
        const single = encodeUnit(unit);
        return resultsOf(single, (await this.#tryUnit(single, false)) ?? []);
      }
      if (saved > 0) onSaved?.(saved);
      return resultsOf(joined, landed);
    });
  }

  /** Null for parts that ran together and failed: one after the other they tell who has. */
  async #tryUnit({ queries }: Encoded, isJoined: boolean): Promise<readonly Landed[] | null> {
    const { landed, failure } = await this.#fly([words("savepoint unit"), ...queries, words("release unit")]);
    if (failure === null) return landed.slice(1);
    const error = this.#told(failure.error);
    if (this.#lost !== null) throw error;
    await this.#fly([words("rollback to unit"), words("release unit")]);
    if (isJoined) return null;
    throw toRefusal(failure.error, failure.index - 1, await columnsOf(this.#client, failure.error, this.#connections)) ?? error;
  }

  /** Commits, or undoes what threw. @throws where the connection is not to be used again */
  async end<T>(verdict: Verdict<T>, onCommit: CommitOptions["onCommit"]): Promise<Verdict<T>> {
    return this.#turns(async () => {
      this.#ended = true;
      if (this.#lost !== null && this.#aborted === null) throw this.#lost;
      if (!this.#begun) return verdict;
      const isUndone = this.#aborted !== null || !("value" in verdict);
      const isHeard = onCommit !== undefined && this.#tells && !isUndone;
      const last = [words(isUndone ? "rollback" : "commit"), ...(isHeard ? [reachedQuery] : [])];
      const { landed, failure: found, sent } = await fly(this.#client, last, this.#connections);
      // What comes behind the commit does not undo it.
      const failure = found !== null && found.index > 0 ? null : found;
      if (failure === null && isHeard) onCommit(positionAt(landed, 1));
      if (failure !== null && !isUndone && isAborted(failure.error)) return { aborted: toError(failure.error, "nothing") };
      if (failure !== null) throw toError(failure.error, isUndone || !sent ? "nothing" : "a write", this.#timeoutMs);
      return this.#aborted === null ? verdict : { aborted: toError(this.#aborted, "nothing") };
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
    const all = this.#begun ? queries : [words(beginText), ...queries];
    const skipped = all.length - queries.length;
    const isFirst = !this.#begun;
    this.#begun = true;
    const { landed, failure, sent } = await fly(this.#client, all, this.#connections);
    if (!sent && isFirst) this.lose(new Unsent());
    this.#assertHeld();
    return {
      landed: landed.slice(skipped),
      failure: failure && { index: failure.index - skipped, error: failure.error },
      sent,
    };
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
