/** What the engine carries from call to call, and what one request's writing carries along. */
import { createLru, type Lru } from "../base/lru.ts";
import type { ReadOptions } from "../drivers/database.ts";
import { type Actor, createFacts, type Facts } from "./actor.ts";
import type { Data, Origin } from "./call.ts";
import type { Target } from "./compile/read.ts";
import type { Template } from "./compile/slot.ts";
import type { UnitTemplate } from "./compile/unit.ts";
import type { CursorKey } from "./cursor.ts";
import { createView, type View } from "./guard.ts";
import type { ReadPlan } from "./plan/plan.ts";
import type { Session } from "./run/session.ts";
import type { Change } from "./write/change.ts";

/** What reading and writing share: the schema, the limits, and what is remembered between calls. */
export interface Context extends Target {
  readonly cursorKey: CursorKey;
  readonly factsOf: (actor: Actor) => Facts;
  readonly viewOf: (facts: Facts) => View;
  readonly plans: Lru<string, Prepared>;
  readonly units: Lru<string, UnitTemplate>;
  readonly hooks: Hooks;
  readonly newId: () => string;
}

/** A compiled read, and what shaping its rows needs. */
export interface Prepared {
  readonly plan: ReadPlan;
  readonly template: Template;
  /** What the driver should know of the work it makes: of a call from outside that is answered at once, and of any other. */
  readonly reading: { readonly prompt: ReadOptions; readonly other: ReadOptions };
  /** Rows that each row of the answer may bring along, itself included. */
  readonly fanOut: number;
}

export type HookOp = "create" | "update" | "delete";

/** What a hook is given. `db` acts in the write's transaction; types are put on by the backend's face. */
export interface HookContext {
  readonly op: HookOp;
  readonly me: Actor;
  readonly id: string | null;
  /** The input in wire form. A before-hook may return an object of further or other values. */
  readonly input: Data;
  /** The whole row in wire form: as it is before an update or delete, as it became after a create or update. */
  readonly row: Data | null;
  readonly db: unknown;
}

export type Hook = (context: HookContext) => unknown;

export interface Hooks {
  has(model: string, op: HookOp): boolean;
  list(when: "before" | "after", model: string, op: HookOp): readonly Hook[];
  /** Told of each change once it is committed. */
  readonly listeners: ReadonlyMap<string, readonly ((change: Change) => unknown)[]>;
  /** Makes the `db` of a hook's context. */
  readonly dbIn: (session: Session, writing: Writing) => unknown;
}

/** One request's writing: who, when, where, and what listeners will be told. */
export interface Writing {
  readonly context: Context;
  readonly session: Session;
  readonly origin: Origin;
  readonly view: View;
  readonly nowMs: number;
  /** The same instant, ISO 8601. */
  readonly now: string;
  /** Changes of this request, told to listeners once they are committed. */
  readonly changes: Change[];
  /** Where the data stands in the call, as a JSON pointer. */
  readonly pointer: string;
}

export type ContextOptions = Target & Pick<Context, "cursorKey" | "hooks" | "newId">;

export function createContext(target: ContextOptions): Context {
  const views = new Map<string, View>();
  const viewOf = (facts: Facts) => {
    const known = views.get(facts.key);
    if (known) return known;
    const view = createView(target.schema, facts);
    if (views.size < target.limits.plansMax) views.set(facts.key, view);
    return view;
  };
  return {
    ...target,
    factsOf: createFacts(target.schema),
    viewOf,
    plans: createLru(target.limits.plansMax),
    units: createLru(target.limits.plansMax),
  };
}
