/** Steps of units as every driver of a server takes them: what they may bind, and what they may look back at. */
import { assert } from "../../base/errors.ts";
import type { Step, StepRef } from "../database.ts";
import { faultOf } from "./texts.ts";

export function isRef(param: unknown): param is StepRef {
  return typeof param === "object" && param !== null && "step" in param && "column" in param;
}

/** @throws an assertion for a value that cannot be bound or a reference to nothing, or a step behind those that close the unit */
export function checkUnit(unit: readonly Step[]): void {
  for (const [index, { params, atEnd = false }] of unit.entries()) {
    assert(atEnd || unit[index - 1]?.atEnd !== true, `step ${index} comes after what closes the unit`);
    for (const [at, param] of params.entries()) {
      if (isRef(param)) {
        const isThere = param.step >= 0 && param.step < index && unit[param.step]?.kind === "rows";
        assert(isThere, `step ${index} refers to step ${param.step}, which has no rows before it`);
        continue;
      }
      const fault = faultOf(param);
      assert(fault === null, `parameter ${at} of step ${index} ${fault}`);
    }
  }
}
