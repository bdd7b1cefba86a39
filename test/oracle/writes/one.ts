/** The oracle's writes of one row: create, update, delete with what goes along, restore. */
import { ask, getOne } from "../answers.ts";
import { allow, OracleRefusal } from "../refusals.ts";
import { isLive } from "../rules.ts";
import { fromUnits, units } from "../values.ts";
import { type FieldDef, fieldOf, type ModelDef, type Row } from "../world.ts";
import { complete, isWithin, readGiven } from "./input.ts";
import {
  byKey,
  checkReferences,
  checkUnique,
  findRow,
  idOf,
  isEqual,
  judged,
  nextNumber,
  put,
  record,
  rowsOf,
  type State,
  worldOf,
} from "./state.ts";

/** What a write of one row is answered with. */
export interface Answered {
  readonly id: string;
  readonly version: number;
  readonly created: boolean;
  /** As the viewer may read it; null where not at all. */
  readonly row: unknown;
}

export function create(state: State, model: ModelDef, data: Row): Answered {
  allow(model.rules.create, state.viewer);
  const { sets } = readGiven(model, data, { viewer: state.viewer, mode: "create" });
  const row = complete(model, sets);
  checkReferences(state, model, row);
  if (fieldOf(model, "id")?.filled === "serial") row["id"] = nextNumber(state, model);
  row["version"] = 1;
  if (model.timestamps) Object.assign(row, { createdAt: state.now, updatedAt: state.now });
  if (model.softDelete) row["deletedAt"] = null;
  const made = put(state, model, { before: null, after: row }) as Row;
  checkUnique(state, model, made);
  if (!judged(state, model.rules.create, { model, row: made })) throw refused(state);
  record(state, model, { kind: "insert", before: null, after: made });
  return answered(state, model, { row: made, created: true });
}

export interface Update {
  readonly id: string;
  readonly data: Row;
  readonly ifVersion?: number | undefined;
}

export function update(state: State, model: ModelDef, { id, data, ifVersion }: Update): Answered {
  allow(model.rules.update, state.viewer);
  const { sets, adds } = readGiven(model, data, { viewer: state.viewer, mode: "update" });
  checkReferences(state, model, sets);
  const before = admitted(state, model, { id, rule: "update", ifVersion, trash: false });
  const changed: Record<string, unknown> = { ...before, ...sets };
  for (const [name, value] of Object.entries(sets)) {
    const field = fieldOf(model, name) as FieldDef;
    if (field.write?.guard === "writeOnce" && before[name] !== null && !isEqual(field, before[name], value))
      throw new OracleRefusal("invalid_input");
  }
  for (const [name, amount] of Object.entries(adds)) {
    const field = fieldOf(model, name) as FieldDef;
    changed[name] = before[name] === null ? null : sum(field, before[name], amount);
    if (changed[name] === null || !isWithin(field, changed[name])) throw new OracleRefusal("invalid_input");
  }
  return answered(state, model, { row: written(state, model, { before, changed, rule: "update" }), created: false });
}

function sum(field: FieldDef, value: unknown, amount: unknown): unknown {
  if (field.kind === "decimal") {
    const scale = field.scale ?? 0;
    return fromUnits(units(String(value as string), scale) + units(String(amount as string), scale), scale);
  }
  if (field.kind === "bigint") return String(BigInt(value as string) + BigInt(amount as string));
  return (value as number) + (amount as number);
}

interface Change {
  readonly before: Row;
  readonly changed: Record<string, unknown>;
  /** Judged of the row as it then is; null where no rule is asked. */
  readonly rule: "update" | "delete" | null;
  /** What the record calls it. @default "update" */
  readonly kind?: "delete";
}

/** The next version of a row, in its place. */
function written(state: State, model: ModelDef, { before, changed, rule, kind }: Change): Row {
  changed["version"] = (before["version"] as number) + 1;
  if (model.timestamps) changed["updatedAt"] = state.now;
  const after = put(state, model, { before, after: changed }) as Row;
  checkUnique(state, model, after);
  if (rule && !judged(state, model.rules[rule], { model, row: after })) throw refused(state);
  record(state, model, { kind: kind ?? "update", before, after });
  return after;
}

interface Admission {
  readonly id: string;
  readonly rule: "update" | "delete";
  readonly ifVersion: number | undefined;
  /** Whether the row is one in the trash. */
  readonly trash: boolean;
}

