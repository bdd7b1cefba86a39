/** Random access rules: roles, comparisons with the actor, other fields and constants, through relations and quantifiers. */
import { makeValue } from "./make-values.ts";
import type { Random } from "./random.ts";
import {
  type Expression,
  type FieldDef,
  fieldOf,
  modelOf,
  type ModelDef,
  type Operand,
  relationOf,
  type RelationDef,
  type Rule,
} from "./world.ts";

export const roles = ["staff", "editor", "guest"] as const;
export const claims = ["team", "region"] as const;

interface Of {
  readonly model: ModelDef;
  readonly models: ReadonlyMap<string, ModelDef>;
  /** The row that encloses a quantifier. */
  readonly outer?: ModelDef;
}

export function makeRule(random: Random, of: Of, depth: number): Rule {
  const chance = random.next();
  if (depth > 0 && chance < 0.45) {
    if (random.chance(0.25)) return { is: "not", of: makeRule(random, of, depth - 1) };
    return {
      is: random.pick(["and", "or", "or"] as const),
      of: Array.from({ length: 2 + random.int(2) }, () => makeRule(random, of, depth - 1)),
    };
  }
  if (chance < 0.6) {
    const fact = random.next();
    return fact < 0.25
      ? { is: "everyone" }
      : fact < 0.5
        ? { is: "signedIn" }
        : fact < 0.95
          ? { is: "role", role: random.pick(roles) }
          : { is: "nobody" };
  }
  if (depth > 0 && chance < 0.75) return makeQuantified(random, of, depth) ?? makeCompare(random, of);
  return makeCompare(random, of);
}

function makeQuantified(random: Random, { model, models }: Of, depth: number): Rule | null {
  const many = model.relations.filter((relation) => relation.many);
  if (many.length === 0) return null;
  const relation = random.pick(many);
  const target = modelOf({ models }, relation.to);
  return {
    is: random.pick(["some", "every", "none"] as const),
    path: [relation.name],
    of: makeRule(random, { model: target, models, outer: model }, depth - 1),
  };
}

function makeCompare(random: Random, of: Of): Rule {
  const listed = random.chance(0.2) ? makeListed(random, of) : null;
  if (listed) return listed;
  const toOne = of.model.relations.filter((relation) => !relation.many);
  if (toOne.length > 0 && random.chance(0.3)) {
    const relation = random.pick(toOne) as RelationDef;
    const inner = makeCompare(random, { model: modelOf(of, relation.to), models: of.models });
    if (inner.is === "compare" && inner.path.length < 4) {
      const path = [relation.name, ...inner.path];
      const near = /^(?:eq|ne|[gl]te?)$/.test(inner.operator) && random.chance(0.4) ? makeNear(random, of, path) : null;
      if (near) return { ...inner, path, right: [near] };
      // The right side may speak of the near rows only, so else it stays a constant.
      if (inner.right.every((operand) => !("field" in operand || "elements" in operand))) return { ...inner, path };
    }
  }
  const fields = of.model.fields.filter(({ kind }) => kind !== "json" && kind !== "list");
  const field = random.pick(fields);
  if (field.optional && random.chance(0.15)) return { is: "compare", path: [field.name], operator: "isNull", right: [] };
  const operator = operatorFor(random, field);
  const isList = operator === "in" || operator === "nin";
  const count = operator === "between" ? 2 : isList ? 1 + random.int(3) : 1;
  const isOfText = operator === "contains" || operator === "startsWith" || operator === "endsWith";
  const right = Array.from({ length: count }, () =>
    isOfText || (count > 1 && random.chance(0.5)) ? { value: makeValue(random, field) } : makeOperand(random, of, field),
  );
  return { is: "compare", path: [field.name], operator, right };
}

// A field of the row that a path starts from, or of the one around it, to be compared with what the path leads to.
function makeNear(random: Random, of: Of, path: readonly string[]): Operand | null {
  const last = path.slice(0, -1).reduce((at, name) => modelOf(of, (relationOf(at, name) as RelationDef).to), of.model);
  const end = fieldOf(last, path.at(-1) as string) as FieldDef;
  const alike = (model: ModelDef | undefined, outer: boolean) =>
    (model?.fields ?? [])
      .filter(({ kind, scale }) => kind === end.kind && scale === end.scale)
      .map(({ name }) => ({ field: name, outer }));
  const near = [...alike(of.model, false), ...alike(of.outer, true)];
  return near.length === 0 ? null : random.pick(near);
}

// A field among the elements of a list of the same row.
function makeListed(random: Random, { model }: Of): Rule | null {
  const pairs = model.fields.flatMap((list) =>
    model.fields
      .filter(({ kind, scale }) => kind === list.item?.kind && scale === list.item.scale)
      .map((field) => [field.name, list.name] as const),
  );
  if (pairs.length === 0) return null;
  const [field, list] = random.pick(pairs);
  return { is: "compare", path: [field], operator: random.pick(["in", "nin"] as const), right: [{ elements: list }] };
}

function operatorFor(random: Random, { kind }: FieldDef): string {
  const equal = ["eq", "eq", "ne", "in", "nin"];
  if (kind === "boolean" || kind === "bytes") return random.pick(equal);
  const ordered = [...equal, "gt", "gte", "lt", "lte", "between"];
  return random.pick(kind === "text" ? [...ordered, "contains", "startsWith", "endsWith"] : ordered);
}

function makeOperand(random: Random, { model, outer }: Of, field: FieldDef): Operand {
  const alike = (other: FieldDef) => other.kind === field.kind && other.scale === field.scale && other.name !== field.name;
  const chance = random.next();
  if (field.kind === "uuid" && chance < 0.2) return { me: "id" };
  if (field.kind === "datetime" && chance < 0.2) return { now: true };
  if (chance < 0.3) return { me: random.chance(0.3) ? "id" : random.pick(claims) };
  if (chance < 0.5) {
    const own = model.fields.filter(alike);
    if (own.length > 0) return { field: random.pick(own).name, outer: false };
  }
  if (outer && chance < 0.8) {
    const enclosing = outer.fields.filter(alike);
    if (enclosing.length > 0) return { field: random.pick(enclosing).name, outer: true };
  }
  return { value: makeValue(random, field) };
}

/** Read rules of some fields; a computed field is as closed as its parts. */
export function makeFieldRules(random: Random, of: Of): Record<string, Rule> {
  const made: Record<string, Rule> = {};
  const { model } = of;
  for (const field of model.fields) {
    if (model.key.includes(field.name) || field.computed || field.filled === "engine" || field.hidden || !random.chance(0.2))
      continue;
    made[field.name] = makeRule(random, of, random.chance(0.3) ? 2 : 1);
  }
  for (const field of model.fields.filter(({ computed }) => computed)) {
    const parts = partsOf(field.computed as Expression).map((name) => fieldOf(model, name) as FieldDef);
    const closed = parts.filter((part) => part.hidden || made[part.name]);
    if (closed.length > 0 || random.chance(0.1)) made[field.name] = makeRule(random, of, 1);
  }
  return made;
}

function partsOf(expression: Expression): string[] {
  if ("field" in expression) return [expression.field];
  return "call" in expression ? expression.args.flatMap(partsOf) : [];
}
