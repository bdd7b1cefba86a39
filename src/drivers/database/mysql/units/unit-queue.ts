/** Units that wait share one serializable transaction and one commit, each in a savepoint: where one fails, those around it do not. */
import { type Step, type StepResult, UnitRefused, type UnitRepeat } from "../../../database.ts";
import { haveSameTexts, type Parts, sharedSteps, wholeUnits } from "../../alike.ts";
import { checkUnit } from "../../steps.ts";
import { letLosersPass, type Losers, runInTurn } from "../../turns.ts";
import { createWriteQueue, type Waiting, type WriteQueue } from "../../write-queue.ts";
import type { Connections, Session } from "../connections.ts";
import { isAborted, isLate, isLost, type ServerError, toError } from "../failures.ts";
import type { MysqlSettings } from "../options.ts";
import { PartsRefused } from "./parts.ts";
import { isUndone, runJoined, runSteps, runUnit } from "./units.ts";

type Group = readonly Waiting<readonly UnitRepeat[]>[];

/** What becomes of a unit once the transaction is committed: its results, or why it was undone. */
type Outcome = { readonly results: readonly StepResult[]; readonly saved: number } | { readonly error: unknown };

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

  const encode = (unit: readonly Step[], repeats: readonly UnitRepeat[]) => {
    checkUnit(unit);
    return repeats;
  };
  return createWriteQueue({ encode, run }, settings);
}

/** A transaction, while units are put into it. */
interface Filling {
  readonly session: Session;
  /** How many units the whole group has. */
  readonly size: number;
  /** Whether it has something that must stay when the next fails. */
  hasKept: boolean;
  /** Whether what closes the units of the group has been run with them. */
  isClosed: boolean;
}

async function attempt(session: Session, group: Group): Promise<Ran> {
  const filling: Filling = { session, size: group.length, hasKept: false, isClosed: false };
  const outcomes: Outcome[] = [];
  try {
    for (const some of alikeIn(group)) outcomes.push(...(await runSome(filling, some)));
    if (!filling.isClosed) await runUnit(session, closingOf(group, outcomes), []);
  } catch (error) {
    if (isUndone(error)) return undo(session, error as ServerError);
    throw toError(error as ServerError, "nothing");
  }
  return commit(session, outcomes);
}

/** Those that follow each other and are alike, together: so all are run in the order in which they came. */
function alikeIn(group: Group): readonly Group[] {
  const all: Waiting<readonly UnitRepeat[]>[][] = [];
  const rows = new Set<string>();
  for (const one of group) {
    const [last] = all.at(-1) ?? [];
    const isOther = one.row === undefined || !rows.has(one.row);
    if (last?.alike && one.alike && isOther && haveSameTexts(last.unit, one.unit)) all.at(-1)?.push(one);
    else {
      all.push([one]);
      rows.clear();
    }
    if (one.row !== undefined) rows.add(one.row);
  }
  return all;
}

/** What fails leaves no trace, and what was kept before it stays. */
async function runGuarded<T>(filling: Filling, work: () => Promise<T>): Promise<T> {
  const { session, hasKept } = filling;
  try {
    if (hasKept) await session.tell("savepoint unit");
    const value = await work();
    filling.hasKept = true;
    return value;
  } catch (error) {
    if (!isUndone(error)) await session.tell(hasKept ? "rollback to savepoint unit" : "rollback");
    throw error;
  }
}

/** The outcomes of units that are alike: together where all succeed, else without those that were refused, or in halves. */
async function runSome(filling: Filling, units: Group): Promise<readonly Outcome[]> {
  const [first] = units;
  if (first === undefined) return [];
  if (units.length === 1) return [await runOne(filling, first)];
  const parts: Parts = units.map(({ unit }) => openOf(unit));
  const shared = sharedSteps(parts, wholeUnits);
  try {
    if (shared !== null) {
      const closing = units.length === filling.size ? closingOf(units) : [];
      const all = await runGuarded(filling, () => runJoined(filling.session, { parts, shared }, closing));
      filling.isClosed = units.length === filling.size;
      return all.map((results, place) => ({ results: withEnd((units[place] ?? first).unit, results), saved: 0 }));
    }
  } catch (error) {
    if (isUndone(error)) throw error;
    if (error instanceof PartsRefused) return runOthers(filling, units, error);
    // Whoever waits for a lock in each half would hold up the others as often.
    if (isLate(error as ServerError)) return runEach(filling, units);
  }
  const half = Math.ceil(units.length / 2);
  return [...(await runSome(filling, units.slice(0, half))), ...(await runSome(filling, units.slice(half)))];
}

async function runEach(filling: Filling, units: Group): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of units) outcomes.push(await runOne(filling, one));
  return outcomes;
}

/** What a check refuses in company it refuses alone, for they do not look at each other. */
async function runOthers(filling: Filling, units: Group, { refused }: PartsRefused): Promise<readonly Outcome[]> {
  const others = await runSome(
    filling,
    units.filter((_, place) => !refused.has(place)),
  );
  let next = 0;
  return units.map((_, place): Outcome => {
    const error = refused.get(place);
    return error ? { error } : (others[next++] as Outcome);
  });
}

async function runOne(filling: Filling, { unit, encoded }: Group[number]): Promise<Outcome> {
  const { session, size } = filling;
  const open = openOf(unit);
  try {
    // By itself it may be closed at once: nobody is behind it who would wait for the lock.
    const { results, saved } = await runGuarded(filling, () => runUnit(session, size === 1 ? unit : open, encoded));
    filling.isClosed = size === 1;
    return { results: withEnd(unit, results.slice(0, open.length)), saved };
  } catch (error) {
    if (isUndone(error)) throw error;
    const isKnown = error instanceof UnitRefused && encoded.length === 0;
    if (isKnown || isLate(error as ServerError)) return { error: toError(error as ServerError, "nothing") };
  }
  try {
    // Of steps that went out together it is not known which one failed: one after the other they tell.
    return { results: withEnd(unit, await runGuarded(filling, () => runSteps(session, open))), saved: 0 };
  } catch (error) {
    if (isUndone(error)) throw error;
    return { error: toError(error as ServerError, "nothing") };
  }
}

/** A unit without what closes it: that is run once for all of the group, so that its lock is held from there to the commit alone. */
function openOf(unit: readonly Step[]): readonly Step[] {
  return unit.filter(({ atEnd }) => !atEnd);
}

function withEnd(unit: readonly Step[], results: readonly StepResult[]): readonly StepResult[] {
  return [...results, ...unit.slice(results.length).map(() => ({ rows: [], changes: 0 }))];
}

/** Each statement once that closes a unit of which anything is left. */
function closingOf(group: Group, outcomes: readonly Outcome[] = []): readonly Step[] {
  const kept = group.filter((_, index) => !("error" in (outcomes[index] ?? {})));
  const steps = kept.flatMap(({ unit }) => unit.filter(({ atEnd }) => atEnd));
  return [...new Map(steps.map((step) => [step.text, step])).values()];
}

/** Nothing of the group is left: the server has undone it, or does so now. */
async function undo(session: Session, error: ServerError): Promise<Ran> {
  if (isLost(error)) session.retire();
  else await session.tell("rollback");
  return { undone: error };
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
  for (const [index, { resolve, reject, onSaved }] of group.entries()) {
    const outcome = outcomes[index] as Outcome;
    if ("error" in outcome) {
      reject(outcome.error);
      continue;
    }
    if (outcome.saved > 0) onSaved?.(outcome.saved);
    resolve(outcome.results);
  }
}
