/** Executes calls: reads go down the pipeline, writes to the file that knows them; listeners hear of what was committed. */
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Soon } from "../base/soon.ts";
import type { Position } from "../drivers/database.ts";
import { type Actor, system } from "./actor.ts";
import { type Call, isReadCall, type Origin, type ReadCall, type Result, type SingleResult } from "./call.ts";
import { createDb, type Db } from "./db.ts";
import type { Answer, KeyedCall } from "./engine.ts";
import { fail } from "./errors.ts";
import { within } from "./limits.ts";
import type { Context, Writing } from "./context.ts";
import { read } from "./pipeline.ts";
import type { Positions } from "./position.ts";
import { committingSession, countingSession, replicaSession, type Session, type Tally } from "./run/session.ts";
import { startStages } from "./run/stages.ts";
import type { Registry } from "./typed.ts";
import { type ActionRun, runAction } from "./write/action.ts";
import { runBatch } from "./write/batch.ts";
import type { Change } from "./write/change.ts";
import { createRow, createRows } from "./write/create.ts";
import { deleteRow } from "./write/delete.ts";
import { deleteMany, updateMany } from "./write/many.ts";
import { idempotencyTable, type OnceAnswer, runOnce } from "./write/once.ts";
import { putRow, restoreRow, upsertRow } from "./write/put.ts";
import { updateRow } from "./write/patch.ts";

/** What executing needs, made once for an engine. */
export interface Execution {
  readonly context: Context;
  readonly session: Session;
  readonly clock: Clock;
  /** ISO 8601 of milliseconds. */
  readonly instantOf: (ms: number) => string;
  readonly actions: ReadonlyMap<string, ActionRun>;
  /** Idempotency keys whose request this process is running. */
  readonly running: Set<string>;
  readonly onListenerError: (error: unknown, change: Change) => void;
  readonly positions: Positions;
}

type Single = Exclude<Call, { op: "batch" }>;

/** A read from outside, which feeds no write: the only one that a replica may answer. */
export function executeRead(x: Execution, call: ReadCall, origin: Origin): Soon<Answer> {
  const need = x.positions.needOf(origin);
  const session = need === undefined ? x.session : replicaSession(x.session, need);
  return read(call, origin.actor, { context: x.context, session, now: x.instantOf(x.clock()), prompt: origin.prompt });
}

export async function execute(x: Execution, call: Call, origin: Origin): Promise<Answer> {
  if (isReadCall(call)) return read(call, origin.actor, { context: x.context, session: x.session, now: x.instantOf(x.clock()) });
  const changes: Change[] = [];
  try {
    const { value, position } = await committing(x, origin.actor, (session) => write(x, call, { origin, session, changes }));
    return position === null ? value : { ...value, position };
  } finally {
    // What an action committed before it failed is committed.
    tell(x, changes);
  }
}

/** Takes down what the work commits, whether it then succeeds or fails, and gives the token of it. */
async function committing<T>(
  { session, positions }: Execution,
  actor: Actor,
  work: (session: Session) => Promise<T>,
): Promise<{ readonly value: T; readonly position: string | null }> {
  if (!positions.isOn) return { value: await work(session), position: null };
  const reached: (Position | null)[] = [];
  const last = () => (reached.includes(null) ? null : ((reached as Position[]).toSorted().at(-1) as Position));
  try {
    const value = await work(committingSession(session, (position) => reached.push(position)));
    return { value, position: reached.length === 0 ? null : await positions.note(actor, last()) };
  } catch (error) {
    const isUnknown = error instanceof AppError && error.code === "write_outcome_unknown";
    // The caller is not kept waiting for a primary that is gone.
    if (isUnknown || reached.length > 0) void positions.note(actor, isUnknown ? null : last());
    throw error;
  }
}

