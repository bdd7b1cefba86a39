/** Hooks: the backend's own code around a write, inside its transaction, and listeners after the commit. */
import { assert } from "../../base/errors.ts";
import { isMisfit } from "../../schema/fields/field-type.ts";
import type { Model } from "../../schema/schema.ts";
import { system } from "../actor.ts";
import type { HookOp, Writing } from "../context.ts";
import { keyWhere, toWire } from "../key.ts";
import { read } from "../pipeline.ts";
import type { Data } from "../call.ts";
import { spread } from "./fields.ts";
import type { Input } from "./input.ts";
import { runPlaced } from "./refuse.ts";

interface Hooked {
  readonly model: Model;
  readonly op: HookOp;
  readonly input: Input;
  readonly id: string | null;
}

/** Runs a model's hooks; before-hooks may change the input. A throw undoes the transaction. */
export async function runHooks(when: "before" | "after", hooked: Hooked, writing: Writing): Promise<Input> {
  const { model, op, input } = hooked;
  const { hooks } = writing.context;
  const all = hooks.list(when, model.name, op);
  const row = all.length > 0 ? await rowFor(hooked, writing) : null;
  for (const hook of all) {
    const db = hooks.dbIn(writing.session, writing);
    const context = { op, me: writing.origin.actor, id: hooked.id, input: toWire(model, input.values), db, row };
    const returned = await runPlaced(writing.pointer, () => hook(context));
    if (when === "before" && returned !== undefined && returned !== null) take(returned as Data, input);
  }
  return input;
}

// Hooks are the backend's own code: they see the whole row, whatever the caller may read.
async function rowFor({ model, id }: Hooked, { context, session, now }: Writing): Promise<Data | null> {
  if (id === null) return null;
  const call = {
    op: "list",
    model: model.name,
    query: { where: keyWhere(model, id), trash: model.softDelete ? "with" : "without", limit: 1 },
  } as const;
  const { result } = await read(call, system, { context, session, now });
  return result.kind === "list" && result.rows[0] ? (JSON.parse(result.rows[0]) as Data) : null;
}

// What a hook sets is the backend's own: read-only and hidden fields too.
function take(data: Data, input: Input): void {
  for (const [name, given] of Object.entries(data)) {
    const field = input.model.fields.get(name);
    assert(
      field && !field.computed && field.partOf === null,
      `a hook of ${input.model.name} sets ${JSON.stringify(name)}, which is no stored field`,
    );
    const value = given === null ? null : field.type.parse(given, field.params);
    assert(!isMisfit(value), `a hook of ${input.model.name} sets ${name} to a value that does not fit`);
    for (const [held, part] of spread(field, value as Exclude<typeof value, { misfit: string }>)) input.values.set(held, part);
    input.adds.delete(name);
  }
}
