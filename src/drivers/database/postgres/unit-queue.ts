/** Units that wait go out together: one transaction, one packet, one commit; where one fails, those around it do not. */
import type { PoolClient } from "pg";
import { createWriteQueue, type Waiting, type WriteQueue } from "../write-queue.ts";
import type { Connections } from "./connections.ts";
import { isAborted, isLost, isStale, type ServerError, toError, toRefusal } from "./failures.ts";
import { fly, type Query } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { encodeUnit, resultsOf } from "./units.ts";

export const beginText = "begin isolation level serializable";

type Group = readonly Waiting<readonly Query[]>[];

export function createUnitQueue(connections: Connections, settings: PostgresSettings): WriteQueue {
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
    const queries = [{ text: beginText, params: [] }, ...body, { text: "commit", params: [] }];
    const { landed, failure } = await fly(client, queries, connections.statements);
    if (failure === null) {
      let from = 1;
      for (const { unit, resolve } of group) {
        resolve(resultsOf(unit, landed.slice(from, from + unit.length)));
        from += unit.length;
      }
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

  return createWriteQueue({ encode: encodeUnit, run: (group) => runGroup(group, 0) }, settings);
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
