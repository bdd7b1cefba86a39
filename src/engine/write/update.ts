/** The write of one row's update: conditional, judged before and after, recorded with the row as it was and as it is. */
import type { Step } from "../../drivers/database.ts";
import type { Field } from "../../schema/schema.ts";
import type { Returning } from "../call.ts";
import { bindStep, bindUnit } from "../compile/unit.ts";
import { compileJudge, compileUpdate } from "../compile/write.ts";
import { fail } from "../errors.ts";
import { parseKey } from "../key.ts";
import type { Trash } from "../plan/plan.ts";
import type { Input } from "./input.ts";
import type { Part } from "./refusal.ts";
import { changeOptions } from "./repeats.ts";
import type { Writing } from "../context.ts";
import { bindingOf, prepared, readBackKey, readBackOf, type RowResult, runUnit, versionAfter } from "./writing.ts";

export interface UpdateWrite {
  readonly input: Input;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
  readonly trash: Trash;
  /** Where its data stands in the call. @default that of the writing */
  readonly pointer?: string;
}

/** The write itself, without hooks. */
export async function writeUpdate(write: UpdateWrite, writing: Writing): Promise<RowResult> {
  const [row] = await writeUpdates([write], writing);
  return row as RowResult;
}

/** Writes of different rows in one unit, without hooks: all or none. */
export async function writeUpdates(writes: readonly UpdateWrite[], writing: Writing): Promise<readonly RowResult[]> {
  const [first] = writes;
  if (first === undefined) return [];
  const steps: Step[] = [];
  const all = writes.map((write) => {
    const assembled = assembleUpdate(write, writing, steps.length);
    steps.push(...assembled.steps);
    return { ...assembled, write };
  });
  const shares = all.map(({ unit, part, steps: own }) => ({ unit, base: part.base, steps: own.length }));
  const results = await runUnit(
    steps,
    all.map(({ part }) => part),
    { ...writing, options: changeOptions(shares, { model: first.input.model, id: first.id }) },
  );
  return all.map(({ unit, part, back, write: { id } }) => {
    const version = versionAfter(part.model, results[part.base + (unit.before as number)]);
    const json = back === null ? null : ((results[back]?.rows[0]?.[0] as string | undefined) ?? null);
    writing.changes.push({ model: part.model.name, kind: "update", id, version: version ?? 0 });
    return { kind: "row", json, id, version, created: false, changed: true };
  });
}

/**
 * Judges what can be judged before the hooks run, so that who may not change the row sets nothing in motion.
 * @throws not_found, forbidden, precondition_failed; or what the write itself would be refused with before them
 */
export async function admitUpdate(write: UpdateWrite, writing: Writing): Promise<void> {
  const { input, id, ifVersion, trash } = write;
  const { model } = input;
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const hasVersion = ifVersion !== undefined;
  const { sets, adds, names } = fieldsOf(input);
  const unit = prepared(`judge|${model.name}|${names}|${hasVersion}|${trash}`, writing, (target) =>
    compileJudge(model, { sets, adds, ifVersion: hasVersion, trash }, target),
  );
  const part: Part = { model, base: 0, pointer: writing.pointer, action: "update", row: [], serial: null };
  const steps = bindUnit(unit, bindingOf([...key, ...(hasVersion ? [ifVersion] : [])], writing), 0);
  try {
    await runUnit(steps, [part], writing);
  } catch (error) {
    // Of two reasons to refuse, the one is told that the write itself would tell: its references are checked first.
    const whole = assembleUpdate(write, writing);
    const first = whole.steps.findIndex(({ kind }) => kind !== "check");
    await runUnit(whole.steps.slice(0, first), [whole.part], writing);
    throw error;
  }
}

function fieldsOf({ model, values, adds }: Input) {
  const named = (names: Iterable<string>) => [...names].sort().map((name) => model.fields.get(name) as Field);
  const [sets, added] = [named(values.keys()), named(adds.keys())];
  const list = (fields: readonly Field[]) => fields.map(({ name }) => name).join(",");
  return { sets, adds: added, names: `${list(sets)}|${list(added)}` };
}

function assembleUpdate({ input, id, ifVersion, returning, trash, pointer }: UpdateWrite, writing: Writing, base = 0) {
  const { model } = input;
  const key = parseKey(model, id);
  if (!key) throw fail("not_found");
  const { sets, adds, names } = fieldsOf(input);
  const readBack = readBackOf(returning);
  const hasVersion = ifVersion !== undefined;
  const shape = `update|${model.name}|${names}|${hasVersion}|${trash}|${readBackKey(readBack, writing)}`;
  const unit = prepared(shape, writing, (target) =>
    compileUpdate(model, { sets, adds, ifVersion: hasVersion, readBack, trash }, target),
  );
  const given = [...sets.map(({ name }) => input.values.get(name)), ...adds.map(({ name }) => input.adds.get(name))];
  const binding = bindingOf([...key, ...given, ...(hasVersion ? [ifVersion] : [])], writing);
  const steps = bindUnit(unit, binding, base);
  const back = unit.back ? base + steps.push(bindStep(unit.back, binding, base)) - 1 : null;
  const part: Part = { model, base, pointer: pointer ?? writing.pointer, action: "update", row: [], serial: null };
  return { unit, steps, back, part };
}
