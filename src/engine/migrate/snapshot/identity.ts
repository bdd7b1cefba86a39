/** Tells which model and field of a schema is which of the snapshot before it, renamed ones included, and numbers the new ones. */
import { type Field, isMigrated, type Model, type Schema } from "../../../schema/schema.ts";
import type { Snapshot } from "./snapshot-types.ts";

export interface ModelIdentity {
  readonly id: string;
  /** Ids by the field's name. */
  readonly fields: ReadonlyMap<string, string>;
}

interface Named {
  readonly name: string;
  readonly was: readonly string[];
  /** The name in the database. */
  readonly place: string;
}

/** By the model's name. A name that is still in use is never taken for an earlier one, so a `was` that stays does no harm. */
export function identify(
  schema: Schema,
  before: Snapshot,
): { readonly ids: ReadonlyMap<string, ModelIdentity>; readonly lastId: number } {
  let { lastId } = before;
  const models = [...schema.models.values()].filter(isMigrated);
  const known = matchNames(
    models.map(({ name, was, table }) => ({ name, was, place: table })),
    before.models.map((model) => ({ ...model, place: model.table })),
  );
  const ids = new Map<string, ModelIdentity>();
  for (const model of models) {
    const earlier = known.get(model.name);
    const fields = storedOf(model);
    const knownFields = matchNames(
      fields.map(({ name, was, column }) => ({ name, was, place: column })),
      (earlier?.fields ?? []).map((field) => ({ ...field, place: field.column })),
    );
    const id = earlier?.id ?? `m${++lastId}`;
    ids.set(model.name, { id, fields: new Map(fields.map(({ name }) => [name, knownFields.get(name)?.id ?? `f${++lastId}`])) });
  }
  return { ids, lastId };
}

function storedOf(model: Model): readonly Field[] {
  return [...model.fields.values()].filter(({ column }) => column !== "");
}

interface Known {
  readonly name: string;
  readonly place: string;
}

/**
 * Equal names first; then each earlier name that nothing else bears or has claimed; then the same table or column: who gives
 * a new name the old place with table() or column() means the same thing.
 */
function matchNames<E extends Known>(now: readonly Named[], before: readonly E[]): ReadonlyMap<string, E> {
  const matched = new Map<string, E>();
  const claimed = new Set<E>();
  const claim = (find: (one: Named) => E | undefined) => {
    for (const one of now) {
      const found = matched.has(one.name) ? undefined : find(one);
      if (found === undefined || claimed.has(found)) continue;
      claimed.add(found);
      matched.set(one.name, found);
    }
  };
  const byName = new Map(before.map((one) => [one.name, one]));
  const free = (one: E | undefined): one is E => one !== undefined && !claimed.has(one);
  claim(({ name }) => byName.get(name));
  claim(({ was }) =>
    was
      .toReversed()
      .map((name) => byName.get(name))
      .find(free),
  );
  claim(({ place }) => before.find((one) => one.place.toLowerCase() === place.toLowerCase()));
  return matched;
}