/** Executes a call once for its key; its writes and its stored answer share a transaction. */
export async function executeOnce(
  x: Execution,
  { call, origin }: { call: Call; origin: Origin },
  keyed: KeyedCall,
): Promise<OnceAnswer & { readonly position: string | null }> {
  const changes: Change[] = [];
  const { value: answer, position } = await committing(x, origin.actor, (committed) =>
    runOnce(
      { keyed, session: committed, table: x.context.dialect.quote(idempotencyTable), nowMs: x.clock(), running: x.running },
      (session) => {
        changes.length = 0;
        return write(x, call, { origin, session, changes });
      },
    ),
  );
  tell(x, changes);
  // What is replayed was committed earlier, perhaps by another process, and where nobody has been told.
  return { ...answer, position: answer.replayed ? await x.positions.note(origin.actor, null) : position };
}

interface Request {
  readonly origin: Origin;
  readonly session: Session;
  readonly changes: Change[];
}

async function write(x: Execution, call: Call, request: Request): Promise<Answer> {
  const stages = startStages();
  const tally: Tally = { statements: 0 };
  const nowMs = x.clock();
  const writing = startWriting(x, { ...request, session: countingSession(request.session, tally) }, nowMs);
  const result = await dispatch(x, call, writing);
  stages.end("run");
  return { result, timings: stages.taken, statements: tally.statements };
}

function startWriting({ context, instantOf }: Execution, { origin, session, changes }: Request, nowMs: number): Writing {
  const view = context.viewOf(context.factsOf(origin.actor));
  return { context, session, origin, view, nowMs, now: instantOf(nowMs), changes, pointer: "/data" };
}

/** The server-side API inside a write: calls run in its session, and their changes are told with its commit. */
export function dbIn(x: Execution, session: Session, writing: Writing): Db<Registry> & { readonly system: Db<Registry> } {
  const acting = (actor: Actor) =>
    createDb(async (call) => {
      const inner = startWriting(x, { origin: { ...writing.origin, actor }, session, changes: writing.changes }, writing.nowMs);
      return dispatch(x, call, inner);
    });
  return withSystem(acting(writing.origin.actor), acting(system));
}

function withSystem<R extends Registry>(db: Db<R>, systemDb: Db<R>): Db<R> & { readonly system: Db<R> } {
  return new Proxy(db, { get: (target, name) => (name === "system" ? systemDb : Reflect.get(target, name)) }) as Db<R> & {
    readonly system: Db<R>;
  };
}

function dispatch(x: Execution, call: Call, writing: Writing): Promise<Result> {
  if (call.op !== "batch") return dispatchSingle(x, call, writing);
  return runBatch(call, writing, (op, inner) => dispatchSingle(x, op, inner));
}

async function dispatchSingle(x: Execution, call: Single, writing: Writing): Promise<SingleResult> {
  const { context, session, now, origin } = writing;
  switch (call.op) {
    case "list":
    case "get":
    case "aggregate":
      return (await read(call, origin.actor, { context, session, now })).result;
    case "create":
      return createRow(call, writing);
    case "createMany":
      within(context.limits, "batchMax", call.data.length);
      return createRows(call, writing).then((rows) => ({
        kind: "rows",
        rows: rows.map(({ json }) => json),
        ids: rows.map(({ id }) => id),
      }));
    case "update":
      return updateRow(call, writing, true);
    case "put":
      return putRow(call, writing);
    case "upsert":
      return upsertRow(call, writing);
    case "delete":
      return deleteRow(call, writing);
    case "restore":
      return restoreRow(call, writing);
    case "updateMany":
      return updateMany(call, writing);
    case "deleteMany":
      return deleteMany(call, writing);
    case "action": {
      const run = x.actions.get(call.action);
      if (!run) throw fail("unknown_operation");
      return runAction(run, call, writing).then((json) => ({ kind: "action", json }));
    }
  }
}

// A listener fails by itself: the write it heard of is committed and answered.
function tell({ context, onListenerError }: Execution, changes: readonly Change[]): void {
  for (const change of changes) {
    for (const listener of context.hooks.listeners.get(change.model) ?? []) {
      void (async () => listener(change))().catch((error: unknown) => onListenerError(error, change));
    }
  }
}