/** The row as it is: there and readable, open to the action, at the version. */
function admitted(state: State, model: ModelDef, { id, rule, ifVersion, trash }: Admission): Row {
  const row = findRow(state, model, id);
  if (!row || isLive(row) === trash || !judged(state, model.rules.read, { model, row })) throw new OracleRefusal("not_found");
  if (!judged(state, model.rules[rule], { model, row })) throw refused(state);
  if (ifVersion !== undefined && row["version"] !== ifVersion) throw new OracleRefusal("precondition_failed");
  return row;
}

export interface Removal {
  readonly id: string;
  readonly ifVersion?: number | undefined;
  /** The row is in the trash and goes for good. */
  readonly purge?: boolean;
}

export function remove(state: State, model: ModelDef, { id, ifVersion, purge = false }: Removal): void {
  allow(model.rules.delete, state.viewer);
  const row = admitted(state, model, { id, rule: "delete", ifVersion, trash: purge });
  if (model.softDelete && !purge) {
    written(state, model, { before: row, changed: { ...row, deletedAt: state.now }, rule: null, kind: "delete" });
    return;
  }
  takeAway(state, model, { id: idOf(model, row), going: new Set() });
}

/**
 * Takes a row for good, and with it what belongs to it; what is left forgets it. Of rows that lead to each other in a circle, the
 * one that goes last forgets the one before it.
 */
function takeAway(state: State, model: ModelDef, { id, going }: { readonly id: string; readonly going: Set<string> }): void {
  going.add(`${model.name} ${id}`);
  for (const onDelete of ["cascade", "setNull"] as const) {
    for (const [other, field] of holdersOf(state, model, onDelete)) {
      const ids = rowsOf(state, other)
        .filter((row) => leadsTo(row, field, { model, id }))
        .toSorted((left, right) => byKey(other, left, right))
        .map((row) => idOf(other, row));
      for (const holder of ids) {
        const row = findRow(state, other, holder);
        if (!row || (other === model && holder === id)) continue;
        const isGoing = going.has(`${other.name} ${holder}`);
        if (onDelete === "setNull" || (isGoing && field.optional))
          written(state, other, { before: row, changed: { ...row, [field.name]: null }, rule: null });
        else if (!isGoing) takeAway(state, other, { id: holder, going });
      }
    }
  }
  const row = findRow(state, model, id) as Row;
  checkHeld(state, model, id);
  put(state, model, { before: row, after: null });
  record(state, model, { kind: "delete", before: row, after: null });
}

function leadsTo(holder: Row, field: FieldDef, { model, id }: { readonly model: ModelDef; readonly id: string }): boolean {
  const value = holder[field.name];
  return value !== null && idOf(model, { [model.key[0] as string]: value }) === id;
}

function holdersOf(state: State, model: ModelDef, onDelete: string): (readonly [ModelDef, FieldDef])[] {
  return [...state.models.values()].flatMap((other) =>
    other.fields
      .filter((field) => field.target === model.name && field.write?.onDelete === onDelete)
      .map((field) => [other, field] as const),
  );
}

// A row that leads to one which goes, at the moment that it does, forbids it.
function checkHeld(state: State, model: ModelDef, id: string): void {
  for (const other of state.models.values()) {
    for (const field of other.fields.filter(({ target }) => target === model.name)) {
      const isHeld = rowsOf(state, other).some(
        (row) => leadsTo(row, field, { model, id }) && !(other === model && idOf(other, row) === id),
      );
      if (isHeld) throw new OracleRefusal("still_referenced");
    }
  }
}

export function restore(state: State, model: ModelDef, id: string): Answered {
  if (!model.softDelete) throw new OracleRefusal("unknown_operation");
  allow(model.rules.delete, state.viewer);
  const before = admitted(state, model, { id, rule: "delete", ifVersion: undefined, trash: true });
  const row = written(state, model, { before, changed: { ...before, deletedAt: null }, rule: "delete" });
  return answered(state, model, { row, created: false });
}

export function answered(
  state: State,
  model: ModelDef,
  { row, created }: { readonly row: Row; readonly created: boolean },
): Answered {
  return { id: idOf(model, row), version: row["version"] as number, created, row: readable(state, model, row) };
}

function readable(state: State, model: ModelDef, row: Row): unknown {
  try {
    return getOne(ask(worldOf(state), state.viewer), model, { row, select: undefined });
  } catch (error) {
    if (error instanceof OracleRefusal) return null;
    throw error;
  }
}

export function refused({ viewer }: State): OracleRefusal {
  return new OracleRefusal(viewer.signedIn ? "forbidden" : "unauthenticated");
}
