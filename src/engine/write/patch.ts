/** Updates a row and, where the call says so, the rows that it owns: each under its own rule, all or none. */
import { AppError } from "../../base/errors.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Data, Returning } from "../call.ts";
import type { Writing } from "../context.ts";
import { badInput, pointingAt } from "../errors.ts";
import { admit } from "../guard.ts";
import { parseKey } from "../key.ts";
import { bindTo } from "../compile/form.ts";
import { createAll, createTogether, withParent } from "./create.ts";
import { deleteRow } from "./delete.ts";
import { runHooks } from "./hooks.ts";
import { type Input, readInput } from "./input.ts";
import type { OwnedChanges } from "./owned-input.ts";
import { readBack } from "./read-back.ts";
import { admitUpdate, type UpdateWrite, writeUpdate } from "./update.ts";
import {
  inputContext,
  modelOf,
  readBackKey,
  readBackOf,
  requireVersion,
  type RowResult,
  transact,
  withHooks,
} from "./writing.ts";

export interface UpdateCall {
  readonly model: string;
  readonly id: string;
  readonly data: Data;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
}

/** `nests`: the data may say what becomes of owned rows. */
export async function updateRow(call: UpdateCall, writing: Writing, nests = false): Promise<RowResult> {
  return patchRow(toUpdate(call, writing, nests), writing);
}

/** @throws what can be said of the call alone: forbidden, precondition_required, invalid_input */
export function toUpdate(call: UpdateCall, writing: Writing, nests: boolean): UpdateWrite {
  const model = modelOf(call.model, writing);
  const { id, ifVersion, returning } = call;
  admit(model, "update", writing);
  requireVersion(model, ifVersion, writing);
  const input = readInput(model, call.data, { ...inputContext("update", writing), nests });
  return { input, id, ifVersion, returning, trash: "without" };
}

interface Patch {
  readonly input: Input;
  readonly id: string;
  readonly ifVersion?: number | undefined;
  readonly returning?: Returning | undefined;
}

async function patchRow({ input, id, ifVersion, returning }: Patch, writing: Writing): Promise<RowResult> {
  const { model, owned } = input;
  if (owned.length === 0) {
    const write: UpdateWrite = { input, id, ifVersion, returning, trash: "without" };
    const isHooked = writing.context.hooks.list("before", model.name, "update").length > 0;
    const work = async (inner: Writing) => {
      // Who may not change it sets nothing in motion.
      if (isHooked) await admitUpdate(write, inner);
      await runHooks("before", { model, op: "update", input, id }, inner);
      const row = await writeUpdate(write, inner);
      await runHooks("after", { model, op: "update", input, id }, inner);
      return row;
    };
    return withHooks({ models: [model], op: "update" }, work, writing);
  }
  // What the answer shows is known before anything is written.
  readBackKey(readBackOf(returning), writing);
  return transact(writing, async (inner) => {
    const alone: Patch = { input: { ...input, owned: [] }, id, ifVersion, returning: { minimal: true } };
    const row = await patchRow(alone, inner);
    for (const changes of owned) await writeOwned({ model, id, changes, writing: inner });
    const back = returning?.minimal ? null : await readBack({ model, id, returning }, inner);
    return { ...row, json: back?.json ?? null, version: back?.version ?? row.version };
  });
}

interface Owner {
  readonly model: Model;
  readonly id: string;
  readonly changes: OwnedChanges;
  readonly writing: Writing;
}

/** Deletes first, then updates, then creates: what is unique among them may move from one to another. */
async function writeOwned(owner: Owner): Promise<void> {
  const { model, id, changes, writing } = owner;
  const { relation } = changes;
  const target = writing.view.target(relation);
  const minimal = { minimal: true } as const;
  for (const gone of changes.delete) {
    const inner = { ...writing, pointer: gone.pointer };
    await onOwned(owner, gone, () => deleteRow({ op: "delete", model: target.name, id: gone.id }, inner));
  }
  for (const { id: at, input } of changes.update) {
    const inner = { ...writing, pointer: input.pointer };
    const change = async () => {
      admit(target, "update", inner);
      requireVersion(target, undefined, inner);
      await patchRow({ input, id: at, returning: minimal }, inner);
    };
    await onOwned(owner, { id: at, pointer: `${input.pointer}/id` }, change);
  }
  const key = parseKey(model, id) ?? [];
  const link = (input: Input) => withParent(input, { model, relation: relation.name, key });
  if (changes.create.length > 1 && (await createTogether(() => changes.create.map(link), minimal, writing))) return;
  for (const input of changes.create)
    await placed(input.pointer, () => createAll([link(input)], minimal, { ...writing, pointer: input.pointer }));
}

interface Named {
  readonly id: string;
  readonly pointer: string;
}

// Whether there is no such row, or it is another's, or the caller may not see it, is not told apart.
async function onOwned(owner: Owner, { id, pointer }: Named, work: () => Promise<unknown>): Promise<void> {
  const unknown = () => badInput([{ pointer, code: "unknown_reference", message: "There is no such row." }]);
  if (!(await isOwned(owner, id))) throw unknown();
  await placed(pointer, work).catch((error: unknown) => {
    throw error instanceof AppError && error.code === "not_found" ? unknown() : error;
  });
}

async function placed(pointer: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw pointingAt(error, pointer);
  }
}

async function isOwned({ model, id, changes, writing }: Owner, of: string): Promise<boolean> {
  const { context, session, view } = writing;
  const { dialect } = context;
  const target = view.target(changes.relation);
  const [key, parent] = [parseKey(target, of), parseKey(model, id)];
  if (!key || !parent) return false;
  const held = changes.relation.on.map(({ local, foreign }): readonly [Field, Value] => {
    const field = [...target.fields.values()].find(({ column }) => column === foreign) as Field;
    return [field, parent[placeOf(model, local)] as Value];
  });
  const wanted = [...target.key.map((field, index): readonly [Field, Value] => [field, key[index] as Value]), ...held];
  const conditions = wanted.map(([field]) => `${dialect.quote(field.column)} = ${bindTo(field, "?", dialect)}`).join(" and ");
  const text = `select 1 from ${dialect.quote(target.table)} where ${conditions} limit 1`;
  return (await session.read({ text, params: wanted.map(([, value]) => value) })).length > 0;
}

function placeOf({ key }: Model, column: string): number {
  return key.findIndex((field: Field) => field.column === column);
}
