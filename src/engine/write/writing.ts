/** What every write carries along, and the few things all of them do: transact, run a unit, remember it compiled. */
import { type Step, type StepResult, UnitRefused, type WriteOptions } from "../../drivers/database.ts";
import type { Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Result, Returning } from "../call.ts";
import type { Binding } from "../compile/slot.ts";
import type { UnitTemplate } from "../compile/unit.ts";
import type { ReadBack, WriteTarget } from "../compile/draft.ts";
import type { HookOp, Writing } from "../context.ts";
import { fail } from "../errors.ts";
import { createShape, shapeQuery } from "../plan/shape.ts";
import type { Change } from "./change.ts";
import type { Completion, InputContext } from "./input.ts";
import { type Part, refusal } from "./refusal.ts";

export type RowResult = Extract<Result, { kind: "row" }>;

/** Runs work in a transaction. Its changes are this request's once it has succeeded, and forgotten where it is undone. */
export async function transact<T>(writing: Writing, work: (writing: Writing) => Promise<T>): Promise<T> {
  const changes: Change[] = [];
  const value = await writing.session.transaction((session) => {
    // The database may ask for another run.
    changes.length = 0;
    return work({ ...writing, session, changes });
  });
  writing.changes.push(...changes);
  return value;
}

/** Hooks see, and may undo, the write they hang on: where there are any, they and it share a transaction. */
export function withHooks<T>(
  hooked: { readonly models: Iterable<Model>; readonly op: HookOp },
  work: (writing: Writing) => Promise<T>,
  writing: Writing,
): Promise<T> {
  const { hooks } = writing.context;
  for (const model of hooked.models) if (hooks.has(model.name, hooked.op)) return transact(writing, work);
  return work(writing);
}

/** Where the rows stand in the call whose refusals these are. */
const refused = new WeakMap<Error, string>();

/** Where the row stands in the call that a unit was refused for; null where it failed for another reason. */
export function refusedPointer(error: unknown): string | null {
  return error instanceof Error ? (refused.get(error) ?? null) : null;
}

/** Runs a unit; its refusal becomes the error the caller gets. */
export async function runUnit(
  steps: readonly Step[],
  parts: readonly Part[],
  { options, ...writing }: Writing & { readonly options?: WriteOptions | undefined },
): Promise<readonly StepResult[]> {
  try {
    return await writing.session.write(steps, options);
  } catch (error) {
    if (!(error instanceof UnitRefused)) throw error;
    const told = refusal(error, parts, writing);
    const part = parts.findLast(({ base }) => base <= error.step);
    if (part) refused.set(told, part.pointer);
    throw told;
  }
}

/** The compiled unit of a shape, for callers with these facts. */
export function prepared(shape: string, writing: Writing, compile: (target: WriteTarget) => UnitTemplate): UnitTemplate {
  const { context, view, origin } = writing;
  const key = `${shape}|${view.facts.key}`;
  const known = context.units.get(key);
  if (known) return known;
  const unit = compile({ ...context, view, actor: origin.actor });
  context.units.set(key, unit);
  return unit;
}

export function modelOf(name: string, { context }: Writing): Model {
  const model = context.schema.models.get(name);
  if (!model || model.readOnly) throw fail("unknown_operation");
  return model;
}

/** The row's version once it is changed, from the step that read it before; null where the model keeps none. */
export function versionAfter(model: Model, before: StepResult | undefined): number | null {
  return model.version ? Number(before?.rows[0]?.[1]) + 1 : null;
}

/** @throws precondition_required, and no_version where one is named that nobody keeps */
export function requireVersion(model: Model, ifVersion: number | undefined, { view }: Writing): void {
  // With 0 a put asks only that there be no row.
  if (!model.version && ifVersion) throw fail("no_version", { fields: { model: model.name } });
  if (model.requireVersion && ifVersion === undefined && !view.facts.system) throw fail("precondition_required");
}

/** What a unit's slots are filled from: its own values, then who writes and in which request. */
export function bindingOf(values: readonly unknown[], { origin, now }: Writing): Binding {
  const all: readonly unknown[] = [...values, origin.actor.id, origin.requestId];
  return { values: all as readonly Value[], actor: origin.actor, now };
}

export function inputContext(mode: InputContext["mode"], { view, pointer, context }: Writing): InputContext {
  return { view, mode, pointer, batchMax: context.limits.batchMax };
}

export function completionOf({ origin, nowMs, now, context }: Writing, pointer: string): Completion {
  return { actor: origin.actor, nowMs, now, newId: context.newId, pointer };
}

export function readBackOf(returning: Returning | undefined): ReadBack {
  return returning?.minimal ? null : { select: returning?.select };
}

/** The part of a unit's shape that says what is read back. */
export function readBackKey(readBack: ReadBack, { context }: Writing): string {
  if (!readBack) return "-";
  if (!readBack.select) return "*";
  const shape = createShape(context.limits, "");
  shapeQuery(shape, { select: readBack.select });
  if (shape.values.length === 0) return shape.text;
  const message = "The answer of a write takes no filters.";
  throw fail("invalid_query", { errors: [{ pointer: "/select", code: "unknown_parameter", message }] });
}
