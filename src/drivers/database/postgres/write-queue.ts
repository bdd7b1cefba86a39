/** Units that wait go out together: one transaction, one packet, one commit; where one fails, those around it do not. */
import type { PoolClient } from "pg";
import type { Step, StepResult } from "../../database.ts";
import { failDatabase } from "../../database.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, isStale, toError, toRefusal } from "./failures.ts";
import { fly, type Landed, type Query } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { encodeUnit, resultsOf } from "./units.ts";

interface Waiting {
  readonly unit: readonly Step[];
  readonly queries: readonly Query[];
  readonly resolve: (results: readonly StepResult[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueue {
  submit(unit: readonly Step[]): Promise<readonly StepResult[]>;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
}

export const beginText = "begin isolation level serializable";

export function createWriteQueue(connections: Connections, settings: PostgresSettings): WriteQueue {
  const waiting: Waiting[] = [];
  const state = { running: null as Promise<void> | null };

  async function drain(): Promise<void> {
    // What is submitted in the same turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await runGroup(waiting.splice(0, settings.groupUnitsMax), 0);
    state.running = null;
  }

  async function runGroup(group: readonly Waiting[], run: number): Promise<void> {
    if (group.length === 0) return;
    try {
      const failed = await connections.use("write", (client) => attempt(client, group, run));
      if (failed === null) return;
      if (failed.again) return await runGroup(group, run + 1);
      // Those before the one that failed are known to succeed; it is judged by itself, and those behind it go on.
      await runGroup(group.slice(0, failed.at), 0);
      await runGroup(group.slice(failed.at, failed.at + 1), 0);
      await runGroup(group.slice(failed.at + 1), 0);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** Null when every unit of the group has its outcome. A lost connection is thrown, so that it is not used again. */
  async function attempt(
    client: PoolClient,
    group: readonly Waiting[],
    run: number,
  ): Promise<{ readonly at: number; readonly again: boolean } | null> {
    const body = group.flatMap(({ queries }) => queries);
    const queries = [{ text: beginText, params: [] }, ...body, { text: "commit", params: [] }];
    const { landed, failure } = await fly(client, queries, connections.statements);
    if (failure === null) {
      settle(group, landed.slice(1));
      return null;
    }
    const { error, index } = failure;
    if (isLost(error)) throw toError(error, "a write");
    if (isStale(error) && run === 0) {
      connections.statements.renew();
      return { at: 0, again: true };
    }
    if (isAborted(error) && run < settings.retriesMax) return { at: 0, again: true };
    const at = unitAt(group, index - 1);
    if (group.length > 1) return { at: at.unit, again: false };
    group[0]?.reject(toRefusal(error, at.step, await columnsOf(client, error)) ?? toError(error, "nothing"));
    return null;
  }

  return {
    submit(unit) {
      if (unit.length === 0) return Promise.resolve([]);
      if (waiting.length >= settings.writeQueueMax) return Promise.reject(failDatabase("transaction_queue_full"));
      const queries = encodeUnit(unit);
      const { promise, resolve, reject } = Promise.withResolvers<readonly StepResult[]>();
      waiting.push({ unit, queries, resolve, reject });
      state.running ??= drain();
      return promise;
    },
    idle: () => state.running ?? Promise.resolve(),
  };
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
