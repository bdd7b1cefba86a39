/** Units: the compiled steps of a write, and how several become one atomic whole. */
import type { Step } from "../../drivers/database.ts";
import { type Binding, fill, type Template } from "./slot.ts";

/** A step whose slots are not yet filled. */
export interface StepTemplate extends Template {
  readonly kind: Step["kind"];
  readonly changes?: NonNullable<Step["changes"]>;
}

/** The compiled write of one row. */
export interface UnitTemplate {
  readonly steps: readonly StepTemplate[];
  /** Reads the row back, JSON first: comes last, when all that belongs to the row is written. Null where nothing is answered. */
  readonly back: StepTemplate | null;
  /** The step that returns the row as it was, and its version; null in a create. */
  readonly before: number | null;
  /** The step that returns the number the database gave, or null. */
  readonly serial: number | null;
  /** Its outcome hangs on rows of other models alone, so it may run together with others of its shape. */
  readonly alike: boolean;
}

/** Fills a unit's slots. `base` is the count of steps before it in the whole. */
export function bindUnit(unit: UnitTemplate, binding: Binding, base: number): Step[] {
  return unit.steps.map((step) => bindStep(step, binding, base));
}

export function bindStep({ text, kind, slots, changes }: StepTemplate, binding: Binding, base: number): Step {
  const params = slots.map((slot) =>
    slot.from === "step" ? { step: slot.step + base, column: slot.column } : fill(slot, binding),
  );
  return changes ? { text, kind, params, changes } : { text, kind, params };
}
