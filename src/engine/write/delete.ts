/** Deletes with all that goes along: cascades and nulled keys are writes of their own, so that each leaves its record. */
import type { Row, Statement } from "../../drivers/database.ts";
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
import { keySql, parseKey } from "../key.ts";
import type { Trash } from "../plan/plan.ts";
import type { Part } from "./refusal.ts";
import { writeUpdate } from "./update.ts";
import type { Writing } from "../context.ts";
import { bindingOf, modelOf, prepared, requireVersion, runUnit, transact, versionAfter } from "./writing.ts";

export async function deleteRow(call: Extract<Call, { op: "delete" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  admit(model, "delete", writing);
  requireVersion(model, call.ifVersion, writing);
  const hard = !model.softDelete || call.trash === "only";
  const dependents = hard ? dependentsOf(model, writing) : [];
  const trash = model.softDelete && hard ? "only" : "without";
  const write: DeleteWrite = { model, id: call.id, ifVersion: call.ifVersion, hard, trash };
  const work = async (inner: Writing) => {
    const hooked = { model, op: "delete" as const, input: emptyInput(model), id: call.id };
    // Who may not delete it sets nothing in motion.
    await admitDelete(write, inner);
    await runHooks("before", hooked, inner);
    if (hard) await release({ model, id: call.id, seen: new Set() }, inner);
    await writeDelete(write, inner);
    await runHooks("after", hooked, inner);
  };
  const isHooked = writing.context.hooks.has(model.name, "delete");
  if (dependents.length > 0 || isHooked) await transact(writing, work);
  else await writeDelete(write, writing);
  return { kind: "deleted" };
}

interface Gone {
  readonly model: Model;
  readonly id: string;
  /** Rows that have been let go, as `model id`. */
  readonly seen: Set<string>;
}

// Rows that point to the one that goes are let go first: the database refuses a key that leads nowhere.
async function release(gone: Gone, inner: Writing): Promise<void> {
  for (const field of dependentsOf(gone.model, inner)) {
    const dependent = inner.context.schema.models.get(field.model) as Model;
    for (const id of await keysOf({ dependent, field }, gone, inner)) {
      const name = `${dependent.name} ${id}`;
      if (gone.seen.has(name)) continue;
      within(inner.context.limits, "cascadeMax", gone.seen.add(name).size);
      const asSystem: Writing = { ...inner, view: inner.context.viewOf(inner.context.factsOf(system)) };
      if (field.relation?.onDelete === "setNull") await forget({ field, dependent, id }, asSystem);
      else await takeAlong({ model: dependent, id, seen: gone.seen }, asSystem);
    }
  }
}

async function forget(
  { field, dependent, id }: { field: Field; dependent: Model; id: string },
  asSystem: Writing,
): Promise<void> {
  const input: Input = { ...emptyInput(dependent), values: new Map<string, Value>(spread(field, null)) };
  await writeUpdate({ input, id, returning: { minimal: true }, trash: "with" }, asSystem);
}

async function takeAlong({ model, id, seen }: Gone, asSystem: Writing): Promise<void> {
  const hooked = { model, op: "delete" as const, input: emptyInput(model), id };
  await runHooks("before", hooked, asSystem);
  await release({ model, id, seen }, asSystem);
  await writeDelete({ model, id, hard: true, trash: "with" }, asSystem);
  await runHooks("after", hooked, asSystem);
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
  const statement: Statement = {
    text: `select ${keySql(dependent, "t0", dialect)} from ${dialect.quote(dependent.table)} t0 where ${held.join(" and ")} limit ${context.limits.cascadeMax + 1}`,
    params: key,
  };
  const rows: readonly Row[] = await session.read(statement);
  return rows.map(([id]) => String(id));
}

export function emptyInput(model: Model): Input {
  return { model, pointer: "", values: new Map(), adds: new Map(), children: [] };
}

interface DeleteWrite {
  readonly model: Model;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly hard: boolean;
  readonly trash: Trash;
}

/** The write itself, without hooks and without what goes along. */
async function writeDelete(write: DeleteWrite, writing: Writing): Promise<void> {
  const { unit, steps, part } = assembleDelete(write, writing);
  const results = await runUnit(steps, [part], writing);
  const version = versionAfter(write.model, results[unit.before as number]);
  writing.changes.push({ model: write.model.name, kind: "delete", id: write.id, version: version ?? 0 });
}

/** Its first step alone, which judges. @throws not_found, forbidden, precondition_failed */
async function admitDelete(write: DeleteWrite, writing: Writing): Promise<void> {
  const { steps, part } = assembleDelete(write, writing);
  await runUnit(steps.slice(0, 1), [part], writing);
}

function assembleDelete({ model, id, ifVersion, hard, trash }: DeleteWrite, writing: Writing) {
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const hasVersion = ifVersion !== undefined;
  const unit = prepared(`delete|${model.name}|${hasVersion}|${hard}|${trash}`, writing, (target) =>
    compileDelete(model, { ifVersion: hasVersion, hard, trash }, target),
  );
  const steps = bindUnit(unit, bindingOf([...key, ...(hasVersion ? [ifVersion] : [])], writing), 0);
  const part: Part = { model, base: 0, pointer: writing.pointer, action: "delete", row: [], serial: null };
  return { unit, steps, part };
}
