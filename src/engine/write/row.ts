/** Writes of single rows: input, guard, unit, run, shape; hooks inside the transaction, listeners after it. */
import { UnitRefused } from "../../drivers/database.ts";
import type { Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Call, Data, Origin, Result, Returning } from "../call.ts";
import { compileCreate, compileDelete, compileUpdate, type ReadBack, type WriteTarget } from "../compile/write.ts";
import type { Change } from "./change.ts";
import { fail } from "../errors.ts";
import { admit, type View } from "../guard.ts";
import { type HookOp, runHooks } from "./hooks.ts";
import { completeRow, type Completion, type Input, readInput, storedFields } from "./input.ts";
import type { Trash } from "../plan/plan.ts";
import { formatKey, parseKey } from "../key.ts";
import type { Context } from "../pipeline.ts";
import { type Part, refusal } from "./refusal.ts";
import type { Session } from "../session.ts";
import { createShape, shapeQuery } from "../plan/shape.ts";
import type { Step, StepResult } from "../../drivers/database.ts";
import { bindUnit, type UnitTemplate } from "../compile/unit.ts";

/** One request's writing: who, when, where, and what listeners will be told. */
export interface Writing {
  readonly context: Context;
  readonly session: Session;
  readonly origin: Origin;
  readonly view: View;
  readonly nowMs: number;
  /** The same instant, ISO 8601. */
  readonly now: string;
  /** Changes of this request, told to listeners once they are committed. */
  readonly changes: Change[];
  /** Where the data stands in the call, as a JSON pointer. */
  readonly pointer: string;
}

type RowResult = Extract<Result, { kind: "row" }>;

export async function createRow(call: Extract<Call, { op: "create" }>, writing: Writing): Promise<RowResult> {
  const [row] = await createRows({ model: call.model, data: [call.data], returning: call.returning }, writing);
  return row as RowResult;
}

/** Creates rows in one unit: all or none. */
export async function createRows(
  call: { model: string; data: readonly Data[]; returning?: Returning | undefined },
  writing: Writing,
): Promise<readonly RowResult[]> {
  const model = modelOf(call.model, writing);
  admit(model, "create", writing);
  const many = call.data.length !== 1;
  const work = async (inner: Writing) => {
    const inputs: Input[] = [];
    for (const [index, data] of call.data.entries()) {
      const pointer = many ? `${inner.pointer}/${index}` : inner.pointer;
      const input = readInput(model, data, {
        view: inner.view,
        mode: "create",
        pointer,
        batchMax: inner.context.limits.batchMax,
      });
      inputs.push(await runHooks("before", { model, op: "create", input, id: null, row: null }, inner));
    }
    const assembled = assembleCreates(inputs, call.returning, { ...inner, pointer: many ? `${inner.pointer}/` : inner.pointer });
    const results = await runUnit(assembled, inner);
    const rows = assembled.tops.map((top) => createdRow(top, results, model));
    noteCreates(assembled.parts, results, inner);
    for (const [index, row] of rows.entries())
      await runHooks("after", { model, op: "create", input: inputs[index] as Input, id: row.id, row }, inner);
    return rows;
  };
  return inTransaction({ model, op: "create" }, work, writing);
}

// Hooks see, and may undo, the write they hang on: they and it share a transaction.
export async function inTransaction<T>(
  hooked: { readonly model: Model; readonly op: HookOp },
  work: (writing: Writing) => Promise<T>,
  writing: Writing,
): Promise<T> {
  if (!writing.context.hooks.has(hooked.model.name, hooked.op)) return work(writing);
  return transact(writing, work);
}

/** Runs work in a transaction. Its changes are this request's once it has succeeded, and forgotten where it is undone. */
export async function transact<T>(writing: Writing, work: (writing: Writing) => Promise<T>): Promise<T> {
  const changes: Change[] = [];
  const value = await writing.session.transaction((session) => {
    changes.length = 0;
    return work({ ...writing, session, changes });
  });
  writing.changes.push(...changes);
  return value;
}

export function modelOf(name: string, writing: Writing): Model {
  const model = writing.context.schema.models.get(name);
  if (!model) throw fail("unknown_operation");
  return model;
}

/** A unit being put together, and what of it is whose. */
export interface Assembled {
  readonly steps: Step[];
  readonly parts: Part[];
  /** The rows asked for; owned rows nested in them are parts only. */
  readonly tops: { readonly part: Part; readonly unit: UnitTemplate }[];
}

function assembleCreates(inputs: readonly Input[], returning: Returning | undefined, writing: Writing): Assembled {
  const assembled: Assembled = { steps: [], parts: [], tops: [] };
  for (const [index, input] of inputs.entries()) {
    const pointer = inputs.length > 1 || writing.pointer.endsWith("/") ? `${writing.pointer}${index}` : writing.pointer;
    addCreate(input, { assembled, pointer, top: true, parent: null, returning, writing });
  }
  return assembled;
}

