/** Tells which model and field of a schema is which of the snapshot before it, renamed ones included, and numbers the new ones. */
import type { Field, Model, Schema } from "../../schema/schema.ts";
import type { Snapshot } from "./snapshot.ts";

export interface ModelIdentity {
  readonly id: string;
  /** Ids by the field's name. */
  readonly fields: ReadonlyMap<string, string>;
}

interface Named {
  readonly name: string;
  readonly was: readonly string[];
}

/** By the model's name. A name that is still in use is never taken for an earlier one, so a `was` that stays does no harm. */
export function identify(
  schema: Schema,
  before: Snapshot,
): { readonly ids: ReadonlyMap<string, ModelIdentity>; readonly lastId: number } {
  let { lastId } = before;
  const models = [...schema.models.values()];
  const known = matchNames(models, before.models);
  const ids = new Map<string, ModelIdentity>();
  for (const model of models) {
    const earlier = known.get(model.name);
    const fields = storedOf(model);
    const knownFields = matchNames(fields, earlier?.fields ?? []);
    const id = earlier?.id ?? `m${++lastId}`;
    ids.set(model.name, { id, fields: new Map(fields.map(({ name }) => [name, knownFields.get(name)?.id ?? `f${++lastId}`])) });
  }
  return { ids, lastId };
}

function storedOf(model: Model): readonly Field[] {
  return [...model.fields.values()].filter(({ column }) => column !== "");
}

/** Equal names first; then each earlier name that nothing else bears or has claimed. */
function matchNames<E extends { readonly name: string }>(now: readonly Named[], before: readonly E[]): ReadonlyMap<string, E> {
  const byName = new Map(before.map((one) => [one.name, one]));
  const matched = new Map<string, E>();
  for (const { name } of now) {
    const same = byName.get(name);
    if (same) matched.set(name, same);
  }
  const claimed = new Set(matched.keys());
  for (const { name, was } of now) {
    if (matched.has(name)) continue;
    const earlier = was.toReversed().find((one) => byName.has(one) && !claimed.has(one));
    if (earlier === undefined) continue;
    claimed.add(earlier);
    matched.set(name, byName.get(earlier) as E);
  }
  return matched;
}
