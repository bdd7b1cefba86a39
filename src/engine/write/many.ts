/** Bulk writes by filter: the rows are found first, and more than `maxAffected` of them change nothing. */
import { allOf } from "../../schema/filter.ts";
import type { Model } from "../../schema/schema.ts";
import type { Call, SingleResult, Where } from "../call.ts";
import { compileFilter, inRow, startCompiling } from "../compile/filter.ts";
import { trashCondition, whereOf } from "../compile/read.ts";
import { mentionsInput } from "../compile/mentions.ts";
import { deleteRow, goesAlone, toDelete, writeDeletes } from "./delete.ts";
import { badQuery, fail } from "../errors.ts";
import { admit, guardFilter } from "../guard.ts";
import { keySql } from "../key.ts";
import { within } from "../limits.ts";
import { planWhere } from "../plan/filter.ts";
import { pointerInWhere } from "../plan/pointer.ts";
import { createShape, limitValue, shapeQuery } from "../plan/shape.ts";
import { fill, finish, type Slot, Unfit } from "../compile/slot.ts";
import { updateRow } from "./patch.ts";
import { rowsWith, unitRowsMax } from "./repeats.ts";
import { type UpdateWrite, writeUpdates } from "./update.ts";
import type { Writing } from "../context.ts";
import { readInput } from "./input.ts";
import { inputContext, modelOf, transact } from "./writing.ts";

export async function updateMany(call: Extract<Call, { op: "updateMany" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  admit(model, "update", writing);
  // What does not fit is told even where no row matches.
  const input = readInput(model, call.data, inputContext("update", writing));
  const returning = { minimal: true } as const;
  const all = async (ids: readonly string[], inner: Writing) => {
    if (writing.context.hooks.has(model.name, "update"))
      for (const id of ids) await updateRow({ model: model.name, id, data: call.data, returning }, inner);
    else {
      const updates = ids.map((id): UpdateWrite => ({ input, id, returning, trash: "without" }));
      await inUnits(updates, rowsWith(input.values.values()), (some) => writeUpdates(some, inner));
    }
  };
  return overRows({ ...call, model, action: "update" }, all, writing);
}

/** In several units where one would be too large. */
async function inUnits<T>(all: readonly T[], rowsMax: number, write: (some: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += rowsMax) await write(all.slice(from, from + rowsMax));
}

export async function deleteMany(call: Extract<Call, { op: "deleteMany" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  const all = async (ids: readonly string[], inner: Writing) => {
    const deletes = ids.map((id) => toDelete({ op: "delete", model: model.name, id }, inner));
    const [first] = deletes;
    if (!first) return;
    if (goesAlone(first, inner)) return inUnits(deletes, unitRowsMax, (some) => writeDeletes(some, inner));
    for (const id of ids) {
      // One that went along with an earlier one is gone already.
      const isGone = inner.changes.some((change) => change.kind === "delete" && change.model === model.name && change.id === id);
      if (!isGone) await deleteRow({ op: "delete", model: model.name, id }, inner);
    }
  };
  return overRows({ ...call, model, action: "delete" }, all, writing);
}

interface Many {
  readonly model: Model;
  readonly where: Where;
  readonly texts?: boolean | undefined;
  readonly maxAffected: number;
  readonly action: "update" | "delete";
}

async function overRows(
  many: Many,
  all: (ids: readonly string[], inner: Writing) => Promise<void>,
  writing: Writing,
): Promise<SingleResult> {
  const { model } = many;
  admit(model, many.action, writing);
  if (model.requireVersion) throw fail("precondition_required");
  const max = limitValue(many.maxAffected, "/maxAffected");
  within(writing.context.limits, "affectedMax", max);
  return transact(writing, async (inner) => {
    const ids = await findKeys(many, max, inner);
    if (ids.length > max) throw fail("too_many_affected", { fields: { max } });
    await all(ids, inner);
    return { kind: "affected", count: ids.length };
  });
}

/** Keys of the rows that match, that the caller may see, and that the rule of the action lets through. */
async function findKeys(many: Many, max: number, writing: Writing): Promise<readonly string[]> {
  const { model } = many;
  const { context, view, session, origin } = writing;
  const shape = createShape(context.limits, "");
  shapeQuery(shape, { where: many.where, texts: many.texts });
  const where = guardFilter(planWhere(many.where, { view, model, params: { next: 0 }, pointer: "/where" }), view);
  const c = startCompiling(context.dialect, context.schema, many.texts === true);
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const rule = view.rule(model, many.action);
  // A rule about the outcome is judged row by row, when the outcome is known.
  const all = allOf([view.rule(model, "read"), ...(mentionsInput(rule) ? [] : [rule]), where]);
  const trash = trashCondition({ model, trash: "without" }, alias, context.dialect);
  const conditions = [...(trash ? [trash] : []), ...(all.op === "true" ? [] : [compileFilter(all, inner)])];
  const keys = model.key.map(({ column }) => `${alias}.${context.dialect.quote(column)}`).join(", ");
  const template = finish(
    `select ${keySql(model, alias, context.dialect)} from ${context.dialect.quote(model.table)} ${alias}${whereOf(conditions)} order by ${keys} limit ${max + 1}`,
    c.slots,
  );
  try {
    const binding = { values: shape.values, actor: origin.actor, now: writing.now };
    const params = template.slots.map((slot) => fill(slot as Exclude<Slot, { from: "step" }>, binding));
    const rows = await session.read({ text: template.text, params });
    return rows.map(([id]) => String(id));
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw badQuery(pointerInWhere(many.where, error.index), error.misfit.code, `The value ${error.misfit.misfit}.`);
  }
}
