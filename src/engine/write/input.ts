/** Checks what a caller wants to write: names, who may write them, and values; fills in what is left out. */
import { didYouMean } from "../../base/suggest.ts";
import type { Issue } from "../../base/errors.ts";
import { isMisfit, type Misfit } from "../../schema/fields/field-type.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Actor } from "../actor.ts";
import type { Data } from "../call.ts";
import { badInput, fail } from "../errors.ts";
import type { View } from "../guard.ts";
import { toWire } from "../key.ts";
import { pointerPart } from "../plan/shape.ts";
import { spread, storedFields } from "./fields.ts";
import { type OwnedChanges, readOwned, withoutParent } from "./owned-input.ts";

/** Input in stored form. */
export interface Input {
  readonly model: Model;
  /** Where it stands in the call. */
  readonly pointer: string;
  /** By field name; what was not given is absent. */
  readonly values: Map<string, Value>;
  /** Amounts to add to numbers, in their smallest unit. */
  readonly adds: Map<string, number | bigint>;
  /** Rows of owned relations, to be created along. */
  readonly children: readonly { readonly relation: string; readonly rows: readonly Input[] }[];
  /** What becomes of rows of owned relations in an update. */
  readonly owned: readonly OwnedChanges[];
}

export interface InputContext {
  readonly view: View;
  readonly mode: "create" | "update";
  /** Where the data stands in the call, as a JSON pointer. */
  readonly pointer: string;
  readonly batchMax: number;
  /** An update may say what becomes of owned rows. @default false */
  readonly nests?: boolean;
}

/** @throws invalid_input with every fault, or forbidden where a field may not be written */
export function readInput(model: Model, data: Data, context: InputContext): Input {
  const faults: Issue[] = [];
  const input = collect(model, data, { ...context, faults, ownedRows: { count: 0 } });
  if (faults.some(({ code }) => code === "forbidden")) throw fail("forbidden", { errors: faults });
  if (faults.length > 0) throw badInput(faults);
  return input;
}

export interface Collecting extends InputContext {
  readonly faults: Issue[];
  /** Owned rows that an update has named so far, at any depth. */
  readonly ownedRows: { count: number };
}

function collect(model: Model, data: Data, context: Collecting): Input {
  const { faults } = context;
  const values = new Map<string, Value>();
  const adds = new Map<string, number | bigint>();
  const children: { relation: string; rows: Input[] }[] = [];
  const owned: OwnedChanges[] = [];
  const input: Input = { model, pointer: context.pointer, values, adds, children, owned };
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    faults.push({ pointer: context.pointer, code: "type", message: "must be an object." });
    return input;
  }
  for (const [name, given] of Object.entries(data)) {
    if (given === undefined) continue;
    const pointer = `${context.pointer}/${pointerPart(name)}`;
    const report = (code: string, message: string) => void faults.push({ pointer, code, message });
    const relation = context.view.relation(model, name);
    const field = model.fields.get(name);
    if (!field && relation?.owned && context.mode === "create") {
      const nested = { ...context, pointer, target: context.view.target(relation), skip: relation.inverseOf ?? "" };
      children.push({ relation: name, rows: collectChildren(given, nested) });
      continue;
    }
    if (!field && relation?.owned && relation.kind === "many" && context.nests) {
      owned.push(readOwned(given, { ...context, pointer, relation }, collect));
      continue;
    }
    if (!field || !isWritable(field, context)) {
      report(
        "unknown_field",
        `${model.name} has no field ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, context.view.names(model))}`,
      );
      continue;
    }
    const refusal = refusalOf(field, context);
    if (refusal) {
      report(refusal.code, refusal.misfit);
      continue;
    }
    const added = context.mode === "update" ? addedAmount(field, given) : null;
    if (added === null) {
      const value = storedValue(field, given);
      if (isMisfit(value)) report(value.code, `${value.misfit[0]?.toUpperCase()}${value.misfit.slice(1)}.`);
      else if (!put(values, field, value)) report("contradiction", "Another field says something else of a part of this key.");
    } else if (isMisfit(added)) report(added.code, added.misfit);
    else adds.set(name, added);
  }
  return input;
}

// Two fields may share a column: what they say of it is the same.
function put(values: Map<string, Value>, field: Field, value: Value): boolean {
  const held = spread(field, value);
  for (const [name, part] of held) if (values.has(name) && values.get(name) !== part) return false;
  for (const [name, part] of held) values.set(name, part);
  return true;
}

