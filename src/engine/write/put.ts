/** Writes that first look whether the row is there: put, upsert and restore. Each looks and writes in one transaction. */
import { isMisfit, wireOf } from "../../schema/fields/field-type.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Call, Data, SingleResult } from "../call.ts";
import { badInput, badQuery, fail } from "../errors.ts";
import { admit } from "../guard.ts";
import { columnFields, namedFields } from "./fields.ts";
import { defaultOf, readInput } from "./input.ts";
import { keySql, keyWhere, parseKey } from "../key.ts";
import { read } from "../pipeline.ts";
import { bindTo } from "../compile/form.ts";
import { createRow } from "./create.ts";
import { emptyInput } from "./delete.ts";
import { updateRow } from "./patch.ts";
import { writeUpdate } from "./update.ts";
import type { Writing } from "../context.ts";
import { completionOf, inputContext, modelOf, requireVersion, transact } from "./writing.ts";

/** Replaces the row of that id, or creates it there. */
export async function putRow(call: Extract<Call, { op: "put" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  const key = parseKey(model, call.id);
  if (!key || model.key.some((field) => field.params.serial)) throw fail("not_found");
  const data = withoutKey(model, call, writing);
  return transact(writing, async (inner) => {
    const found = await findBy(
      model,
      model.key.map((field, index) => [field, key[index] as Value] as const),
      inner,
    );
    if (found === null) {
      if (!model.version) requireVersion(model, call.ifVersion, inner);
      if (call.ifVersion !== undefined && call.ifVersion !== 0) throw fail("precondition_failed");
      const keyed = keyWhere(model, call.id);
      return createRow(
        {
          op: "create",
          model: model.name,
          data: { ...data, ...keyed },
          returning: call.returning,
        },
        inner,
      );
    }
    // Before what is missing is told: that there is a row to replace is not for everyone to know.
    admit(model, "update", inner);
    requireVersion(model, call.ifVersion, inner);
    return updateRow(
      {
        model: model.name,
        id: call.id,
        data: replacement(model, data, inner),
        ifVersion: call.ifVersion,
        returning: call.returning,
      },
      inner,
    );
  });
}

// The key may be repeated in the body, if it is the same.
function withoutKey(model: Model, call: { readonly id: string; readonly data: Data }, writing: Writing): Data {
  const data: Record<string, unknown> = { ...call.data };
  for (const [name, part] of Object.entries(keyWhere(model, call.id))) {
    const given = data[name];
    if (given === undefined) continue;
    if (given !== part)
      throw badInput([{ pointer: `${writing.pointer}/${name}`, code: "immutable", message: "It is not the id of the address." }]);
    delete data[name];
  }
  return data;
}

// What the caller may write and leaves out goes back to its default.
function replacement(model: Model, data: Data, writing: Writing): Data {
  const { view } = writing;
  const whole: Record<string, unknown> = { ...data };
  const isOpen = (field: Field) =>
    !field.readOnly &&
    !field.immutable &&
    !field.writeOnce &&
    field.role === null &&
    view.field(model, field.name) !== undefined &&
    view.fieldRule(field, "update")?.op !== "false";
  const missing: string[] = [];
  for (const field of namedFields(model)) {
    // What the database gave stays: nobody knows what it would give anew.
    if (field.name in whole || !isOpen(field) || field.default?.from === "database") continue;
    const value = defaultOf(field, data, completionOf(writing, writing.pointer));
    if ((value === null || isMisfit(value)) && !field.optional) missing.push(field.name);
    else whole[field.name] = value === null || isMisfit(value) ? null : wireOf(field, value);
  }
  if (missing.length > 0)
    throw badInput(
      missing.map((name) => ({ pointer: `${writing.pointer}/${name}`, code: "required", message: "This field is required." })),
    );
  return whole;
}

/** Creates, or meets the row that has the same values in `onConflict`. Takes the right to do both. */
export async function upsertRow(call: Extract<Call, { op: "upsert" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  admit(model, "create", writing);
  admit(model, "update", writing);
  const fields = conflictFields(model, call.onConflict, writing);
  const given = readInput(model, call.data, inputContext("create", writing));
  const wanted = columnFields(fields).map((field) => {
    const value = given.values.get(field.name);
    if (value === undefined || value === null)
      throw badInput([
        {
          pointer: `${writing.pointer}/${field.partOf ?? field.name}`,
          code: "required",
          message: "The fields of onConflict must be given.",
        },
      ]);
    return [field, value] as const;
  });
  return transact(writing, async (inner): Promise<SingleResult> => {
    const id = await findBy(model, wanted, inner);
    if (id === null) return createRow({ op: "create", model: model.name, data: call.data, returning: call.returning }, inner);
    const keyNames = new Set(fields.map(({ name }) => name));
    const rest = Object.fromEntries(
      Object.entries(call.data).filter(([name]) => !keyNames.has(name) && !model.fields.get(name)?.immutable),
    );
    if (call.onConflictDo === "nothing") return unchanged(id, call, inner);
    return updateRow({ model: model.name, id, data: rest, returning: call.returning }, inner);
  });
}

// The row as it is: where the caller may not read it, only that it is there.
async function unchanged(
  id: string,
  call: Extract<Call, { op: "upsert" }>,
  { context, session, origin, now }: Writing,
): Promise<SingleResult> {
  const { result } = await read({ op: "get", model: call.model, id, select: call.returning?.select }, origin.actor, {
    context,
    session,
    now,
  });
  return result;
}

function conflictFields(model: Model, names: readonly string[], { view }: Writing): readonly Field[] {
  const fields = names.map((name) => {
    const field = view.field(model, name);
    if (!field)
      throw badQuery("/onConflict", "unknown_field", `${model.name} has no field ${JSON.stringify(name.slice(0, 64))}.`);
    return field;
  });
  const wanted = [...new Set(columnFields(fields).map(({ column }) => column))].sort().join();
  const uniques = [
    model.key.map(({ column }) => column),
    ...model.indexes.filter(({ unique }) => unique).map(({ columns }) => columns.map(({ column }) => column)),
  ];
  if (!uniques.some((columns) => columns.toSorted().join() === wanted))
    throw badQuery("/onConflict", "not_unique", `${names.join(", ")} is not unique in ${model.name}.`);
  return fields;
}

/** Takes a row out of the trash; for who may delete it. */
export async function restoreRow(call: Extract<Call, { op: "restore" }>, writing: Writing): Promise<SingleResult> {
  const model = modelOf(call.model, writing);
  if (!model.softDelete) throw fail("unknown_operation");
  admit(model, "delete", writing);
  const input = { ...emptyInput(model), values: new Map<string, Value>([["deletedAt", null]]) };
  return writeUpdate({ input, id: call.id, returning: call.returning, trash: "only" }, writing);
}

async function findBy(
  model: Model,
  wanted: readonly (readonly [Field, Value])[],
  { context, session }: Writing,
): Promise<string | null> {
  const { dialect } = context;
  const { quote } = dialect;
  const conditions = wanted.map(([field]) => `t0.${quote(field.column)} = ${bindTo(field, "?", dialect)}`);
  const isKey = wanted.every(([field]) => model.key.includes(field));
  if (model.softDelete && !isKey) conditions.push(`t0.${quote((model.fields.get("deletedAt") as Field).column)} is null`);
  const text = `select ${keySql(model, "t0", dialect)} from ${quote(model.table)} t0 where ${conditions.join(" and ")} limit 1`;
  const rows = await session.read({ text, params: wanted.map(([, value]) => value) });
  return rows[0] ? String(rows[0][0]) : null;
}
