/** Runs one unit in the open transaction: all of its steps, or none. */
import { assert } from "../../../../base/errors.ts";
import type { Row, StepRef, Value } from "../../../database.ts";
import type { Connection } from "../connection.ts";
import { describe, type Failure, StepRefused } from "../failures.ts";
import { isRef, type Param, type WireResult, type WireStep } from "../messages.ts";

/** What became of it. `undone` false: it is to go with the whole transaction, or SQLite has given that up already. */
export type UnitOutcome =
  | { readonly ok: true; readonly results: readonly WireResult[] }
  | { readonly ok: false; readonly failure: Failure; readonly undone: boolean };

const none: readonly Value[] = [];

/** In a savepoint of its own, to which it can go back alone. */
export function runUnit(connection: Connection, steps: readonly WireStep<string>[]): UnitOutcome {
  const { db, statements } = connection;
  const results: WireResult[] = [];
  try {
    statements.run("SAVEPOINT unit", none);
    for (const step of steps) results.push(runStep(connection, step, results));
    statements.run("RELEASE unit", none);
    return { ok: true, results };
  } catch (error) {
    const failure = describeStep(error, results, steps);
    return { ok: false, failure, undone: db.isTransaction && undo(connection, "unit") };
  }
}

/** Without one, for which SQLite would keep each page as it was: where it fails, nothing of the transaction may be committed. */
export function runUnitBare(connection: Connection, steps: readonly WireStep<string>[]): UnitOutcome {
  const results: WireResult[] = [];
  try {
    for (const step of steps) results.push(runStep(connection, step, results));
    return { ok: true, results };
  } catch (error) {
    return { ok: false, failure: describeStep(error, results, steps), undone: false };
  }
}

function describeStep(error: unknown, results: readonly WireResult[], steps: readonly WireStep<string>[]): Failure {
  return describe(error, Math.min(results.length, steps.length - 1));
}

/** Goes back to a savepoint and drops it; false where SQLite cannot. */
export function undo({ statements }: Connection, savepoint: "unit" | "held"): boolean {
  try {
    statements.run(`ROLLBACK TO ${savepoint}`, none);
    statements.run(`RELEASE ${savepoint}`, none);
    return true;
  } catch {
    // Then the caller gives up the whole transaction, which needs no savepoint.
    return false;
  }
}

function runStep({ statements }: Connection, step: WireStep<string>, results: readonly WireResult[]): WireResult {
  const [text, kind, params, changes] = step;
  const values = resolve(params, results);
  if (kind === "rows") return statements.all(text, values);
  const index = results.length;
  if (kind === "check") {
    const reason = statements.all(text, values)[0]?.[0] ?? null;
    if (reason !== null) throw new StepRefused(String(reason), index);
    return 0;
  }
  const changed = statements.run(text, values);
  if (changes !== undefined && (changed < changes.min || changed > changes.max)) throw new StepRefused(changes.reason, index);
  return changed;
}

function resolve(params: readonly Param[], results: readonly WireResult[]): readonly Value[] {
  if (!params.some(isRef)) return params as readonly Value[];
  return params.map((param) => (isRef(param) ? follow(param, results) : param));
}

function follow({ step, column }: StepRef, results: readonly WireResult[]): Value {
  const rows = results[step];
  assert(Array.isArray(rows), `a step refers to step ${step}, which is no earlier step that returns rows`);
  const row = rows[0] as Row | undefined;
  assert(row !== undefined, `a step refers to step ${step}, which returned no row`);
  const value = row[column];
  assert(value !== undefined, `a step refers to column ${column} of step ${step}, which has ${row.length}`);
  return value;
}