interface ChildContext extends Collecting {
  readonly target: Model;
  /** The child's key to its parent: the parent fills it. */
  readonly skip: string;
}

function collectChildren(given: unknown, context: ChildContext): Input[] {
  const { faults } = context;
  const rows = Array.isArray(given) ? given : [given];
  if (rows.length > context.batchMax) {
    faults.push({ pointer: context.pointer, code: "max", message: `Must have at most ${context.batchMax} rows.` });
    return [];
  }
  return rows.map((row, index) => {
    const pointer = Array.isArray(given) ? `${context.pointer}/${index}` : context.pointer;
    return collect(context.target, withoutParent(row, { ...context, pointer }), { ...context, pointer });
  });
}

// A field that may not be read may still be written, where a rule of its own says so.
function isWritable(field: Field, { view, mode }: InputContext): boolean {
  const model = view.model(field.model);
  if (view.field(model, field.name)) return true;
  return !field.hidden && Boolean(model.access.fields.get(field.name)?.[mode]) && view.fieldRule(field, mode)?.op !== "false";
}

function refusalOf(field: Field, { view, mode }: InputContext): Misfit | null {
  const { facts } = view;
  if (field.computed || field.role === "version" || (field.readOnly && !facts.system))
    return { code: "read_only", misfit: "This field cannot be written." };
  if (mode === "update" && field.immutable)
    return { code: "immutable", misfit: "This field is given at creation and never changes." };
  return view.fieldRule(field, mode)?.op === "false" ? { code: "forbidden", misfit: "You may not write this field." } : null;
}

function storedValue(field: Field, given: unknown): Value | Misfit {
  if (given === null) return field.optional ? null : { code: "required", misfit: "must not be null" };
  return field.type.parse(given, field.params);
}

// `{ "$add": -1 }` on a number: the database adds, so that concurrent writes all count.
function addedAmount(field: Field, given: unknown): number | bigint | Misfit | null {
  if (!field.type.numeric || typeof given !== "object" || given === null || !("$add" in given)) return null;
  const amount = field.type.parse(given.$add, { ...field.params, min: undefined, max: undefined });
  return isMisfit(amount) ? { code: amount.code, misfit: `$add ${amount.misfit}.` } : (amount as number | bigint);
}

export interface Completion {
  readonly actor: Actor;
  readonly nowMs: number;
  readonly now: string;
  readonly newId: () => string;
  readonly pointer: string;
}

/** The values of every stored field of a new row, in the model's order; what the database gives is null until it has. */
export function completeRow(input: Input, completion: Completion): readonly Value[] {
  const faults: Issue[] = [];
  const given = toWire(input.model, input.values);
  const missing = new Set<string>();
  const row = storedFields(input.model).map((field) => {
    const value = input.values.get(field.name);
    if (value !== undefined) return value;
    const made = defaultOf(field, given, completion);
    if (isMisfit(made))
      faults.push({ pointer: `${completion.pointer}/${field.name}`, code: made.code, message: `${made.misfit}.` });
    else if (made !== null || field.optional || field.params.serial || field.default?.from === "database") return made;
    else missing.add(field.partOf ?? field.name);
    return null;
  });
  for (const name of missing)
    faults.push({ pointer: `${completion.pointer}/${name}`, code: "required", message: "This field is required." });
  if (faults.length > 0) throw badInput(faults);
  return row;
}

/** What a field is where the input leaves it out. */
export function defaultOf(field: Field, given: Readonly<Record<string, unknown>>, completion: Completion): Value | Misfit {
  const rule = field.default;
  switch (rule?.from) {
    case undefined:
    case "database":
      return null;
    case "value":
      return rule.value;
    case "now":
      return completion.now;
    case "id":
      return completion.newId();
    case "me": {
      if (completion.actor.id === null) return null;
      const id = field.type.fromText ? field.type.fromText(completion.actor.id) : completion.actor.id;
      return isMisfit(id) ? id : field.type.parse(id, field.params);
    }
    case "generated": {
      const made = rule.make({ input: given, nowMs: completion.nowMs, newId: completion.newId });
      return made === null || made === undefined ? null : field.type.parse(made, field.params);
    }
  }
}
