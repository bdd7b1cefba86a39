/** Deletes with all that goes along: cascades and nulled keys are writes of their own, so that each leaves its record. */
import type { Row, Statement } from "../../drivers/database.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import { system } from "../actor.ts";
import type { Call, SingleResult } from "../call.ts";
import { fail } from "../errors.ts";
import { admit } from "../guard.ts";
import { runHooks } from "./hooks.ts";
import type { Input } from "./input.ts";
import { bindUnit } from "../compile/unit.ts";
import { compileDelete } from "../compile/write.ts";
import { formatKey, parseKey } from "../key.ts";
import type { Trash } from "../plan/plan.ts";
import type { Part } from "./refusal.ts";
import { writeUpdate } from "./update.ts";
import { bindingOf, modelOf, prepared, requireVersion, runUnit, transact, withHooks, type Writing } from "./writing.ts";

export async function deleteRow(call: Extract<Call, { op: "delete" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  admit(model, "delete", writing);
  requireVersion(model, call.ifVersion, writing);
  const hard = !model.softDelete || call.trash === "only";
  const dependents = hard ? dependentsOf(model, writing) : [];
  const work = async (inner: Writing) => {
    const hooked = { model, op: "delete" as const, input: emptyInput(model), id: call.id };
    await runHooks("before", hooked, inner);
    await release({ model, id: call.id, left: { count: inner.context.limits.cascadeMax } }, inner);
    await writeDelete(
      { model, id: call.id, ifVersion: call.ifVersion, hard, trash: model.softDelete && hard ? "only" : "without" },
      inner,
    );
    await runHooks("after", hooked, inner);
  };
  if (dependents.length > 0) await transact(writing, work);
  else await withHooks({ models: [model], op: "delete" }, work, writing);
  return { kind: "deleted" };

  // Rows that point here are let go first: the database refuses a key that leads nowhere.
  async function release(gone: { model: Model; id: string; left: { count: number } }, inner: Writing): Promise<void> {
    if (gone.model === model && !hard) return;
    for (const field of dependentsOf(gone.model, inner)) {
      const dependent = inner.context.schema.models.get(field.model) as Model;
      for (const id of await keysOf({ dependent, field }, gone, inner)) {
        if (--gone.left.count < 0)
          throw fail("limit_exceeded", { fields: { limit: "cascadeMax", max: inner.context.limits.cascadeMax } });
        const asSystem: Writing = { ...inner, view: inner.context.viewOf(inner.context.factsOf(system)) };
        if (field.relation?.onDelete === "setNull") {
          const input: Input = { ...emptyInput(dependent), values: new Map<string, Value>([[field.name, null]]) };
          await writeUpdate({ input, id, returning: { minimal: true }, trash: "with" }, asSystem);
        } else {
          const hooked = { model: dependent, op: "delete" as const, input: emptyInput(dependent), id };
          await runHooks("before", hooked, asSystem);
          await release({ model: dependent, id, left: gone.left }, inner);
          await writeDelete({ model: dependent, id, hard: true, trash: "with" }, asSystem);
          await runHooks("after", hooked, asSystem);
        }
      }
    }
  }
}

/** Foreign keys of other models, or our own, whose rows do not outlive ours unchanged. */
function dependentsOf(model: Model, { context }: Writing): readonly Field[] {
  return [...context.schema.models.values()].flatMap((other) =>
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
  const { quote } = context.dialect;
  const columns = dependent.key.map(({ column }) => quote(column)).join(", ");
  const statement: Statement = {
    text: `select ${columns} from ${quote(dependent.table)} where ${quote(field.column)} = ? limit ${context.limits.cascadeMax + 1}`,
    params: [key[0] as Value],
  };
  const rows: readonly Row[] = await session.read(statement);
  return rows.map((row) => formatKey(dependent, row));
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
async function writeDelete({ model, id, ifVersion, hard, trash }: DeleteWrite, writing: Writing): Promise<void> {
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const hasVersion = ifVersion !== undefined;
  const unit = prepared(`delete|${model.name}|${hasVersion}|${hard}|${trash}`, writing, (target) =>
    compileDelete(model, { ifVersion: hasVersion, hard, trash }, target),
  );
  const steps = bindUnit(unit, bindingOf([...key, ...(hasVersion ? [ifVersion] : [])], writing), 0);
  const part: Part = { model, base: 0, pointer: writing.pointer, action: "delete", row: [], serial: null };
  const results = await runUnit(steps, [part], writing);
  const version = Number(results[unit.before as number]?.rows[0]?.[1]) + 1;
  writing.changes.push({ model: model.name, kind: "delete", id, version });
}
