/** Units that wait go out together: one transaction, one packet, one commit; where one fails, those around it do not. */
import type { Client } from "pg";
import { letLosersPass, type Losers, runInTurn } from "../turns.ts";
import { createWriteQueue, type Waiting, type WriteQueue } from "../write-queue.ts";
import { resultsOfParts, wholeUnits } from "../alike.ts";
import { joinParts } from "./arrays.ts";
import { type Connections, Unsent, useAnother } from "./connections.ts";
import { isAborted, isLost, isSaid, isStale, toError, toRefusal } from "./failures.ts";
import { type Flown, fly, type Landed, type Query, words } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";
import { columnsOf } from "./places.ts";
import { positionAt, reachedQuery } from "./replicas/position.ts";
import { type Encoded, encodeUnit, resultsOf } from "./units.ts";

export const beginText = "begin isolation level serializable read write";

type Group = readonly Waiting<Encoded>[];

export function createUnitQueue(connections: Connections, settings: PostgresSettings, losers: Losers): WriteQueue {
  const sending: Sending = { connections, tells: settings.replicas.length > 0 };

  /** True when all had their outcome together; where anything stands in the way, nothing was done. */
  async function runAlike(group: Group): Promise<boolean> {
    const units = group.map(({ unit }) => unit);
    const queries = areAlike(group) ? joinParts(units, wholeUnits) : null;
    if (queries === null) return false;
    const landed = await useAnother(connections, async (client) => {
      const flown = await flyGroup(client, queries, sending);
      return flown.failure === null ? flown.landed : null;
    });
    if (landed === null) return false;
    tell(group, landed, queries.length);
    const all = resultsOfParts(units, (step) => landed[step + 1]?.rows ?? []);
    for (const [index, results] of all.entries()) group[index]?.resolve(results);
    return true;
  }

  async function runGroup(group: Group, run: number): Promise<void> {
    if (group.length === 0) return;
    const once = () => useAnother(connections, (client) => attempt(client, group, run));
    const failed = await (run === 0 ? once() : runInTurn(losers, once));
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
    client: Client,
    group: Group,
    run: number,
  ): Promise<{ readonly at: number; readonly again: boolean } | null> {
    const body = group.flatMap(({ encoded }) => encoded.queries);
    const { landed, failure } = await flyGroup(client, body, sending);
    if (failure === null) {
      tell(group, landed, body.length);
      settle(group, landed.slice(1));
      return null;
    }
    const { error, index } = failure;
    if (isStale(error) && run === 0) {
      connections.statements.renew();
      return { at: 0, again: true };
    }
    if (isAborted(error) && run < settings.retriesMax) return { at: 0, again: true };
    const at = unitAt(group, index - 1);
    const [only] = group as readonly [Waiting<Encoded>];
    if (group.length > 1) return { at: at.unit, again: false };
    // Of parts that ran together it is not known who failed: one after the other they tell.
    if (savedIn(only) > 0) return attempt(client, [{ ...only, encoded: encodeUnit(only.unit) }], run);
    const columns = await columnsOf(client, error, connections);
    only.reject(toRefusal(error, at.step, columns) ?? toError(error, "nothing", settings.statementTimeoutMs));
    return null;
  }

  async function run(group: Group): Promise<void> {
    await letLosersPass(losers);
    if (!(await runAlike(group))) await runGroup(group, 0);
  }

  return createWriteQueue({ encode: encodeUnit, run }, { ...settings, onDoubt: () => connections.probe() });
}

function areAlike(group: Group): boolean {
  const rows = group.flatMap(({ row }) => row ?? []);
  return group.every(({ alike }) => alike) && new Set(rows).size === rows.length;
}

interface Sending {
  readonly connections: Connections;
  /** Whether the position of the commit is of use to anybody. */
  readonly tells: boolean;
}

/** One transaction in one packet. @throws what a lost connection is told by, so that it is not used again */
async function flyGroup(client: Client, body: readonly Query[], { connections, tells }: Sending): Promise<Flown> {
  const commit = body.length + 1;
  const queries = [words(beginText), ...body, words("commit"), ...(tells ? [reachedQuery] : [])];
  const flown = await fly(client, queries, connections);
  const { failure } = flown;
  if (!flown.sent) throw new Unsent();
  if (failure === null) return flown;
  // What comes behind the commit does not undo it.
  if (failure.index > commit) return { ...flown, failure: null };
  // A server that says farewell at a statement before the commit has not come to the commit.
  if (isLost(failure.error))
    throw toError(failure.error, isSaid(failure.error) && failure.index < commit ? "nothing" : "a write");
  return flown;
}

/** Tells those who want to know what position includes their commit. */
function tell(group: Group, landed: readonly Landed[], length: number): void {
  for (const { onCommit } of group) onCommit?.(positionAt(landed, length + 2));
}

/** Hands each unit what its statements answered. */
function settle(group: Group, landed: readonly Landed[]): void {
  let from = 0;
  for (const one of group) {
    const { encoded, resolve, onSaved } = one;
    const to = from + encoded.queries.length;
    if (savedIn(one) > 0) onSaved?.(savedIn(one));
    resolve(resultsOf(encoded, landed.slice(from, to)));
    from = to;
  }
}

/** How many statements fewer than its steps a unit takes. */
function savedIn({ unit, encoded }: Waiting<Encoded>): number {
  return unit.length - encoded.queries.length;
}

/** The unit that the n-th query of the group belongs to, and its place there; the commit is the last one's. */
function unitAt(group: Group, index: number): { readonly unit: number; readonly step: number } {
  let step = index;
  for (const [unit, { encoded }] of group.entries()) {
    if (step < encoded.queries.length) return { unit, step };
    step -= encoded.queries.length;
  }
  return { unit: group.length - 1, step: (group.at(-1)?.unit.length ?? 1) - 1 };
}
