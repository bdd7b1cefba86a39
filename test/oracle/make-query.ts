/** Random queries that fit a model and a viewer: filters, sorts, selections and aggregates over what the viewer may name. */
import { makeValue } from "./make-values.ts";
import type { Random } from "./random.ts";
import { hasField, hasRelation } from "./rules.ts";
import { operatorsOf } from "./values.ts";
import { type FieldDef, modelOf, type ModelDef, type RelationDef, type Row, type Viewer, type World } from "./world.ts";

export interface Making {
  readonly random: Random;
  readonly world: World;
  readonly viewer: Viewer;
}

type Json = Record<string, unknown>;

export function visibleFields({ viewer }: Making, model: ModelDef): FieldDef[] {
  return model.fields.filter((field) => hasField(model, field.name, viewer));
}

export function visibleRelations({ world, viewer }: Making, model: ModelDef): RelationDef[] {
  return model.relations.filter((relation) => hasRelation({ world, viewer }, model, relation));
}

/** A filter, nested to a depth. */
export function makeWhere(making: Making, model: ModelDef, depth: number): Json {
  const { random } = making;
  const made: Json = {};
  for (let left = random.chance(0.75) ? 1 : 2; left > 0; left--) Object.assign(made, makeTerm(making, model, depth));
  return made;
}

function makeTerm(making: Making, model: ModelDef, depth: number): Json {
  const { random } = making;
  const chance = random.next();
  if (depth > 0 && chance < 0.3) {
    const several = () => Array.from({ length: 1 + random.int(3) }, () => makeWhere(making, model, depth - 1));
    return random.pick([
      () => ({ and: several() }),
      () => ({ or: several() }),
      () => ({ not: makeWhere(making, model, depth - 1) }),
    ])();
  }
  if (depth > 0 && chance < 0.6) {
    const relations = visibleRelations(making, model);
    if (relations.length > 0) return makeRelated(making, random.pick(relations), depth);
  }
  if (chance < 0.65 && model.search.some((name) => hasField(model, name, making.viewer)))
    return { search: makeNeedle(making, model) };
  return makeComparison(making, model);
}

function makeRelated(making: Making, relation: RelationDef, depth: number): Json {
  const { random, world } = making;
  const target = modelOf(world, relation.to);
  if (relation.many) {
    const quantifiers = random.chance(0.85) ? [random.pick(["some", "every", "none"])] : ["some", "none"];
    return {
      [relation.name]: Object.fromEntries(
        quantifiers.map((one) => [one, random.chance(0.1) ? {} : makeWhere(making, target, depth - 1)]),
      ),
    };
  }
  if (random.chance(0.5)) return { [relation.name]: makeWhere(making, target, depth - 1) };
  const [[name, wanted] = ["", null]] = Object.entries(makeComparison(making, target));
  return { [`${relation.name}.${name}`]: wanted };
}

function makeComparison(making: Making, model: ModelDef): Json {
  const { random } = making;
  const field = random.pick(visibleFields(making, model));
  const place = placeIn(making, model, field);
  if (!place) return { [field.name]: { isNull: random.chance(0.5) } };
  const { name, kind, value } = place;
  if (kind === "list") return { [name]: { contains: makeValue(random, field.item as FieldDef) } };
  if (random.chance(0.12))
    return { [name]: random.pick([null, { isNull: true }, { isNull: false }, { eq: null }, { ne: null }]) };
  if (random.chance(0.2)) return { [name]: value() };
  const operators = random.chance(0.85) ? [pickOperator(random, kind)] : [pickOperator(random, kind), pickOperator(random, kind)];
  return { [name]: Object.fromEntries(operators.map((operator) => [operator, makeOperand(random, { operator, value })])) };
}

interface Place {
  readonly name: string;
  readonly kind: string;
  readonly value: () => unknown;
}

// The field itself, or a place inside a document.
function placeIn({ random, world }: Making, model: ModelDef, field: FieldDef): Place | null {
  if (field.kind === "list") return { name: field.name, kind: "list", value: () => null };
  if (field.kind !== "json")
    return { name: field.name, kind: field.kind, value: () => known(random, world.rows.get(model.name) ?? [], field) };
  if (random.chance(0.15)) return null;
  if (!field.shape)
    return {
      name: `${field.name}.${random.pick(["a", "b", "c", "a.b", "b.a"])}`,
      kind: "loose",
      value: () => random.pick([true, false, 0, 1, 1.5, "1", "a", "it's", "", "😀"]),
    };
  const inside = random.pick(field.shape);
  if (!inside.shape) return { name: `${field.name}.${inside.name}`, kind: inside.kind, value: () => makeValue(random, inside) };
  const deep = random.pick(inside.shape);
  return { name: `${field.name}.${inside.name}.${deep.name}`, kind: deep.kind, value: () => makeValue(random, deep) };
}

