/** Creates rows, owned rows nested in them included, in one unit: all or none. */
import type { Step, StepRef, StepResult, WriteOptions } from "../../drivers/database.ts";
import type { Field, Model, Relation } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Call, Data, Returning } from "../call.ts";
import { bindStep, bindUnit, type UnitTemplate } from "../compile/unit.ts";
import { compileCreate } from "../compile/write.ts";
import { badInput } from "../errors.ts";
import { admit } from "../guard.ts";
import { formatKey, parseKey } from "../key.ts";
import { readBack } from "./read-back.ts";
import { runHooks } from "./hooks.ts";
import { storedFields } from "./fields.ts";
import { completeRow, type Input, readInput } from "./input.ts";
import type { Part } from "./refusal.ts";
import { alikeOptions, repeatsOf } from "./repeats.ts";
import type { Writing } from "../context.ts";
import {
  bindingOf,
  completionOf,
  inputContext,
  modelOf,
  prepared,
  readBackKey,
  readBackOf,
  type RowResult,
  runUnit,
  withHooks,
} from "./writing.ts";

export async function createRow(call: Extract<Call, { op: "create" }>, writing: Writing): Promise<RowResult> {
  const model = modelOf(call.model, writing);
  admit(model, "create", writing);
  const input = readInput(model, call.data, inputContext("create", writing));
  const [row] = await createAll([input], call.returning, writing);
  return row as RowResult;
}

export interface CreateMany {
  readonly model: string;
  readonly data: readonly Data[];
  readonly returning?: Returning | undefined;
}

export async function createRows(call: CreateMany, writing: Writing): Promise<readonly RowResult[]> {
  const model = modelOf(call.model, writing);
  admit(model, "create", writing);
  const context = inputContext("create", writing);
  const inputs = call.data.map((data, index) => readInput(model, data, { ...context, pointer: `${writing.pointer}/${index}` }));
  return createAll(inputs, call.returning, writing);
}

/** What is created, in the order of its statements: the inputs, and below each what is nested in it. */
interface Created {
  readonly input: Input;
  readonly part: Part;
  /** The step that reads the row back; null for nested rows, and where nothing is to be answered. */
  readonly back: number | null;
  readonly isTop: boolean;
  readonly unit: UnitTemplate;
  /** Steps of its own that follow each other, from its first. */
  readonly steps: number;
}

/** Creates what has been read, in one unit where no hook stands between. */
export async function createAll(
  inputs: readonly Input[],
  returning: Returning | undefined,
  writing: Writing,
): Promise<readonly RowResult[]> {
  const models = new Set(inputs.flatMap(modelsIn));
  const nested = new Set(inputs.flatMap(({ children }) => children.flatMap(({ rows }) => rows.flatMap(modelsIn))));
  const isHooked = [...nested].some((model) => writing.context.hooks.has(model.name, "create"));
  const work = (inner: Writing) => (isHooked ? createInTurn(inputs, returning, inner) : createAtOnce(inputs, returning, inner));
  return withHooks({ models, op: "create" }, work, writing);
}

/** The models of a row and of what is nested in it. */
export function modelsIn(input: Input): readonly Model[] {
  return [input.model, ...input.children.flatMap(({ rows }) => rows.flatMap(modelsIn))];
}

/** All rows in one unit. */
export async function createAtOnce(
  inputs: readonly Input[],
  returning: Returning | undefined,
  writing: Writing,
): Promise<readonly RowResult[]> {
  for (const input of inputs) await runHooks("before", hookedBy(input, null), writing);
  const steps: Step[] = [];
  const created: Created[] = [];
  for (const input of inputs) addRow(input, { steps, created, parent: null, returning, writing });
  const parts = created.map(({ part }) => part);
  const results = await runUnit(steps, parts, { ...writing, options: optionsOf(created) });
  const rows = created.map((one) => ({ ...one, row: rowOf(one, results) }));
  for (const { input, row } of rows)
    writing.changes.push({ model: input.model.name, kind: "insert", id: row.id, version: row.version ?? 0 });
  const tops = rows.filter(({ isTop }) => isTop);
  for (const { input, row } of tops) await runHooks("after", hookedBy(input, row.id), writing);
  return tops.map(({ row }) => row);
}

/** A row by itself may run together with those of other requests, and rows that follow each other with each other. */
function optionsOf(created: readonly Created[]): WriteOptions | undefined {
  if (created.length === 1) return created[0]?.unit.alike ? alikeOptions : undefined;
  return repeatsOf(created.map(({ unit, part, steps }) => ({ unit, base: part.base, steps })));
}

/**
 * Creates rows in one unit where that is the same as one after the other. Null, and no trace, where a hook stands between them or one
 * of them fails: one by one they tell which. To be called in a transaction.
 */
export async function createTogether(
  read: () => readonly Input[],
  returning: Returning | undefined,
  writing: Writing,
): Promise<readonly RowResult[] | null> {
  try {
    const inputs = read();
    const isHooked = inputs.flatMap(modelsIn).some(({ name }) => writing.context.hooks.has(name, "create"));
    return isHooked ? null : await createAtOnce(inputs, returning, writing);
  } catch {
    // What it was is told by who meets it again.
    return null;
  }
}

