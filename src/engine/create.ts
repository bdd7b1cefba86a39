/** Makes the engine of a backend: operations, execution, listeners, and the server-side API on top of it. */
import type { Clock } from "../base/clock.ts";
import type { IdMaker } from "../base/ids.ts";
import type { Database } from "../drivers/database.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { Schema } from "../schema/schema.ts";
import { type ActionContext, type ActionRun, runAction } from "./write/action.ts";
import { type Actor, system } from "./actor.ts";
import type { Backend } from "./backend.ts";
import { runBatch } from "./write/batch.ts";
import type { Call, Origin, Result } from "./call.ts";
import type { Change } from "./write/change.ts";
import { createDb, type Db } from "./db.ts";
import { deleteRow } from "./write/delete.ts";
import type { Hook } from "./write/hooks.ts";
import type { Answer, Engine } from "./engine.ts";
import { fail } from "./errors.ts";
import { type LimitsOptions, limitDefaults, within } from "./limits.ts";
import { deleteMany, updateMany } from "./write/many.ts";
import { runOnce } from "./write/once.ts";
import { compileOperations } from "./operations.ts";
import { type Context, createContext, read } from "./pipeline.ts";
import { putRow, restoreRow, upsertRow } from "./write/put.ts";
import { databaseSession, type Session } from "./session.ts";
import { startStages } from "./stages.ts";
import type { Registry } from "./typed.ts";
import { createRow, createRows, updateRow, type Writing } from "./write/row.ts";

export interface EngineOptions {
  readonly schema: Schema;
  readonly database: Database;
  readonly dialect: Dialect;
  /** Signs cursors; 32 random bytes that stay the same over restarts. */
  readonly cursorKey: Uint8Array;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly limits?: LimitsOptions;
  /** Told of what a listener throws: the commit has happened, so it is nobody's answer. */
  readonly onListenerError: (error: unknown, change: Change) => void;
}

type Single = Exclude<Call, { op: "batch" }>;

/** @throws backend_invalid where an action's input or access is broken */
export function createEngine<R extends Registry>(backend: Backend<R>, options: EngineOptions): Engine & { readonly as: (actor: Actor, requestId?: string | null) => Db<R>; readonly system: Db<R>; readonly context: Context } {
  const { schema, database, clock } = options;
  const limits = Object.freeze({ ...limitDefaults, ...options.limits });
  const { operations, actions, roles } = compileOperations(backend.spec, schema);
  const hooks = hooksOf(backend.spec, dbIn);
  const context = createContext({ schema: { ...schema, roles }, dialect: options.dialect, limits, cursorKey: options.cursorKey, newId: options.newId, hooks });
  const session = databaseSession(database, limits.transactionTimeoutMs);
  const running = new Set<string>();

  function startWriting(origin: Origin, inSession: Session, changes: Change[]): Writing {
    const nowMs = clock();
    return { context, session: inSession, origin, view: context.viewOf(context.factsOf(origin.actor)), nowMs, now: new Date(nowMs).toISOString(), changes, pointer: "/data" };
  }

  async function execute(call: Call, origin: Origin): Promise<Answer> {
    if (call.op === "list" || call.op === "get" || call.op === "aggregate") return read(call, origin.actor, { context, session, now: new Date(clock()).toISOString() });
    const writing = startWriting(origin, session, []);
    const stages = startStages();
    try {
      const result = await write(call, writing);
      stages.end("run");
      return { result, timings: stages.taken, statements: 1 };
    } finally {
      // What an action committed before it failed is committed.
      tell(writing.changes);
    }
  }

  async function executeOnce(call: Call, origin: Origin, keyed: Parameters<Engine["executeOnce"]>[2]) {
    const changes: Change[] = [];
    const once = await runOnce({ keyed, session, nowMs: clock(), running }, async (inner) => {
      changes.length = 0;
      const stages = startStages();
      const result = await write(call, startWriting(origin, inner, changes));
      stages.end("run");
      return { result, timings: stages.taken, statements: 1 };
    });
    tell(changes);
    return once;
  }

  function write(call: Call, writing: Writing): Promise<Result> {
    return call.op === "batch" ? runBatch(call, writing, dispatch) : dispatch(call, writing);
  }

  async function dispatch(call: Single, writing: Writing): Promise<Exclude<Result, { kind: "batch" }>> {
    const result = await dispatchTo(call, writing, actions);
    return result as Exclude<Result, { kind: "batch" }>;
  }

  function tell(changes: readonly Change[]): void {
    for (const change of changes) {
      for (const listener of hooks.listeners.get(change.model) ?? []) {
        void (async () => listener(change))().catch((error: unknown) => options.onListenerError(error, change));
      }
    }
  }

  // Calls that a hook or action makes run in the session at hand, and their changes are told with its commit.
  function dbIn(inSession: Session, writing: Writing): Db<R> & { readonly system: Db<R> } {
    const acting = (actor: Actor) => createDb<R>(async (call) => {
      const inner = { ...startWriting({ ...writing.origin, actor }, inSession, writing.changes), nowMs: writing.nowMs, now: writing.now };
      if (call.op === "batch") return runBatch(call, inner, dispatch);
      return dispatch(call, inner);
    });
    return withSystem(acting(writing.origin.actor), acting(system));
  }

  const as = (actor: Actor, requestId: string | null = null) => createDb<R>(async (call) => (await execute(call, { actor, requestId })).result);
  return Object.freeze({ schema: context.schema, limits, operations, execute, executeOnce, as, system: as(system), context });
}

function dispatchTo(call: Single, writing: Writing, actions: ReadonlyMap<string, ActionRun>): Promise<Result> {
  const { context, session, now, origin } = writing;
  switch (call.op) {
    case "list":
    case "get":
    case "aggregate":
      return read(call, origin.actor, { context, session, now }).then(({ result }) => result);
    case "create":
      return createRow(call, writing);
    case "createMany":
      within(context.limits, "batchMax", call.data.length);
      return createRows(call, writing).then((rows) => ({ kind: "rows", rows: rows.map(({ json }) => json), ids: rows.map(({ id }) => id) }));
    case "update":
      return updateRow(call, writing);
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
      const run = actions.get(call.action);
      if (!run) throw fail("unknown_operation");
      return runAction(run, call.input, writing).then((json) => ({ kind: "action", json }));
    }
  }
}

type DbIn = (session: Session, writing: Writing) => unknown;

function hooksOf(spec: Backend<Registry>["spec"], dbIn: DbIn): Context["hooks"] {
  const byKey = Map.groupBy(spec.hooks, ({ when, model, op }) => `${when} ${model} ${op}`);
  const hooked = new Set(spec.hooks.map(({ model, op }) => `${model} ${op}`));
  const listeners = new Map<string, readonly ((change: Change) => unknown)[]>();
  for (const { model, listener } of spec.listeners) listeners.set(model, [...(listeners.get(model) ?? []), listener]);
  return {
    has: (model, op) => hooked.has(`${model} ${op}`),
    list: (when, model, op) => (byKey.get(`${when} ${model} ${op}`) ?? []).map(({ hook }) => hook as Hook),
    listeners,
    dbIn,
  };
}

export function withSystem<R extends Registry>(db: Db<R>, systemDb: Db<R>): Db<R> & { readonly system: Db<R> } {
  return new Proxy(db, { get: (target, name) => (name === "system" ? systemDb : Reflect.get(target, name)) }) as Db<R> & { readonly system: Db<R> };
}

export type { ActionContext };
