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
import { formatKey, parseKey } from "../key.ts";
import { inTransaction, modelOf, requireVersion, transact, writeDelete, type Writing, writeUpdate } from "./row.ts";

export async function deleteRow(call: Extract<Call, { op: "delete" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  admit(model, "delete", writing);
  requireVersion(model, call.ifVersion, writing);
  const hard = !model.softDelete || call.trash === "only";
  const dependents = hard ? dependentsOf(model, writing) : [];
  const work = async (inner: Writing) => {
    const hooked = { model, op: "delete" as const, input: emptyInput(model), id: call.id, row: null };
    await runHooks("before", hooked, inner);
    await release({ model, id: call.id, left: { count: inner.context.limits.cascadeMax } }, inner);
    await writeDelete(
      { model, id: call.id, ifVersion: call.ifVersion, hard, trash: model.softDelete && hard ? "only" : "without" },
      inner,
    );
    await runHooks("after", hooked, inner);
  };
  if (dependents.length > 0) await transact(writing, work);
  else await inTransaction({ model, op: "delete" }, work, writing);
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
          await release({ model: dependent, id, left: gone.left }, inner);
          await writeDelete({ model: dependent, id, hard: true, trash: "with" }, asSystem);
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
  const rows: readonly Row[] = await session.read(statement, false);
  return rows.map((row) => formatKey(dependent, row));
}

export function emptyInput(model: Model): Input {
  return { model, values: new Map(), adds: new Map(), children: [] };
}
