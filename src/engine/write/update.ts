/** Updates one row: a conditional write, judged before and after, recorded with the row as it was and as it is. */
import type { Field } from "../../schema/schema.ts";
import type { Data, Returning } from "../call.ts";
import { bindStep, bindUnit } from "../compile/unit.ts";
import { compileUpdate } from "../compile/write.ts";
import { fail } from "../errors.ts";
import { admit } from "../guard.ts";
import { parseKey } from "../key.ts";
import type { Trash } from "../plan/plan.ts";
import { runHooks } from "./hooks.ts";
import { type Input, readInput } from "./input.ts";
import type { Part } from "./refusal.ts";
import type { Writing } from "../context.ts";
import {
  bindingOf,
  inputContext,
  modelOf,
  prepared,
  readBackKey,
  readBackOf,
  requireVersion,
  type RowResult,
  runUnit,
  versionAfter,
  withHooks,
} from "./writing.ts";

export interface UpdateCall {
  readonly model: string;
  readonly id: string;
  readonly data: Data;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
}

export async function updateRow(call: UpdateCall, writing: Writing): Promise<RowResult> {
  const model = modelOf(call.model, writing);
  const { id, ifVersion, returning } = call;
  admit(model, "update", writing);
  requireVersion(model, ifVersion, writing);
  const input = readInput(model, call.data, inputContext("update", writing));
  const work = async (inner: Writing) => {
    await runHooks("before", { model, op: "update", input, id }, inner);
    const row = await writeUpdate({ input, id, ifVersion, returning, trash: "without" }, inner);
    await runHooks("after", { model, op: "update", input, id }, inner);
    return row;
  };
  return withHooks({ models: [model], op: "update" }, work, writing);
}

export interface UpdateWrite {
  readonly input: Input;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
  readonly trash: Trash;
}

/** The write itself, without hooks. */
export async function writeUpdate({ input, id, ifVersion, returning, trash }: UpdateWrite, writing: Writing): Promise<RowResult> {
  const { model } = input;
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const named = (names: Iterable<string>) => [...names].sort().map((name) => model.fields.get(name) as Field);
  const sets = named(input.values.keys());
  const adds = named(input.adds.keys());
  const readBack = readBackOf(returning);
  const hasVersion = ifVersion !== undefined;
  const names = (fields: readonly Field[]) => fields.map(({ name }) => name).join(",");
  const shape = `update|${model.name}|${names(sets)}|${names(adds)}|${hasVersion}|${trash}|${readBackKey(readBack, writing)}`;
  const unit = prepared(shape, writing, (target) =>
    compileUpdate(model, { sets, adds, ifVersion: hasVersion, readBack, trash }, target),
  );
  const given = [...sets.map(({ name }) => input.values.get(name)), ...adds.map(({ name }) => input.adds.get(name))];
  const binding = bindingOf([...key, ...given, ...(hasVersion ? [ifVersion] : [])], writing);
  const steps = bindUnit(unit, binding, 0);
  const back = unit.back ? steps.push(bindStep(unit.back, binding, 0)) - 1 : null;
  const part: Part = { model, base: 0, pointer: writing.pointer, action: "update", row: [], serial: null };
  const results = await runUnit(steps, [part], writing);
  const version = versionAfter(model, results[unit.before as number]);
  const json = back === null ? null : ((results[back]?.rows[0]?.[0] as string | undefined) ?? null);
  writing.changes.push({ model: model.name, kind: "update", id, version: version ?? 0 });
  return { kind: "row", json, id, version, created: false, changed: true };
}
