/** The oracle's rules: who may read what, by walking over every row. Naive on purpose. */
import { claimOf, comparable, compares, type Comparable } from "./values.ts";
import {
  type FieldDef,
  fieldOf,
  modelOf,
  type ModelDef,
  type Operand,
  type RelationDef,
  relationOf,
  type Row,
  type Rule,
  type Viewer,
  type World,
} from "./world.ts";

/** How rows look to somebody: which are there, and what their fields hold. */
export interface Sight {
  readonly world: World;
  sees(model: ModelDef, row: Row): boolean;
  value(model: ModelDef, row: Row, field: string): unknown;
}

/** A row and whose it is. */
export interface Placed {
  readonly model: ModelDef;
  readonly row: Row;
}

/** As rules see: every row that is not in the trash, and every field. */
export function wholeSight(world: World): Sight {
  return { world, sees: (_, row) => isLive(row), value: (_, row, field) => row[field] ?? null };
}

export function isLive(row: Row): boolean {
  return (row["deletedAt"] ?? null) === null;
}

/** What a rule comes to for a viewer before any row is looked at; null where that depends on the row. */
export function settle(rule: Rule, viewer: Viewer): boolean | null {
  switch (rule.is) {
    case "everyone":
      return true;
    case "nobody":
      return false;
    case "signedIn":
      return viewer.signedIn;
    case "role":
      return viewer.roles.includes(rule.role);
    case "not": {
      const settled = settle(rule.of, viewer);
      return settled === null ? null : !settled;
    }
    case "and":
    case "or": {
      const parts = rule.of.map((part) => settle(part, viewer));
      const decisive = rule.is === "or";
      return parts.includes(decisive) ? decisive : parts.includes(null) ? null : !decisive;
    }
    case "some":
      return settle(rule.of, viewer) === false ? false : null;
    case "compare": {
      // Nobody has no id and no claims, and a comparison with null does not hold.
      if (viewer.signedIn || !rule.right.some((operand) => "me" in operand)) return null;
      const isComplement = rule.operator === "ne" || rule.operator === "nin";
      // Others in the list may still be equal.
      const isList = rule.operator === "in" || rule.operator === "nin";
      if (isList && !rule.right.every((operand) => "me" in operand)) return null;
      return isComplement ? (rule.path.length === 1 ? true : null) : false;
    }
    default:
      return null;
  }
}

/** Whether a rule holds for a row; `rows` ends with the row at hand, before it the rows that enclose it. */
export function holds(rule: Rule, rows: readonly Placed[], seen: { readonly whole: Sight; readonly viewer: Viewer }): boolean {
  const { whole, viewer } = seen;
  const here = rows.at(-1) as Placed;
  switch (rule.is) {
    case "and":
      return rule.of.every((part) => holds(part, rows, seen));
    case "or":
      return rule.of.some((part) => holds(part, rows, seen));
    case "not":
      return !holds(rule.of, rows, seen);
    case "some":
    case "every":
    case "none": {
      const many = rule.path.at(-1) as string;
      return steps(whole, here, rule.path.slice(0, -1)).some((at) => {
        const found = related(whole, at, many).map((next) => holds(rule.of, [...rows, next], seen));
        return rule.is === "some" ? found.includes(true) : rule.is === "every" ? !found.includes(false) : !found.includes(true);
      });
    }
    case "compare": {
      const { relations, field, inside } = splitPath(here.model, rule.path, whole.world);
      return steps(whole, here, relations).some((at) => {
        const def = innerField(fieldOf(at.model, field) as FieldDef, inside);
        const left = comparable(def, inner(at.row[field], inside));
        const right = rule.right.flatMap((operand) =>
          operandValues(operand, def, { rows, world: whole.world, viewer, operator: rule.operator }),
        );
        return compares(rule.operator, left, right);
      });
    }
    default:
      return settle(rule, viewer) === true;
  }
}

function operandValues(
  operand: Operand,
  left: FieldDef,
  at: { readonly rows: readonly Placed[]; readonly world: World; readonly viewer: Viewer; readonly operator: string },
): (Comparable | null)[] {
  if ("value" in operand) return [comparable(left, operand.value)];
  if ("now" in operand) return [comparable(left, at.world.now)];
  if ("me" in operand) {
    const claim = operand.me === "id" ? at.viewer.id : (at.viewer.claims[operand.me] ?? null);
    return [claimOf(left, at.operator, claim)];
  }
  if ("elements" in operand) {
    const list = (at.rows.at(-1) as Placed).row[operand.elements] ?? [];
    return (list as readonly unknown[]).map((element) => comparable(left, element));
  }
  const { model, row } = at.rows.at(operand.outer ? -2 : -1) as Placed;
  return [comparable(fieldOf(model, operand.field) as FieldDef, row[operand.field])];
}

