/** Units that wait share one serializable transaction and one commit, each in a savepoint: where one fails, those around it do not. */
import type { Step, StepResult } from "../../database.ts";
import { letLosersPass, type Losers, runInTurn } from "../turns.ts";
import { createWriteQueue, type Waiting, type WriteQueue } from "../write-queue.ts";
import type { Connections, Session } from "./connections.ts";
import { isAborted, isLost, type ServerError, toError } from "./failures.ts";
import type { MysqlSettings } from "./options.ts";
import { checkUnit, runUnit } from "./units.ts";

type Group = readonly Waiting<void>[];

/** What becomes of a unit once the transaction is committed: its results, or why it was undone. */
type Outcome = { readonly results: readonly StepResult[] } | { readonly error: unknown };

/** What came of one run of a group: every outcome, or what undid all of it. */
type Ran = { readonly outcomes: readonly Outcome[] } | { readonly undone: ServerError };

/** A connection may have ended while it was idle: until the commit is sent nothing is lost by taking another. */
const connectionsMax = 2;

export function createUnitQueue(connections: Connections, settings: MysqlSettings, losers: Losers): WriteQueue {
  async function run(group: Group): Promise<void> {
    let lost = 0;
    const once = () => connections.use("write", (session) => attempt(session, group));
    await letLosersPass(losers);
    for (let runs = 0; ; runs++) {
      const ran = await (runs === 0 ? once() : runInTurn(losers, once));
      if ("outcomes" in ran) return settle(group, ran.outcomes);
      if (isLost(ran.undone)) {
        if (++lost >= connectionsMax) throw toError(ran.undone, "nothing");
      } else if (runs >= settings.retriesMax) throw toError(ran.undone, "nothing");
    }
  }

  return createWriteQueue({ encode: checkUnit, run }, settings);
}

async function attempt(session: Session, group: Group): Promise<Ran> {
  const outcomes: Outcome[] = [];
  for (const { unit } of group) {
    try {
      if (group.length > 1) await session.tell("savepoint unit");
      outcomes.push({ results: await runOpen(session, unit) });
    } catch (error) {
      if (isUndone(error)) return undo(session, error as ServerError);
      outcomes.push({ error: toError(error as ServerError, "nothing") });
      await session.tell(group.length > 1 ? "rollback to savepoint unit" : "rollback");
    }
  }
  try {
    await runUnit(session, closingOf(group, outcomes));
  } catch (error) {
    if (isUndone(error)) return undo(session, error as ServerError);
    throw toError(error as ServerError, "nothing");
  }
  return commit(session, outcomes);
}

/** A unit without what closes it: that is run once for all of the group, so that its lock is held from there to the commit alone. */
async function runOpen(session: Session, unit: readonly Step[]): Promise<readonly StepResult[]> {
  const results = await runUnit(
    session,
    unit.filter(({ atEnd }) => !atEnd),
  );
  return [...results, ...unit.slice(results.length).map(() => ({ rows: [], changes: 0 }))];
}

/** Each statement once that closes a unit of which anything is left. */
function closingOf(group: Group, outcomes: readonly Outcome[]): readonly Step[] {
  const kept = group.filter((_, index) => "results" in (outcomes[index] as Outcome));
  const steps = kept.flatMap(({ unit }) => unit.filter(({ atEnd }) => atEnd));
  return [...new Map(steps.map((step) => [step.text, step])).values()];
}

/** Nothing of the group is left: the server has undone it, or does so now. */
async function undo(session: Session, error: ServerError): Promise<Ran> {
  if (isLost(error)) session.retire();
  else await session.tell("rollback");
  return { undone: error };
}

/** Deadlocks undo the whole transaction, and so does the end of a connection. */
function isUndone(error: unknown): boolean {
  return isAborted(error as ServerError) || isLost(error as ServerError);
}

/** @throws write_outcome_unknown where nobody answers */
async function commit(session: Session, outcomes: readonly Outcome[]): Promise<Ran> {
  if (!outcomes.some((outcome) => "results" in outcome)) {
    await session.tell("rollback");
    return { outcomes };
  }
  try {
    await session.tell("commit");
    return { outcomes };
  } catch (error) {
    if (isAborted(error as ServerError)) return { undone: error as ServerError };
    throw toError(error as ServerError, "a commit");
  }
}

function settle(group: Group, outcomes: readonly Outcome[]): void {
  for (const [index, { resolve, reject }] of group.entries()) {
    const outcome = outcomes[index] as Outcome;
    if ("results" in outcome) resolve(outcome.results);
    else reject(outcome.error);
  }
}
