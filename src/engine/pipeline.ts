/** The pipeline of a read on one screen: call, plan, guard, compile, run, shape, each stage timed. */
import { AppError } from "../base/errors.ts";
import { rescue, type Soon, whenReady } from "../base/soon.ts";
import type { ReadOptions, Row, Statement } from "../drivers/database.ts";
import type { Actor, Facts } from "./actor.ts";
import type { Context, Prepared } from "./context.ts";
import type { ReadCall, SingleResult } from "./call.ts";
import { fail } from "./errors.ts";
import { compileAggregate } from "./compile/aggregate.ts";
import { compileGet, compileList } from "./compile/read.ts";
import type { Answer } from "./engine.ts";
import { guard, type View } from "./guard.ts";
import { type Limits, within } from "./limits.ts";
import type { Guarded, ReadPlan } from "./plan/plan.ts";
import { planAggregate } from "./plan/aggregate.ts";
import { boundOutput, planGet, planList } from "./plan/read.ts";
import { bindRead, readShape, type ShapedRead } from "./run/bind.ts";
import { shapeResult } from "./run/result.ts";
import type { Template } from "./compile/slot.ts";
import { type Stages, startStages } from "./run/stages.ts";
import type { Session } from "./run/session.ts";

/** Answers a read, by one statement: at once where the database does. */
export function read(
  call: ReadCall,
  actor: Actor,
  at: { context: Context; session: Session; now: string; prompt?: boolean | undefined },
): Soon<Answer & { readonly result: SingleResult }> {
  const { context, session, now, prompt = false } = at;
  const stages = startStages();
  const facts = context.factsOf(actor);
  const shaped = readShape(call, { context, actor, facts });
  const prepared = context.plans.get(shaped.key) ?? prepare(shaped, { context, actor, facts, stages });
  stages.end("plan");
  within(context.limits, "fanOutMax", prepared.fanOut * shaped.limit);
  const statement: Statement = bindRead(prepared, shaped, { actor, now });
  return whenReady(runRead(statement, prepared, { session, prompt }), (rows) => {
    stages.end("run");
    const result = shapeResult(rows, { call, prepared, shaped });
    stages.end("shape");
    return { result, timings: stages.taken, statements: 1 };
  });
}

interface Preparing {
  readonly context: Context;
  readonly actor: Actor;
  readonly facts: Facts;
  readonly stages: Stages;
}

/** Plan, guard, compile: once for a shape and for callers of the same facts. */
function prepare(shaped: ShapedRead, { context, actor, facts, stages }: Preparing): Prepared {
  const view = context.viewOf(facts);
  const plan = planRead(shaped.call, shaped, { context, view });
  stages.end("plan");
  const guarded = guard(plan, view, actor);
  stages.end("guard");
  const template = compileRead(guarded, context, shaped.texts);
  const prepared = { plan: guarded, template, reading: readingOf(guarded), fanOut: fanOutOf(guarded, context.limits) };
  context.plans.set(shaped.key, prepared);
  stages.end("compile");
  return prepared;
}

function runRead(
  statement: Statement,
  { plan, reading }: Prepared,
  { session, prompt }: { readonly session: Session; readonly prompt: boolean },
): Soon<readonly Row[]> {
  if (plan.kind !== "aggregate") return session.read(statement, prompt ? reading.prompt : reading.other);
  return rescue(
    () => session.read(statement, reading.other),
    (error) => {
      // What a compiled aggregate can fail with while it runs, the disk aside, is a sum that overflows.
      const isOverflow =
        error instanceof AppError && error.code === "database_failed" && plan.measures.some(({ name }) => name === "sum");
      throw isOverflow ? fail("sum_out_of_range", { cause: error }) : error;
    },
  );
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

const asReading = (other: ReadOptions): Prepared["reading"] => Object.freeze({ other, prompt: { ...other, prompt: true } });
const point = asReading({ point: true });
const apart = asReading({ long: true });
const filtered = asReading({ scan: "filtered" });
const sorted = asReading({ scan: "sorted" });

// A single row is found by its key. What counts or groups looks at all that matches; a list, at as much as its indexes let it.
function readingOf(plan: Guarded<ReadPlan>): Prepared["reading"] {
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
