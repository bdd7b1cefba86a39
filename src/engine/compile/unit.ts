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
  /** The step that reads the row back (JSON, version), or null. */
  readonly readBack: number | null;
  /** The step that returns the number the database gave, or null. */
  readonly serial: number | null;
}

/** Fills a unit's slots. `base` is the count of steps before it in the whole. */
export function bindUnit(unit: UnitTemplate, binding: Binding, base: number): Step[] {
  return unit.steps.map((step) => {
    const params = step.slots.map((slot) =>
      slot.from === "step" ? { step: slot.step + base, column: slot.column } : fill(slot, binding),
    );
    return step.changes
      ? { text: step.text, kind: step.kind, params, changes: step.changes }
      : { text: step.text, kind: step.kind, params };
  });
}
