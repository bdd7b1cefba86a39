/** A serializable transaction that a caller holds open on one connection. */
import { AppError, assert } from "../../../base/errors.ts";
import { type Row, type Statement, type Step, type StepResult, type UnitOptions, UnitRefused } from "../../database.ts";
import type { Held, Verdict } from "../held.ts";
import { checkUnit } from "../steps.ts";
import { faultOf } from "../texts.ts";
import { createTurns, type Turns } from "../turns.ts";
import type { Session } from "./connections.ts";
import { isAborted, isLost, type ServerError, toError } from "./failures.ts";
import { runSteps, runUnit } from "./units/units.ts";

/** Words to the server, which it does not prepare. */
const words = /^(savepoint|release|rollback) /i;

/** Whether a second run would say no more: everything but what may be of one of several statements. */
function isTold(error: unknown): boolean {
  return error instanceof AppError && error.code !== "database_failed";
}

export class HeldTransaction implements Held {
  readonly #session: Session;
  /** Statements of one transaction follow each other, whoever of its code sends them. */
  readonly #turns: Turns = createTurns();
  #begun = false;
  #ended = false;
  /** Why nothing more can be done in it. */
  #lost: Error | null = null;
  #aborted: Error | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  read({ text, params }: Statement): Promise<readonly Row[]> {
    return this.#turns(async () => {
      for (const [index, param] of params.entries()) {
        const fault = faultOf(param);
        assert(fault === null, `parameter ${index} ${fault}`);
      }
      return this.#run(async () => {
        if (!words.test(text)) return (await this.#session.ask(text, params)).rows;
        await this.#session.tell(text);
        return [];
      });
    });
  }

  write(unit: readonly Step[], { repeats = [], onSaved }: UnitOptions = {}): Promise<readonly StepResult[]> {
    return this.#turns(async () => {
      if (unit.length === 0) return [];
      checkUnit(unit);
      try {
        const { results, saved } = await this.#tryUnit(() => runUnit(this.#session, unit, repeats));
        if (saved > 0) onSaved?.(saved);
        return results;
      } catch (error) {
        const isKnown = error instanceof UnitRefused ? repeats.length === 0 : isTold(error);
        if (isKnown || !this.#isOpen()) throw error;
        // Of steps that went out together it is not known which one failed: one after the other they tell.
        return this.#tryUnit(() => runSteps(this.#session, unit));
      }
    });
  }

  async #tryUnit<T>(work: () => Promise<T>): Promise<T> {
    await this.#run(() => this.#session.tell("savepoint unit"));
    try {
      return await this.#run(work);
    } catch (error) {
      if (this.#isOpen()) await this.#run(() => this.#session.tell("rollback to savepoint unit"));
      throw error;
    }
  }

  /** Commits, or undoes what threw. @throws where the connection is not to be used again */
  end<T>(verdict: Verdict<T>): Promise<Verdict<T>> {
    return this.#turns(async () => {
      this.#ended = true;
      if (this.#lost !== null && this.#aborted === null) throw this.#lost;
      if (!this.#begun) return verdict;
      const isUndone = this.#aborted !== null || !("value" in verdict);
      try {
        await this.#session.tell(isUndone ? "rollback" : "commit");
      } catch (error) {
        if (!isUndone && isAborted(error as ServerError)) return { aborted: toError(error as ServerError, "nothing") };
        throw toError(error as ServerError, isUndone ? "nothing" : "a commit");
      }
      return this.#aborted === null ? verdict : { aborted: this.#aborted };
    });
  }

  lose(error: Error): void {
    this.#lost ??= error;
  }

  close(): void {
    this.#ended = true;
  }

  #isOpen(): boolean {
    return this.#lost === null;
  }

  /** Until the first statement there is no transaction; that opens it. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lost !== null) throw this.#lost;
    assert(!this.#ended, "the transaction has ended; its handle serves only while its function runs");
    this.#begun = true;
    try {
      const value = await work();
      if (!this.#isOpen()) throw this.#lost as unknown as Error;
      return value;
    } catch (error) {
      if (!this.#isOpen()) throw this.#lost as unknown as Error;
      throw this.#told(error);
    }
  }

  // After some errors the transaction cannot go on, whatever its code makes of them.
  #told(error: unknown): Error {
    const told = toError(error as ServerError, "nothing");
    if (isAborted(error as ServerError)) this.#aborted ??= told;
    if (isAborted(error as ServerError) || isLost(error as ServerError)) this.lose(told);
    return told;
  }
}
