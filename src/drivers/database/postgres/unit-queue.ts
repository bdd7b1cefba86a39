/** Units that wait go out together: one transaction, one packet, one commit; where one fails, those around it do not. */
import type { PoolClient } from "pg";
import { createWriteQueue, type Waiting, type WriteQueue } from "../write-queue.ts";
import { encodeAlike, resultsOfAlike } from "./alike.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, isStale, type ServerError, toError, toRefusal } from "./failures.ts";
import { fly, type Landed, type Query } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { encodeUnit, resultsOf } from "./units.ts";

export const beginText = "begin isolation level serializable";

type Group = readonly Waiting<readonly Query[]>[];

export function createUnitQueue(connections: Connections, settings: PostgresSettings): WriteQueue {
  /** True when all had their outcome together; where anything stands in the way, nothing was done. */
  async function runAlike(group: Group): Promise<boolean> {
    const units = group.map(({ unit }) => unit);
    const queries = group.every(({ alike }) => alike) ? encodeAlike(units) : null;
    if (queries === null) return false;
    const landed = await connections.use("write", async (client) => {
      const flown = await fly(client, inTransaction(queries), connections.statements);
      if (flown.failure !== null && isLost(flown.failure.error)) throw toError(flown.failure.error, "a write");
      return flown.failure === null ? flown.landed : null;
    });
    if (landed === null) return false;
    for (const [index, results] of resultsOfAlike(units, landed.slice(1)).entries()) group[index]?.resolve(results);
    return true;
  }

  async function runGroup(group: Group, run: number): Promise<void> {
    if (group.length === 0) return;
    const failed = await connections.use("write", (client) => attempt(client, group, run));
    if (failed === null) return;
    if (failed.again) return runGroup(group, run + 1);
    // Those before the one that failed are known to succeed; it is judged by itself, and those behind it go on.
    const parts = [group.slice(0, failed.at), group.slice(failed.at, failed.at + 1), group.slice(failed.at + 1)];
    for (const part of parts)
      await runGroup(part, 0).catch((error: unknown) => {
        for (const { reject } of part) reject(error);
      });
  }

  /** Null when every unit of the group has its outcome. A lost connection is thrown, so that it is not used again. */
  async function attempt(
    client: PoolClient,
    group: Group,
    run: number,
  ): Promise<{ readonly at: number; readonly again: boolean } | null> {
    const body = group.flatMap(({ encoded }) => encoded);
    const { landed, failure } = await fly(client, inTransaction(body), connections.statements);
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
    await refuse(client, group[0] as Waiting<unknown>, { error, step: at.step });
    return null;
  }

  async function refuse(
    client: PoolClient,
    { reject }: Waiting<unknown>,
    { error, step }: { error: ServerError; step: number },
  ): Promise<void> {
    reject(toRefusal(error, step, await columnsOf(client, error)) ?? toError(error, "nothing"));
  }

  async function run(group: Group): Promise<void> {
    if (!(await runAlike(group))) await runGroup(group, 0);
  }

  return createWriteQueue({ encode: encodeUnit, run }, settings);
}

/** Hands each unit what its statements answered. */
function settle(group: Group, landed: readonly Landed[]): void {
  let from = 0;
  for (const { unit, resolve } of group) {
    resolve(resultsOf(unit, landed.slice(from, from + unit.length)));
    from += unit.length;
  }
}

function inTransaction(queries: readonly Query[]): readonly Query[] {
  return [{ text: beginText, params: [] }, ...queries, { text: "commit", params: [] }];
}

/** The unit that the n-th query of the group belongs to, and its place there; the commit is the last one's. */
function unitAt(group: Group, index: number): { readonly unit: number; readonly step: number } {
  let step = index;
  for (const [unit, { encoded }] of group.entries()) {
    if (step < encoded.length) return { unit, step };
    step -= encoded.length;
  }
  return { unit: group.length - 1, step: (group.at(-1)?.encoded.length ?? 1) - 1 };
}