// Mostly a value that some row has.
function known(random: Random, rows: readonly Row[], field: FieldDef): unknown {
  const value = rows.length > 0 && random.chance(0.6) ? random.pick(rows)[field.name] : null;
  return value ?? makeValue(random, field);
}

function pickOperator(random: Random, kind: string): string {
  const words = operatorsOf(kind === "loose" ? "text" : (kind as FieldDef["kind"]));
  return random.pick(words.filter((word) => word !== "isNull"));
}

function makeOperand(
  random: Random,
  { operator, value: any }: { readonly operator: string; readonly value: () => unknown },
): unknown {
  // Of values in documents, true and false have no order.
  const value = () => (isOrder(operator) ? orderable(any) : any());
  const text = () => String(value());
  if (operator === "in" || operator === "nin") return Array.from({ length: random.int(4) }, value);
  if (operator === "between") return [value(), value()];
  if (operator === "contains" || operator === "startsWith" || operator === "endsWith") return part(random, text());
  if (operator === "like") return pattern(random, text());
  if (operator === "search") return random.chance(0.5) ? text() : `${part(random, text())} ${part(random, text()).toUpperCase()}`;
  return value();
}

function isOrder(operator: string): boolean {
  return ["gt", "gte", "lt", "lte", "between"].includes(operator);
}

function orderable(value: () => unknown): unknown {
  const made = value();
  return typeof made === "boolean" ? Number(made) : made;
}

function part(random: Random, text: string): string {
  const points = Array.from(text);
  const start = random.int(points.length + 1);
  return points.slice(start, start + 1 + random.int(3)).join("");
}

// Some code points become wildcards; backslashes and wildcards of the text are mostly escaped.
function pattern(random: Random, text: string): string {
  const made = Array.from(text).map((point) =>
    random.chance(0.25) ? random.pick(["%", "_"]) : /[%_\\]/.test(point) ? `\\${point}` : point,
  );
  return (random.chance(0.3) ? "%" : "") + made.join("") + (random.chance(0.3) ? "%" : "");
}

function makeNeedle(making: Making, model: ModelDef): string {
  const { random, world } = making;
  const row = random.chance(0.8) ? random.pick(world.rows.get(model.name) ?? [{}]) : undefined;
  const texts = model.search.map((name) => String((row?.[name] as string | null) ?? "zz"));
  return random.chance(0.3) ? texts.map((text) => part(random, text)).join(" ") : part(random, random.pick(texts)).toUpperCase();
}

const sortable = new Set([
  "text",
  "integer",
  "bigint",
  "float",
  "decimal",
  "boolean",
  "datetime",
  "date",
  "time",
  "uuid",
  "choice",
  "email",
  "url",
  "slug",
]);

/** A sort by own fields and fields of to-one relations; undefined now and then. */
export function makeOrder(making: Making, model: ModelDef): string | string[] | undefined {
  const { random, world } = making;
  if (random.chance(0.25)) return undefined;
  const fields = (of: ModelDef) => visibleFields(making, of).filter(({ kind }) => sortable.has(kind));
  const terms = Array.from({ length: 1 + random.int(3) }, () => {
    const toOne = visibleRelations(making, model).filter((relation) => !relation.many);
    const relation = toOne.length > 0 && random.chance(0.3) ? random.pick(toOne) : null;
    const name = random.pick(fields(relation ? modelOf(world, relation.to) : model)).name;
    return (random.chance(0.5) ? "-" : "") + (relation ? `${relation.name}.${name}` : name);
  });
  const different = [...new Map(terms.map((term) => [term.replace("-", ""), term])).values()];
  return random.chance(0.5) ? different.join(",") : different;
}

/** A selection to a depth; undefined now and then. */
export function makeSelect(making: Making, model: ModelDef, depth: number): Json | undefined {
  const { random } = making;
  if (random.chance(0.15)) return undefined;
  const made: Json = {};
  if (random.chance(0.3)) made["*"] = true;
  for (const field of random.some(visibleFields(making, model), 4)) made[field.name] = true;
  if (depth > 0)
    for (const relation of random.some(visibleRelations(making, model), depth))
      made[relation.name] = makeExpand(making, relation, depth);
  return Object.keys(made).length === 0 ? { [random.pick(model.key)]: true } : made;
}

function makeExpand(making: Making, relation: RelationDef, depth: number): unknown {
  const { random, world } = making;
  const target = modelOf(world, relation.to);
  if (random.chance(0.15)) return true;
  const inside = makeSelect(making, target, depth - 1) ?? {};
  if (relation.many) {
    if (random.chance(0.4)) inside["$where"] = makeWhere(making, target, 1);
    const orderBy = random.chance(0.5) ? makeOrder(making, target) : undefined;
    if (orderBy) inside["$orderBy"] = orderBy;
    if (depth < 3 || random.chance(0.7)) inside["$limit"] = 1 + random.int(depth + 1);
  }
  return inside;
}