interface Adding {
  readonly assembled: Assembled;
  readonly pointer: string;
  readonly top: boolean;
  /** The field that points to the parent, and its key where it is known. */
  readonly parent: { readonly field: string; readonly key: Value } | null;
  readonly returning: Returning | undefined;
  readonly writing: Writing;
}

function addCreate(input: Input, adding: Adding): void {
  const { assembled, writing, parent, pointer } = adding;
  const { model } = input;
  admit(model, "create", writing);
  if (parent) input.values.set(parent.field, parent.key);
  const row = completeRow(input, completionOf(writing, pointer));
  const hasChildren = input.children.length > 0;
  const readBack = !adding.top || hasChildren ? null : readBackOf(adding.returning);
  const unit = prepareCreate(input, readBack, writing);
  const base = assembled.steps.length;
  const part: Part = { model, base, pointer, action: "create", row, serial: unit.serial === null ? null : base + unit.serial };
  assembled.parts.push(part);
  assembled.steps.push(
    ...bindUnit(unit, { values: [...row, ...originOf(writing)], actor: writing.origin.actor, now: writing.now }, base),
  );
  const fields = storedFields(model);
  const key = row[fields.indexOf(model.key[0] as (typeof fields)[number])] as Value;
  for (const { relation, rows } of input.children) {
    if (unit.serial !== null)
      throw fail("invalid_input", {
        errors: [
          {
            pointer: `${pointer}/${relation}`,
            code: "serial_key",
            message: "Rows cannot be nested in one whose key the database counts; create it first.",
          },
        ],
      });
    const field = model.relations.get(relation)?.inverseOf as string;
    for (const [index, child] of rows.entries()) {
      addCreate(child, { ...adding, top: false, parent: { field, key }, pointer: `${pointer}/${relation}/${index}` });
    }
  }
  // The row is read back once its owned rows are there.
  const late = hasChildren && adding.top ? lateReadBack(input, adding, part) : unit;
  if (adding.top) assembled.tops.push({ part: late === unit ? part : { ...part, base: assembled.steps.length - 1 }, unit: late });
}

function lateReadBack(input: Input, adding: Adding, part: Part): UnitTemplate {
  const { assembled, writing } = adding;
  const whole = prepareCreate(input, readBackOf(adding.returning), writing);
  if (whole.readBack === null) return { ...whole, readBack: null };
  const only: UnitTemplate = { steps: [whole.steps[whole.readBack] as UnitTemplate["steps"][number]], readBack: 0, serial: null };
  assembled.steps.push(
    ...bindUnit(
      only,
      { values: [...part.row, ...originOf(writing)], actor: writing.origin.actor, now: writing.now },
      assembled.steps.length,
    ),
  );
  return only;
}

function prepareCreate(input: Input, readBack: ReadBack, writing: Writing): UnitTemplate {
  const { model } = input;
  const ruled = [...input.values.keys()].flatMap((name) => {
    const field = model.fields.get(name);
    return field && writing.view.fieldRule(field, "create") ? [field] : [];
  });
  const key = `${ruled.map(({ name }) => name).join(",")}|${readBackKey(readBack, writing)}`;
  return prepared(`create|${model.name}|${key}`, writing, (target) => compileCreate(model, { ruled, readBack }, target));
}

function createdRow(top: Assembled["tops"][number], results: readonly StepResult[], model: Model): RowResult {
  const { part, unit } = top;
  const back = unit.readBack === null ? undefined : results[part.base + unit.readBack]?.rows[0];
  return {
    kind: "row",
    json: (back?.[0] as string | undefined) ?? null,
    id: createdKey(part, results, model),
    version: 1,
    created: true,
    changed: true,
  };
}

function createdKey(part: Part, results: readonly StepResult[], model: Model): string {
  const fields = storedFields(model);
  const serial = part.serial === null ? undefined : results[part.serial]?.rows[0]?.[0];
  return formatKey(
    model,
    model.key.map((field) => (field.params.serial ? (serial as Value) : (part.row[fields.indexOf(field)] as Value))),
  );
}

function noteCreates(parts: readonly Part[], results: readonly StepResult[], writing: Writing): void {
  for (const part of parts)
    writing.changes.push({ model: part.model.name, kind: "insert", id: createdKey(part, results, part.model), version: 1 });
}

export interface UpdateCall {
  readonly model: string;
  readonly id: string;
  readonly data: Data;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
}

export async function updateRow(call: UpdateCall, writing: Writing): Promise<RowResult> {
  const model = modelOf(call.model, writing);
  admit(model, "update", writing);
  requireVersion(model, call.ifVersion, writing);
  return inTransaction(
    { model, op: "update" },
    async (inner) => {
      const read = readInput(model, call.data, {
        view: inner.view,
        mode: "update",
        pointer: inner.pointer,
        batchMax: inner.context.limits.batchMax,
      });
      const input = await runHooks("before", { model, op: "update", input: read, id: call.id, row: null }, inner);
      const row = await writeUpdate(
        { input, id: call.id, ifVersion: call.ifVersion, returning: call.returning, trash: "without" },
        inner,
      );
      await runHooks("after", { model, op: "update", input, id: call.id, row }, inner);
      return row;
    },
    writing,
  );
}

