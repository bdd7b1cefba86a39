/** Runs a unit step by step inside the transaction at hand, and judges each by what the server has answered. */
import { assert } from "../../../base/errors.ts";
import { type Row, type Step, type StepRef, type StepResult, UnitRefused, type Value } from "../../database.ts";
import { faultOf } from "../texts.ts";
import type { Session } from "./connections.ts";
import { type ServerError, toRefusal } from "./failures.ts";
import { columnsOf } from "./places.ts";

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

function isRef(param: Value | StepRef): param is StepRef {
  return typeof param === "object" && param !== null && "step" in param && "column" in param;
}

/** @throws UnitRefused, or what the server says; what was done until then is the caller's to undo */
export async function runUnit(session: Session, unit: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const [index, step] of unit.entries()) {
    try {
      results.push(await runStep(session, { step, index, before: results }));
    } catch (error) {
      const columns = (table: string, name: string) => columnsOf(session, table, name);
      throw (await toRefusal(error as ServerError, { step: index, text: step.text, columnsOf: columns })) ?? error;
    }
  }
  return results;
}

interface Running {
  readonly step: Step;
  readonly index: number;
  readonly before: readonly StepResult[];
}

async function runStep(session: Session, { step, index, before }: Running): Promise<StepResult> {
  const { text, kind, params, changes } = step;
  const { rows, count } = await session.ask(
    text,
    params.map((param) => (isRef(param) ? recall(before, param) : param)),
  );
  if (kind === "rows") return { rows, changes: 0 };
  if (kind === "check") {
    const reason = rows[0]?.[0] ?? null;
    if (reason !== null) throw new UnitRefused(String(reason as string), index);
    return { rows: [], changes: 0 };
  }
  if (changes && (count < changes.min || count > changes.max)) throw new UnitRefused(changes.reason, index);
  return { rows: [], changes: count };
}

function recall(before: readonly StepResult[], { step, column }: StepRef): Value {
  const row: Row | undefined = before[step]?.rows[0];
  const value = row?.[column];
  assert(value !== undefined, `step ${step} returned no column ${column}`);
  return value;
}
