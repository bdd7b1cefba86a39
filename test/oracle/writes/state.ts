/** What the oracle of writes holds: rows and change records in memory, and the few steps that every write is made of. */
import { OracleRefusal } from "../refusals.ts";
import { type Placed, type Sight, holds, isLive, wholeSight } from "../rules.ts";
import { comparable, evaluate, order } from "../values.ts";
import { type FieldDef, fieldOf, type ModelDef, modelOf, type Row, type Rule, type Viewer, type World } from "../world.ts";

/** A change record; what it says of the request is the same for all of one write. */
export interface Changed {
  readonly model: string;
  readonly kind: "insert" | "update" | "delete";
  readonly id: string;
  readonly version: number;
  readonly before: Row | null;
  readonly after: Row | null;
}

export interface State {
  readonly models: ReadonlyMap<string, ModelDef>;
  rows: Map<string, readonly Row[]>;
  /** The last number that a counter gave, by model. */
  counters: Map<string, number>;
  /** The numbers that the database gave, where its counters skip those of what was refused; empty where they do not. */
  given: ReadonlyMap<string, readonly number[]>;
  changes: Changed[];
  readonly now: string;
  readonly viewer: Viewer;
}

/** Runs work that leaves either all of its changes or none. */
export function atomic<T>(state: State, work: (inner: State) => T): T {
  const inner = { ...state, rows: new Map(state.rows), counters: new Map(state.counters), changes: [...state.changes] };
  const value = work(inner);
  state.rows = inner.rows;
  state.counters = inner.counters;
  state.given = inner.given;
  state.changes = inner.changes;
  return value;
}

export function worldOf({ models, rows, now }: State): World {
  return { models, rows, now };
}

export function rowsOf(state: State, model: ModelDef): readonly Row[] {
  return state.rows.get(model.name) ?? [];
}

/** The next number of a counter. */
export function nextNumber(state: State, model: ModelDef): number {
  const [given, ...rest] = state.given.get(model.name) ?? [];
  const next = given ?? (state.counters.get(model.name) ?? 0) + 1;
  state.given = new Map(state.given).set(model.name, rest);
  state.counters.set(model.name, next);
  return next;
}

/** A rule of a write, or of reading, for one row as the world is now. */
export function judged(state: State, rule: Rule, at: Placed): boolean {
  const whole: Sight = wholeSight(worldOf(state));
  return holds(rule, [at], { whole, viewer: state.viewer });
}

export function idOf(model: ModelDef, row: Row): string {
  const parts = model.key.map((name) => String(row[name] as string | number));
  return parts.length === 1
    ? (parts[0] as string)
    : parts.map((part) => part.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

export function findRow(state: State, model: ModelDef, id: string): Row | undefined {
  return rowsOf(state, model).find((row) => idOf(model, row) === id);
}

/** In the order of the key. */
export function byKey(model: ModelDef, left: Row, right: Row): number {
  for (const name of model.key) {
    const field = fieldOf(model, name) as FieldDef;
    const ordered = order(comparable(field, left[name]), comparable(field, right[name]));
    if (ordered !== 0) return ordered;
  }
  return 0;
}

/** Two values of a field are the same. */
export function isEqual(field: FieldDef, left: unknown, right: unknown): boolean {
  return comparable(field, left) === comparable(field, right);
}

/** Puts a row in the place of another, or beside all (`null`), or takes one away, and records it. */
export function put(
  state: State,
  model: ModelDef,
  change: { readonly before: Row | null; readonly after: Row | null },
): Row | null {
  const { before } = change;
  const after = change.after && withComputed(model, change.after);
  const rest = rowsOf(state, model);
  const rows = before === null ? [...rest] : rest.flatMap((row) => (row === before ? (after ? [after] : []) : [row]));
  if (before === null && after) rows.push(after);
  state.rows.set(model.name, rows);
  return after;
}

export function record(state: State, model: ModelDef, changed: Pick<Changed, "kind" | "before" | "after">): void {
  const row = (changed.after ?? changed.before) as Row;
  const version = (row["version"] as number) + (changed.after ? 0 : 1);
  const image = (of: Row | null) =>
    of && Object.fromEntries(model.fields.filter(({ computed }) => !computed).map(({ name }) => [name, of[name]]));
  state.changes.push({
    model: model.name,
    kind: changed.kind,
    id: idOf(model, row),
    version,
    before: image(changed.before),
    after: image(changed.after),
  });
}

function withComputed(model: ModelDef, row: Row): Row {
  const made: Record<string, unknown> = { ...row };
  for (const field of model.fields) if (field.computed) made[field.name] = evaluate(field, made, model.fields);
  return made;
}

/** No other row has the key, nor, of rows that are not in the trash, the value of a unique field. */
export function checkUnique(state: State, model: ModelDef, row: Row): void {
  for (const other of rowsOf(state, model)) {
    if (other === row) continue;
    const sameKey = idOf(model, other) === idOf(model, row);
    const sameValue = model.fields.some(
      (field) =>
        field.unique &&
        isLive(other) &&
        isLive(row) &&
        row[field.name] !== null &&
        isEqual(field, row[field.name], other[field.name]),
    );
    if (sameKey || sameValue) throw new OracleRefusal("conflict");
  }
}

/** Keys that are given lead to rows that the viewer may read: what cannot be seen cannot be linked to. */
export function checkReferences(state: State, model: ModelDef, given: Row): void {
  for (const [name, value] of Object.entries(given)) {
    const target = fieldOf(model, name)?.target;
    if (!target || value === null) continue;
    const of = modelOf({ models: state.models }, target);
    const key = fieldOf(of, of.key[0] as string) as FieldDef;
    const found = rowsOf(state, of).find((row) => isEqual(key, row[key.name], value));
    if (!found || !isLive(found) || !judged(state, of.rules.read, { model: of, row: found }))
      throw new OracleRefusal("invalid_input");
  }
}