/** Owner first, then what it owns: the hooks of a nested row find its owner there. */
async function createInTurn(
  inputs: readonly Input[],
  returning: Returning | undefined,
  writing: Writing,
): Promise<readonly RowResult[]> {
  const rows: RowResult[] = [];
  for (const input of inputs) {
    const { children, model } = input;
    const [owner] = await createAtOnce([{ ...input, children: [] }], { minimal: true }, writing);
    const { id } = owner as RowResult;
    const key = parseKey(model, id) ?? [];
    for (const { relation, rows: owned } of children) {
      const linked = owned.map((child) => withParent(child, { model, relation, key }));
      await createInTurn(linked, { minimal: true }, writing);
    }
    const back = returning?.minimal ? null : await readBack({ model, id, returning }, writing);
    rows.push({ ...(owner as RowResult), json: back?.json ?? null });
  }
  return rows;
}

function hookedBy(input: Input, id: string | null) {
  return { model: input.model, op: "create" as const, input, id };
}

export interface Parent {
  readonly model: Model;
  /** The relation in which the row is nested. */
  readonly relation: string;
  /** Its stored parts: a number that the database has yet to give is a reference to that step. */
  readonly key: readonly (Value | StepRef)[];
}

/** The input of a row that is nested in another. */
// A copy: the database may ask for another run, in which the parent has another key.
export function withParent(input: Input, parent: Parent): Input {
  const { model, pointer } = input;
  const values = new Map(input.values);
  const relation = parent.model.relations.get(parent.relation) as Relation;
  for (const { local, foreign } of relation.on) {
    const field = [...model.fields.values()].find(({ column }) => column === foreign) as Field;
    const value = parent.key[parent.model.key.findIndex(({ column }) => column === local)] as Value;
    if (values.has(field.name) && values.get(field.name) !== value) {
      const message = "It is not that of the row that it is nested in.";
      throw badInput([{ pointer: `${pointer}/${field.name}`, code: "contradiction", message }]);
    }
    values.set(field.name, value);
  }
  return { ...input, values };
}

interface Adding {
  readonly steps: Step[];
  readonly created: Created[];
  readonly parent: Parent | null;
  readonly returning: Returning | undefined;
  readonly writing: Writing;
}

function addRow(given: Input, { steps, created, parent, returning, writing }: Adding): void {
  const input = parent ? withParent(given, parent) : given;
  const { model, pointer } = input;
  admit(model, "create", writing);
  const row = completeRow(input, completionOf(writing, pointer));
  const isTop = parent === null;
  const unit = prepareCreate(input, isTop ? returning : { minimal: true }, writing);
  const base = steps.length;
  const binding = bindingOf(row, writing);
  const serial = unit.serial === null ? null : base + unit.serial;
  const part: Part = { model, base, pointer, action: "create", row, serial };
  steps.push(...bindUnit(unit, binding, base));
  const at = created.push({ input, part, back: null, isTop, unit, steps: unit.steps.length }) - 1;
  const fields = storedFields(model);
  const key = model.key.map((field) =>
    field.params.serial ? { step: serial as number, column: 0 } : (row[fields.indexOf(field)] as Value),
  );
  for (const { relation, rows } of input.children)
    for (const child of rows) addRow(child, { steps, created, parent: { model, relation, key }, returning, writing });
  // Read back once its owned rows are there, which may be part of the answer.
  if (!unit.back) return;
  const back = steps.push(bindStep(unit.back, binding, base)) - 1;
  const own = back - base === unit.steps.length ? unit.steps.length + 1 : unit.steps.length;
  created[at] = { ...(created[at] as Created), back, steps: own };
}

function prepareCreate(input: Input, returning: Returning | undefined, writing: Writing): UnitTemplate {
  const { model } = input;
  const readBack = readBackOf(returning);
  const ruled = [...input.values.keys()].flatMap((name) => {
    const field = model.fields.get(name);
    return field && writing.view.fieldRule(field, "create") ? [field] : [];
  });
  const left = storedFields(model).filter((field) => field.default?.from === "database" && !input.values.has(field.name));
  const names = (fields: readonly Field[]) => fields.map(({ name }) => name).join(",");
  const shape = `create|${model.name}|${names(ruled)}|${names(left)}|${readBackKey(readBack, writing)}`;
  return prepared(shape, writing, (target) => compileCreate(model, { ruled, left, readBack }, target));
}

function rowOf({ part, back }: Created, results: readonly StepResult[]): RowResult {
  const json = back === null ? null : ((results[back]?.rows[0]?.[0] as string | undefined) ?? null);
  const version = part.model.version ? 1 : null;
  return { kind: "row", json, id: keyOf(part, results), version, created: true, changed: true };
}

function keyOf({ model, row, serial }: Part, results: readonly StepResult[]): string {
  const fields = storedFields(model);
  const counted = serial === null ? null : (results[serial]?.rows[0]?.[0] as Value);
  return formatKey(
    model,
    model.key.map((field) => (field.params.serial ? counted : (row[fields.indexOf(field)] as Value))),
  );
}
