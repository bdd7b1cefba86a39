/** Deletes with all that goes along: cascades and nulled keys are writes of their own, so that each leaves its record. */
import type { Row, Statement, Step } from "../../drivers/database.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import { system } from "../actor.ts";
import type { Call, SingleResult } from "../call.ts";
import { fail } from "../errors.ts";
import { admit } from "../guard.ts";
import { within } from "../limits.ts";
import { runHooks } from "./hooks.ts";
import { spread } from "./fields.ts";
import type { Input } from "./input.ts";
import { bindUnit } from "../compile/unit.ts";
import { compileDelete } from "../compile/write.ts";
import { bindTo } from "../compile/form.ts";
import { formatKey, keySql, parseKey } from "../key.ts";
import type { Trash } from "../plan/plan.ts";
import type { Part } from "./refusal.ts";
import { changeOptions, type Share } from "./repeats.ts";
import { writeUpdate } from "./update.ts";
import type { Writing } from "../context.ts";
import { bindingOf, modelOf, prepared, requireVersion, runUnit, transact, versionAfter } from "./writing.ts";

type DeleteCall = Extract<Call, { op: "delete" }>;

export async function deleteRow(call: DeleteCall, writing: Writing): Promise<SingleResult> {
  const write = toDelete(call, writing);
  const { model, id } = write;
  const dependents = goingAlong(write, writing);
  const isHooked = writing.context.hooks.has(model.name, "delete");
  const work = async (inner: Writing) => {
    const hooked = { model, op: "delete" as const, input: emptyInput(model), id };
    // Who may not delete it sets nothing in motion.
    await admitDelete(write, inner);
    await runHooks("before", hooked, inner);
    if (dependents.length === 0) await writeDelete(write, inner);
    else {
      if (isHooked) await admitDelete(write, inner);
      await release(startGoing(model, id), inner);
      // Admitted it is: rules that speak of the rows that went along would now say otherwise.
      await writeDelete({ ...write, ifVersion: undefined }, asSystem(inner));
    }
    await runHooks("after", hooked, inner);
  };
  if (dependents.length > 0 || isHooked) await transact(writing, work);
  else await writeDelete(write, writing);
  return { kind: "deleted" };
}

/** @throws not_found for a model without writes, forbidden, precondition_required */
export function toDelete(call: DeleteCall, writing: Writing): DeleteWrite {
  const model = modelOf(call.model, writing);
  admit(model, "delete", writing);
  requireVersion(model, call.ifVersion, writing);
  const hard = !model.softDelete || call.trash === "only";
  const trash = model.softDelete && hard ? "only" : "without";
  return { model, id: call.id, ifVersion: call.ifVersion, hard, trash };
}

/** What holds rows that go or forget before the row itself can go. */
function goingAlong({ model, hard }: DeleteWrite, writing: Writing): readonly Field[] {
  return hard ? dependentsOf(model, writing) : [];
}

/** Whether nothing has to be done for a delete beside the write itself. */
export function goesAlone(write: DeleteWrite, writing: Writing): boolean {
  return goingAlong(write, writing).length === 0 && !writing.context.hooks.has(write.model.name, "delete");
}

interface Gone {
  readonly model: Model;
  readonly id: string;
  /** Rows on their way out, and those that are gone, as `model id`. */
  readonly states: Map<string, "going" | "gone">;
  /** Rows that were let go so far. */
  readonly count: { rows: number };
}

/**
 * Rows that point to the one that goes are let go first: the database refuses a key that leads nowhere. Those that go along come
 * before those that forget it, so that no row forgets what it goes along with.
 */
async function release(gone: Gone, inner: Writing): Promise<void> {
  const dependents = dependentsOf(gone.model, inner);
  const along = dependents.filter(({ relation }) => relation?.onDelete === "cascade");
  for (const field of [...along, ...dependents.filter((one) => !along.includes(one))]) await releaseBy(field, gone, inner);
}

async function releaseBy(field: Field, gone: Gone, inner: Writing): Promise<void> {
  const { states } = gone;
  const dependent = inner.context.schema.models.get(field.model) as Model;
  const free = asSystem(inner);
  for (const id of await keysOf({ dependent, field }, gone, inner)) {
    const name = `${dependent.name} ${id}`;
    const isItself = dependent === gone.model && id === gone.id;
    if (isItself || states.get(name) === "gone") continue;
    const isGoing = states.has(name);
    within(inner.context.limits, "cascadeMax", ++gone.count.rows);
    // Rows that lead to each other in a circle: the one that goes last forgets, where it can.
    if (field.relation?.onDelete === "setNull" || (isGoing && field.optional)) await forget({ field, dependent, id }, free);
    else if (!isGoing) await takeAlong({ ...gone, model: dependent, id }, free);
  }
}

