/** The pipeline of a read on one screen: call, plan, guard, compile, run, shape, each stage timed. */
import { AppError } from "../base/errors.ts";
import type { ReadOptions, Row, Statement } from "../drivers/database.ts";
import type { Actor } from "./actor.ts";
import type { Context, Prepared } from "./context.ts";
import type { SingleResult } from "./call.ts";
import { fail } from "./errors.ts";
import { compileAggregate } from "./compile/aggregate.ts";
import { compileGet, compileList } from "./compile/read.ts";
import type { Answer } from "./engine.ts";
import { guard, type View } from "./guard.ts";
import { type Limits, within } from "./limits.ts";
import type { Guarded, ReadPlan } from "./plan/plan.ts";
import { planAggregate } from "./plan/aggregate.ts";
import { boundOutput, planGet, planList } from "./plan/read.ts";
import { bindRead, type ReadCall, readShape, type ShapedRead } from "./run/bind.ts";
import { shapeResult } from "./run/result.ts";
import type { Template } from "./compile/slot.ts";
import { startStages } from "./run/stages.ts";
import type { Session } from "./run/session.ts";

/** Answers a read: one statement. */
export async function read(
  call: ReadCall,
  actor: Actor,
  at: { context: Context; session: Session; now: string },
): Promise<Answer & { readonly result: SingleResult }> {
  const { context, session, now } = at;
  const stages = startStages();
  const facts = context.factsOf(actor);
  const shaped = readShape(call, { context, actor, facts });
  let prepared = context.plans.get(shaped.key);
  if (!prepared) {
    const view = context.viewOf(facts);
    const plan = planRead(call, shaped, { context, view });
    stages.end("plan");
    const guarded = guard(plan, view, actor);
    stages.end("guard");
    const template = compileRead(guarded, context, shaped.texts);
    prepared = { plan: guarded, template, reading: readingOf(guarded), fanOut: fanOutOf(guarded, context.limits) };
    context.plans.set(shaped.key, prepared);
    stages.end("compile");
  } else stages.end("plan");
  within(context.limits, "fanOutMax", prepared.fanOut * shaped.limit);
  const statement: Statement = bindRead(prepared, shaped, { actor, now });
  const rows = await runRead(statement, prepared, session);
  stages.end("run");
  const result = shapeResult(rows, { call, actor, prepared, shaped, cursorKey: context.cursorKey });
  stages.end("shape");
  return { result, timings: stages.taken, statements: 1 };
}

async function runRead(statement: Statement, { plan, reading }: Prepared, session: Session): Promise<readonly Row[]> {
  if (plan.kind !== "aggregate") return session.read(statement, reading);
  try {
    return await session.read(statement, reading);
  } catch (error) {
    // What a compiled aggregate can fail with while it runs, the disk aside, is a sum that overflows.
    const isOverflow =
      error instanceof AppError && error.code === "database_failed" && plan.measures.some(({ name }) => name === "sum");
    throw isOverflow ? fail("sum_out_of_range", { cause: error }) : error;
  }
}

function planRead(call: ReadCall, shaped: ShapedRead, { context, view }: { context: Context; view: View }): ReadPlan {
  const planning = { view, model: shaped.model, limits: context.limits, params: { next: 0 } };
  if (call.op === "aggregate") return planAggregate(call.query, planning);
  const plan =
    call.op === "get"
      ? planGet(call.select, call.trash ?? "without", planning)
      : planList(call.query, shaped.cursorNulls, planning);
  return plan;
}

function fanOutOf(plan: ReadPlan, limits: Limits): number {
  return plan.kind === "aggregate" ? 1 : boundOutput(plan.rows, limits);
}

const point: ReadOptions = Object.freeze({ point: true });
const apart: ReadOptions = Object.freeze({ long: true });
const filtered: ReadOptions = Object.freeze({ scan: "filtered" });
const sorted: ReadOptions = Object.freeze({ scan: "sorted" });

// A single row is found by its key. What counts or groups looks at all that matches; a list, at as much as its indexes let it.
function readingOf(plan: Guarded<ReadPlan>): ReadOptions {
  if (plan.kind === "get") return point;
  if (plan.kind === "aggregate" || plan.count === "exact") return apart;
  const { where, rule, model, trash } = plan.rows;
  const isFiltered = where.op !== "true" || rule?.op !== "true" || (model.softDelete && trash !== "with");
  return isFiltered ? filtered : sorted;
}

function compileRead(plan: Guarded<ReadPlan>, context: Context, texts: boolean): Template {
  switch (plan.kind) {
    case "list":
      return compileList(plan, context, texts);
    case "get":
      return compileGet(plan, context, texts);
    case "aggregate":
      return compileAggregate(plan, context, texts);
  }
}