/** Splits a dotted path into to-one relations, a field, and names inside a document. */
export function splitPath(
  model: ModelDef,
  path: readonly string[],
  world: World,
): { relations: string[]; field: string; inside: string[] } {
  const relations: string[] = [];
  let at = model;
  for (const [index, name] of path.entries()) {
    const relation = relationOf(at, name);
    const last = index === path.length - 1;
    if (last || !relation) return { relations, field: name, inside: path.slice(index + 1) };
    relations.push(name);
    at = modelOf(world, relation.to);
  }
  throw new Error(`no field at the end of ${path.join(".")}`);
}

/** The value at a path inside a document; null where there is none. */
export function inner(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return null;
    at = (at as Record<string, unknown>)[name];
  }
  return at ?? null;
}

/** The declared field at a path inside a document. */
export function innerField(field: FieldDef, path: readonly string[]): FieldDef {
  let at = field;
  for (const name of path) at = at.shape?.find((one) => one.name === name) ?? { ...field, kind: "text" };
  return at;
}

/** The rows that a chain of relations leads to. */
export function steps(sight: Sight, from: Placed, path: readonly string[]): Placed[] {
  return path.reduce((rows, name) => rows.flatMap((at) => related(sight, at, name)), [from]);
}

/** The rows that one relation leads to, each once. */
export function related(sight: Sight, from: Placed, name: string): Placed[] {
  const relation = relationOf(from.model, name) as RelationDef;
  const target = modelOf(sight.world, relation.to);
  const there = (sight.world.rows.get(relation.to) ?? []).filter((row) => sight.sees(target, row));
  const place = (rows: readonly Row[]) => rows.map((row) => ({ model: target, row }));
  const ownKey = from.row[from.model.key[0] as string];
  const targetKey = target.key[0] as string;
  const via = relation.via;
  if (via.is === "own") {
    const key = sight.value(from.model, from.row, via.field);
    return key === null ? [] : place(there.filter((row) => row[targetKey] === key));
  }
  if (via.is === "theirs") return place(there.filter((row) => sight.value(target, row, via.field) === ownKey));
  const join = modelOf(sight.world, via.model);
  const links = (sight.world.rows.get(via.model) ?? []).filter(
    (row) => sight.sees(join, row) && sight.value(join, row, via.from) === ownKey,
  );
  const keys = new Set(links.map((row) => sight.value(join, row, via.to)));
  return place(there.filter((row) => keys.has(row[targetKey])));
}

/** As a viewer sees: rows that the read rule allows, and null where a field's rule does not hold for the row. */
export function viewerSight(world: World, viewer: Viewer): Sight {
  const seen = { whole: wholeSight(world), viewer };
  const rows = new Map<Row, boolean>();
  const fields = new Map<Row, Map<string, boolean>>();
  return {
    world,
    sees(model, row) {
      const known = rows.get(row) ?? (isLive(row) && holds(model.rules.read, [{ model, row }], seen));
      rows.set(row, known);
      return known;
    },
    value(model, row, field) {
      const rule = model.rules.fields[field];
      if (!rule) return row[field] ?? null;
      const ofRow = fields.get(row) ?? new Map<string, boolean>();
      fields.set(row, ofRow);
      const known = ofRow.get(field) ?? holds(rule, [{ model, row }], seen);
      ofRow.set(field, known);
      return known ? (row[field] ?? null) : null;
    },
  };
}

/** Whether a field is there at all for a viewer. */
export function hasField(model: ModelDef, name: string, viewer: Viewer): boolean {
  const field = fieldOf(model, name);
  if (!field || field.hidden) return false;
  const rule = model.rules.fields[name];
  return !rule || settle(rule, viewer) !== false;
}

/** Whether a relation is there at all for a viewer: its rows, the keys that link them, and the join model between. */
export function hasRelation(
  { world, viewer }: { readonly world: Pick<World, "models">; readonly viewer: Viewer },
  model: ModelDef,
  relation: RelationDef,
): boolean {
  const isOpen = (name: string) => settle(modelOf(world, name).rules.read, viewer) !== false;
  const { via } = relation;
  if (!isOpen(relation.to)) return false;
  if (via.is === "own") return hasField(model, via.field, viewer);
  if (via.is === "theirs") return hasField(modelOf(world, relation.to), via.field, viewer);
  const join = modelOf(world, via.model);
  return isOpen(via.model) && hasField(join, via.from, viewer) && hasField(join, via.to, viewer);
}