// The id as the database spells it: a caller may spell it otherwise.
function startGoing(model: Model, given: string): Gone {
  const id = formatKey(model, parseKey(model, given) ?? []);
  return { model, id, states: new Map([[`${model.name} ${id}`, "going"]]), count: { rows: 0 } };
}

function asSystem(writing: Writing): Writing {
  return { ...writing, view: writing.context.viewOf(writing.context.factsOf(system)) };
}

async function forget({ field, dependent, id }: { field: Field; dependent: Model; id: string }, free: Writing): Promise<void> {
  const input: Input = { ...emptyInput(dependent), values: new Map<string, Value>(spread(field, null)) };
  await writeUpdate({ input, id, returning: { minimal: true }, trash: "with" }, free);
}

async function takeAlong(gone: Gone, free: Writing): Promise<void> {
  const { model, id, states } = gone;
  states.set(`${model.name} ${id}`, "going");
  const hooked = { model, op: "delete" as const, input: emptyInput(model), id };
  await runHooks("before", hooked, free);
  await release(gone, free);
  await writeDelete({ model, id, hard: true, trash: "with" }, free);
  states.set(`${model.name} ${id}`, "gone");
  await runHooks("after", hooked, free);
}

/** Foreign keys of other models, or our own, whose rows do not outlive ours unchanged. */
function dependentsOf(model: Model, { context }: Writing): readonly Field[] {
  // Rows that have no address go along as their database does it.
  const writable = [...context.schema.models.values()].filter(({ readOnly }) => !readOnly);
  return writable.flatMap((other) =>
    [...other.fields.values()].filter(({ relation }) => relation?.target === model.name && relation.onDelete !== "restrict"),
  );
}

async function keysOf(
  { dependent, field }: { dependent: Model; field: Field },
  gone: { model: Model; id: string },
  { context, session }: Writing,
): Promise<readonly string[]> {
  const key = parseKey(gone.model, gone.id);
  if (!key) throw fail("not_found");
  const { dialect } = context;
  const held = (field.parts ?? [field]).map((part) => `t0.${dialect.quote(part.column)} = ${bindTo(part, "?", dialect)}`);
  const order = dependent.key.map(({ column }) => `t0.${dialect.quote(column)}`).join(", ");
  const statement: Statement = {
    text: `select ${keySql(dependent, "t0", dialect)} from ${dialect.quote(dependent.table)} t0 where ${held.join(" and ")} order by ${order} limit ${context.limits.cascadeMax + 1}`,
    params: key,
  };
  const rows: readonly Row[] = await session.read(statement);
  return rows.map(([id]) => String(id));
}

export function emptyInput(model: Model): Input {
  return { model, pointer: "", values: new Map(), adds: new Map(), children: [], owned: [] };
}

export interface DeleteWrite {
  readonly model: Model;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly hard: boolean;
  readonly trash: Trash;
  /** Where the operation stands in the call. @default that of the writing */
  readonly pointer?: string;
}

/** The write itself, without hooks and without what goes along. */
async function writeDelete(write: DeleteWrite, writing: Writing): Promise<void> {
  await writeDeletes([write], writing);
}

/** Writes of different rows in one unit: all or none. */
export async function writeDeletes(writes: readonly DeleteWrite[], writing: Writing): Promise<void> {
  const [first] = writes;
  if (first === undefined) return;
  const steps: Step[] = [];
  const all = writes.map((write) => {
    const assembled = assembleDelete(write, writing, steps.length);
    steps.push(...assembled.steps);
    return { ...assembled, id: write.id };
  });
  const shares = all.map(({ unit, part }): Share => ({ unit, base: part.base, steps: unit.steps.length }));
  const results = await runUnit(
    steps,
    all.map(({ part }) => part),
    { ...writing, options: changeOptions(shares, first) },
  );
  for (const { unit, part, id } of all) {
    const version = versionAfter(part.model, results[part.base + (unit.before as number)]);
    writing.changes.push({ model: part.model.name, kind: "delete", id, version: version ?? 0 });
  }
}

/** Its first step alone, which judges. @throws not_found, forbidden, precondition_failed */
async function admitDelete(write: DeleteWrite, writing: Writing): Promise<void> {
  const { steps, part } = assembleDelete(write, writing);
  await runUnit(steps.slice(0, 1), [part], writing);
}

function assembleDelete({ model, id, ifVersion, hard, trash, pointer }: DeleteWrite, writing: Writing, base = 0) {
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const hasVersion = ifVersion !== undefined;
  const unit = prepared(`delete|${model.name}|${hasVersion}|${hard}|${trash}`, writing, (target) =>
    compileDelete(model, { ifVersion: hasVersion, hard, trash }, target),
  );
  const steps = bindUnit(unit, bindingOf([...key, ...(hasVersion ? [ifVersion] : [])], writing), base);
  const part: Part = { model, base, pointer: pointer ?? writing.pointer, action: "delete", row: [], serial: null };
  return { unit, steps, part };
}
