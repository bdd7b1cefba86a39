/** Declares a backend: its models, the actions it writes itself, and the code that hangs on writes. */
import type { Cond } from "../schema/cond.ts";
import type { DocumentOf, Field, Flag } from "../schema/field.ts";
import { type MeTerms, meTerms } from "../schema/rule.ts";
import type { StandardSchema } from "./write/action.ts";
import type { Actor } from "./actor.ts";
import type { Change } from "./write/change.ts";
import type { Db } from "./db.ts";
import type { HookOp } from "./context.ts";
import type { ChangeInput, CreateInput, Registry, Row } from "./typed.ts";

type InputFields = Readonly<Record<string, Field<unknown, Flag>>>;
type InputOf<I> =
  I extends StandardSchema<infer Output> ? Output : I extends InputFields ? DocumentOf<I> : Readonly<Record<string, never>>;

/** What an action's handler is given. */
export interface ActionHandlerContext<R extends Registry, I> {
  readonly input: InputOf<I>;
  readonly me: Actor;
  /** Acts as the caller, each call a write of its own. */
  readonly db: Db<R>;
  /** Acts without rules. */
  readonly system: Db<R>;
  /** Work in one serializable transaction: `tx` acts as the caller, `tx.system` without rules. Retried within a bound where the database asks for it. */
  readonly transaction: <T>(work: (tx: Db<R> & { readonly system: Db<R> }) => Promise<T>) => Promise<T>;
  /** The instant of the request. */
  readonly now: Date;
  readonly newId: () => string;
  readonly requestId: string | null;
}

/** What an action is: its input, who may call it, and what it does. */
export interface ActionOptions<R extends Registry, I, O> {
  /** A read action also answers GET, and changes nothing. @default "write" */
  readonly kind?: "read" | "write";
  /** Fields, or a schema of a library that speaks Standard Schema. @default no input */
  readonly input?: I;
  /** Who may call it; over `me` alone. Without it nobody may. */
  readonly access: Cond | ((context: { readonly me: MeTerms }) => Cond);
  /** One sentence for the documentation. @default the name */
  readonly summary?: string;
  readonly run: (context: ActionHandlerContext<R, I>) => Promise<O> | O;
}

/** What a hook is given; `db` acts in the write's transaction, as the caller, and `system` without rules. */
export interface ModelHookContext<R extends Registry, Input, Written> {
  readonly op: HookOp;
  readonly me: Actor;
  /** The row's id; null before a create. */
  readonly id: string | null;
  readonly input: Input;
  /** The whole row: as it is before an update or delete, as it became after a create or update; null otherwise. */
  readonly row: Written;
  readonly db: Db<R> & { readonly system: Db<R> };
}

type HookInput<M, Op> = Op extends "create"
  ? Partial<CreateInput<M>>
  : Op extends "update"
    ? ChangeInput<M>
    : Readonly<Record<string, never>>;

/** Actions by name: what goes in and what comes out. */
export type Actions = Readonly<Record<string, { readonly input: unknown; readonly output: unknown }>>;

export interface BackendSpec {
  readonly models: Registry;
  readonly actions: ReadonlyMap<string, ActionOptions<Registry, unknown, unknown>>;
  readonly hooks: readonly {
    readonly when: "before" | "after";
    readonly model: string;
    readonly op: HookOp;
    readonly hook: (context: never) => unknown;
  }[];
  readonly listeners: readonly { readonly model: string; readonly listener: (change: Change) => unknown }[];
}

/** A whole backend; each method returns a new one. */
export interface Backend<R extends Registry, A extends Actions = Readonly<Record<never, never>>> {
  readonly spec: BackendSpec;
  readonly actions?: A;
  /** An operation of your own. */
  action<const N extends string, const I extends InputFields | StandardSchema = Readonly<Record<never, never>>, O = unknown>(
    name: N,
    options: ActionOptions<R, I, O>,
  ): Backend<R, A & { readonly [K in N]: { readonly input: InputOf<I>; readonly output: O } }>;
  /** Code inside the write's transaction, before it: may return further values, or throw to refuse. */
  before<const N extends keyof R & string, const Op extends HookOp>(
    model: N,
    op: Op,
    hook: (
      context: ModelHookContext<R, HookInput<R[N], Op>, Row<R[N]> | null>,
    ) => HookInput<R[N], Op> | undefined | void | Promise<HookInput<R[N], Op> | undefined | void>,
  ): Backend<R, A>;
  /** Code inside the write's transaction, after it; a throw undoes the write. */
  after<const N extends keyof R & string, const Op extends HookOp>(
    model: N,
    op: Op,
    hook: (context: ModelHookContext<R, HookInput<R[N], Op>, Row<R[N]> | null>) => unknown,
  ): Backend<R, A>;
  /** Code after the commit, told of each change to the model. */
  on<const N extends keyof R & string>(model: N, listener: (change: Change) => unknown): Backend<R, A>;
}

/** Declares a backend from its models, each under its own name. */
export function backend<const R extends Registry>(models: R & { readonly [K in keyof R]: { readonly name: K } }): Backend<R> {
  return createBackend({ models, actions: new Map(), hooks: [], listeners: [] }) as Backend<R>;
}

function createBackend(spec: BackendSpec): Backend<Registry> {
  const changed = (change: Partial<BackendSpec>) => createBackend({ ...spec, ...change });
  const made = {
    spec: Object.freeze(spec),
    action: (name: string, options: ActionOptions<Registry, unknown, unknown>) =>
      changed({ actions: new Map([...spec.actions, [name, options]]) }),
    before: (model: string, op: HookOp, hook: (context: never) => unknown) =>
      changed({ hooks: [...spec.hooks, { when: "before", model, op, hook }] }),
    after: (model: string, op: HookOp, hook: (context: never) => unknown) =>
      changed({ hooks: [...spec.hooks, { when: "after", model, op, hook }] }),
    on: (model: string, listener: (change: Change) => unknown) =>
      changed({ listeners: [...spec.listeners, { model, listener }] }),
  };
  return Object.freeze(made) as unknown as Backend<Registry>;
}

/** The condition of an action's access. */
export function actionAccess(options: ActionOptions<Registry, unknown, unknown>): Cond {
  return typeof options.access === "function" ? options.access({ me: meTerms }) : options.access;
}
