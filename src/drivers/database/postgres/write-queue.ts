/** Units that wait go out together: one transaction, one packet, one commit; where one fails, those around it do not. */
import type { Client } from "pg";
import type { Step, StepResult } from "../../database.ts";
import { failDatabase } from "../../database.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, isSaid, isStale, toError, toRefusal } from "./failures.ts";
import { fly, type Flown, type Landed, type Query, words } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { encodeUnit, resultsOf } from "./units.ts";

interface Waiting {
  readonly unit: readonly Step[];
  readonly queries: readonly Query[];
  readonly sinceMs: number;
  readonly resolve: (results: readonly StepResult[]) => void;
  readonly reject: (error: unknown) => void;
}

export const beginText = "begin isolation level serializable read write";

/** A connection that was gone before anything was sent on it: another one is tried. */
const unsentMax = 3;

/** What became of a group that is not through: it is run again, or judged around the unit that failed. */
type Failed = { readonly at: number; readonly again: boolean };

class Unsent extends Error {
  override readonly name = "Unsent";
}

export class WriteQueue {
  readonly #connections: Connections;
  readonly #settings: PostgresSettings;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(connections: Connections, settings: PostgresSettings) {
    this.#connections = connections;
    this.#settings = settings;
  }

  submit(unit: readonly Step[]): Promise<readonly StepResult[]> {
    const { writeQueueMax, waitTimeoutMs } = this.#settings;
    if (unit.length === 0) return Promise.resolve([]);
    if (this.#waiting.length >= writeQueueMax) return Promise.reject(failDatabase("transaction_queue_full"));
    const queries = encodeUnit(unit);
    const { promise, resolve, reject } = Promise.withResolvers<readonly StepResult[]>();
    this.#waiting.push({ unit, queries, resolve, reject, sinceMs: performance.now() });
    this.#running ??= this.#drain();
    if (this.#timer === null) this.#timer = setTimeout(() => this.#expire(), waitTimeoutMs).unref();
    return promise;
  }

  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #drain(): Promise<void> {
    // What is submitted in the same turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#runGroup(this.#waiting.splice(0, this.#settings.groupUnitsMax), 0);
    this.#running = null;
  }

  /** Refuses those who have waited too long behind others. */
  #expire(): void {
    this.#timer = null;
    const oldestMs = performance.now() - this.#settings.waitTimeoutMs;
    while (this.#waiting[0] && this.#waiting[0].sinceMs <= oldestMs)
      this.#waiting.shift()?.reject(failDatabase("database_busy", { headers: { "retry-after": "1" } }));
    const [first] = this.#waiting;
    if (first) this.#timer = setTimeout(() => this.#expire(), first.sinceMs - oldestMs).unref();
  }

  async #runGroup(group: readonly Waiting[], run: number): Promise<void> {
    if (group.length === 0) return;
    try {
      const failed = await this.#sendOut(group, run);
      if (failed === null) return;
      if (failed.again) return await this.#runGroup(group, run + 1);
      // Those before the one that failed are known to succeed; it is judged by itself, and those behind it go on.
      await this.#runGroup(group.slice(0, failed.at), 0);
      await this.#runGroup(group.slice(failed.at, failed.at + 1), 0);
      await this.#runGroup(group.slice(failed.at + 1), 0);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  async #sendOut(group: readonly Waiting[], run: number): Promise<Failed | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#connections.use("write", (client) => this.#attempt(client, group, run));
      } catch (error) {
        if (!(error instanceof Unsent)) throw error;
        if (tries >= unsentMax) throw failDatabase("database_unreachable", { headers: { "retry-after": "1" } });
      }
    }
  }

  /** Null when every unit of the group has its outcome. A lost connection is thrown, so that it is not used again. */
  async #attempt(client: Client, group: readonly Waiting[], run: number): Promise<Failed | null> {
    const connections = this.#connections;
    const body = group.flatMap(({ queries }) => queries);
    const queries = [words(beginText), ...body, words("commit")];
    const { landed, failure, sent } = await fly(client, queries, connections);
    if (!sent) throw new Unsent();
    if (failure === null) {
      settle(group, landed.slice(1));
      return null;
    }
    const { error, index } = failure;
    if (isLost(error)) throw lossOf(failure, queries.length - 1);
    if (isStale(error) && run === 0) {
      connections.statements.renew();
      return { at: 0, again: true };
    }
    if (isAborted(error) && run < this.#settings.retriesMax) return { at: 0, again: true };
    const at = unitAt(group, index - 1);
    if (group.length > 1) return { at: at.unit, again: false };
    const columns = await columnsOf(client, error, connections);
    group[0]?.reject(toRefusal(error, at.step, columns) ?? toError(error, "nothing", this.#settings.statementTimeoutMs));
    return null;
  }
}

/** A server that says farewell at a statement before the commit has not come to the commit: nothing was written. */
function lossOf({ index, error }: NonNullable<Flown["failure"]>, commit: number): Error {
  return toError(error, isSaid(error) && index < commit ? "nothing" : "a write");
}

/** Hands each unit what its statements answered. */
function settle(group: readonly Waiting[], landed: readonly Landed[]): void {
  let from = 0;
  for (const { unit, resolve } of group) {
    resolve(resultsOf(unit, landed.slice(from, from + unit.length)));
    from += unit.length;
  }
}

/** The unit that the n-th query of the group belongs to, and its place there; the commit is the last one's. */
function unitAt(group: readonly Waiting[], index: number): { readonly unit: number; readonly step: number } {
  let step = index;
  for (const [unit, { queries }] of group.entries()) {
    if (step < queries.length) return { unit, step };
    step -= queries.length;
  }
  return { unit: group.length - 1, step: (group.at(-1)?.queries.length ?? 1) - 1 };
}
