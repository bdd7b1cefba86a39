/** Makes the engine of a backend: its operations, what executes them, and the server-side API on top. */
import { type Clock, createInstants } from "../base/clock.ts";
import type { IdMaker } from "../base/ids.ts";
import type { Database } from "../drivers/database.ts";
import type { CommitOrder } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { Schema } from "../schema/schema.ts";
import { type Actor, system } from "./actor.ts";
import type { Backend } from "./backend.ts";
import { createCursorKey } from "./cursor.ts";
import { createDb, type Db } from "./db.ts";
import type { Engine } from "./engine.ts";
import { dbIn, type Execution, execute, executeOnce, executeRead } from "./execute.ts";
import { createFeed } from "./feed.ts";
import { type LimitsOptions, limitDefaults } from "./limits.ts";
import { compileOperations } from "./operations.ts";
import { type Context, createContext, type Hook, type Hooks } from "./context.ts";
import { createPositions, type ReplicaReads } from "./position.ts";
import { databaseSession } from "./run/session.ts";
import type { Registry } from "./typed.ts";
import { createWatch } from "./watch.ts";
import { type Change, sealSteps } from "./write/change.ts";

export interface EngineOptions {
  readonly schema: Schema;
  readonly database: Database;
  readonly dialect: Dialect;
  /** How the database orders what is committed. */
  readonly commits: CommitOrder | null;
  /** Signs cursors; 32 random bytes that stay the same over restarts. */
  readonly cursorKey: Uint8Array;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** @default the defaults of each limit */
  readonly limits?: LimitsOptions;
  /** @default "token" */
  readonly replicaReads?: ReplicaReads;
  /** Told of what a listener throws: the commit has happened, so it is nobody's answer. */
  readonly onListenerError: (error: unknown, change: Change) => void;
}

/** The engine, and the server-side API that runs on it. */
export interface CreatedEngine<R extends Registry> extends Engine {
  /** The API of an actor. */
  readonly as: (actor: Actor, requestId?: string | null) => Db<R>;
  /** The API without rules. */
  readonly system: Db<R>;
  readonly context: Context;
}

/** @throws backend_invalid where an action's input or access is broken */
export function createEngine<R extends Registry>(backend: Backend<R>, options: EngineOptions): CreatedEngine<R> {
  const { database, dialect, commits, cursorKey, newId, clock, onListenerError } = options;
  const limits = Object.freeze({ ...limitDefaults, ...options.limits });
  const { operations, actions, roles } = compileOperations(backend.spec, options.schema);
  const schema = Object.freeze({ ...options.schema, roles });
  const hooks: Hooks = { ...hooksOf(backend.spec), dbIn: (session, writing) => dbIn(x, session, writing) };
  const context = createContext({ schema, dialect, limits, cursorKey: createCursorKey(cursorKey), newId, hooks });
  const session = databaseSession(database, limits.transactionTimeoutMs, sealSteps(commits, dialect));
  const positions = createPositions(database, context.cursorKey, options.replicaReads ?? "token");
  const made = { instantOf: createInstants(), running: new Set<string>() };
  const x: Execution = { ...made, context, session, clock, actions, onListenerError, positions };
  const as = (actor: Actor, requestId: string | null = null) =>
    createDb<R>(async (call) => (await execute(x, call, { actor, requestId })).result);
  const readChanges = createFeed({ database, dialect, commits, limits });
  return Object.freeze({
    schema,
    limits,
    operations,
    read: (call, origin) => executeRead(x, call, origin),
    execute: (call, origin) => execute(x, call, origin),
    executeOnce: (call, origin, keyed) => executeOnce(x, { call, origin }, keyed),
    readChanges,
    watchChanges: createWatch({ database, dialect, commits, readChanges }),
    as,
    system: as(system),
    context,
  } satisfies CreatedEngine<R>);
}

function hooksOf(spec: Backend<Registry>["spec"]): Omit<Hooks, "dbIn"> {
  const byKey = Map.groupBy(spec.hooks, ({ when, model, op }) => `${when} ${model} ${op}`);
  const hooked = new Set(spec.hooks.map(({ model, op }) => `${model} ${op}`));
  const listeners = new Map<string, readonly ((change: Change) => unknown)[]>();
  for (const { model, listener } of spec.listeners) listeners.set(model, [...(listeners.get(model) ?? []), listener]);
  return {
    has: (model, op) => hooked.has(`${model} ${op}`),
    list: (when, model, op) => (byKey.get(`${when} ${model} ${op}`) ?? []).map(({ hook }) => hook as Hook),
    listeners,
  };
}