export interface UpdateWrite {
  readonly input: Input;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
  readonly trash: Trash;
}

export async function writeUpdate(write: UpdateWrite, writing: Writing): Promise<RowResult> {
  const { input, id } = write;
  const { model } = input;
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const named = (names: Iterable<string>) =>
    [...names].sort().map((name) => model.fields.get(name) as (typeof model.key)[number]);
  const sets = named(input.values.keys());
  const adds = named(input.adds.keys());
  const readBack = readBackOf(write.returning);
  const shape = `update|${model.name}|${sets.map(({ name }) => name).join(",")}|${adds.map(({ name }) => name).join(",")}|${write.ifVersion === undefined ? "" : "v"}${write.trash}|${readBackKey(readBack, writing)}`;
  const unit = prepared(shape, writing, (target) =>
    compileUpdate(model, { sets, adds, ifVersion: write.ifVersion !== undefined, readBack, trash: write.trash }, target),
  );
  const values = [
    ...key,
    ...sets.map(({ name }) => input.values.get(name)),
    ...adds.map(({ name }) => input.adds.get(name)),
    ...(write.ifVersion === undefined ? [] : [write.ifVersion]),
    ...originOf(writing),
  ];
  const part: Part = { model, base: 0, pointer: writing.pointer, action: "update", row: [], serial: null };
  const steps = bindUnit(unit, { values, actor: writing.origin.actor, now: writing.now }, 0);
  const results = await runUnit({ steps, parts: [part], tops: [] }, writing);
  const back = unit.readBack === null ? undefined : results[unit.readBack]?.rows[0];
  const version = Number(back?.[1] ?? (write.ifVersion ?? 0) + 1);
  writing.changes.push({ model: model.name, kind: "update", id, version });
  return { kind: "row", json: (back?.[0] as string | undefined) ?? null, id, version, created: false, changed: true };
}

export interface DeleteWrite {
  readonly model: Model;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly hard: boolean;
  readonly trash: Trash;
}

/** Deletes one row by its unit alone; what goes along with it is delete.ts's. */
export async function writeDelete({ model, id, ifVersion, hard, trash }: DeleteWrite, writing: Writing): Promise<void> {
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const shape = `delete|${model.name}|${ifVersion === undefined ? "" : "v"}${hard}${trash}`;
  const unit = prepared(shape, writing, (target) =>
    compileDelete(model, { ifVersion: ifVersion !== undefined, hard, trash }, target),
  );
  const values = [...key, ...(ifVersion === undefined ? [] : [ifVersion]), ...originOf(writing)];
  const steps = bindUnit(unit, { values, actor: writing.origin.actor, now: writing.now }, 0);
  await runUnit(
    { steps, parts: [{ model, base: 0, pointer: writing.pointer, action: "delete", row: [], serial: null }], tops: [] },
    writing,
  );
  writing.changes.push({ model: model.name, kind: "delete", id, version: (ifVersion ?? 0) + 1 });
}

export function requireVersion(model: Model, ifVersion: number | undefined, writing: Writing): void {
  if (model.requireVersion && ifVersion === undefined && !writing.view.facts.system) throw fail("precondition_required");
}

async function runUnit(assembled: Assembled, writing: Writing): Promise<readonly StepResult[]> {
  try {
    return await writing.session.write(assembled.steps);
  } catch (error) {
    throw error instanceof UnitRefused ? refusal(error, assembled.parts, writing) : error;
  }
}

function prepared(shape: string, writing: Writing, compile: (target: WriteTarget) => UnitTemplate): UnitTemplate {
  const { context, view, origin } = writing;
  const key = `${shape}|${view.facts.key}`;
  const known = context.units.get(key);
  if (known) return known;
  const unit = compile({ dialect: context.dialect, schema: context.schema, limits: context.limits, view, actor: origin.actor });
  context.units.set(key, unit);
  return unit;
}

function originOf({ origin }: Writing): readonly Value[] {
  return [origin.actor.id, origin.requestId];
}

export function completionOf({ origin, nowMs, now, context }: Writing, pointer: string): Completion {
  return { actor: origin.actor, nowMs, now, newId: context.newId, pointer };
}

function readBackOf(returning: Returning | undefined): ReadBack {
  return returning?.minimal ? null : { select: returning?.select };
}

function readBackKey(readBack: ReadBack, { context }: Writing): string {
  if (!readBack) return "-";
  if (!readBack.select) return "*";
  const shape = createShape(context.limits, "");
  shapeQuery(shape, { select: readBack.select });
  if (shape.values.length > 0)
    throw fail("invalid_query", {
      errors: [{ pointer: "/select", code: "unknown_parameter", message: "The answer of a write takes no filters." }],
    });
  return shape.text;
}
