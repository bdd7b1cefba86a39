/** Plans a caller's filter: names become fields of the caller's view, values become parameters. */
import { didYouMean } from "../../base/suggest.ts";
import { type Operator, operators, type Quantifier, quantifiers } from "../../schema/cond.ts";
import { allOf, anyOf, complement, type Filter, type Source, type Term, termOf } from "../../schema/filter.ts";
import type { Model, Relation } from "../../schema/schema.ts";
import { insideOf } from "../../schema/resolve.ts";
import type { Where } from "../call.ts";
import { badQuery } from "../errors.ts";
import type { View } from "../guard.ts";
import { pointerPart } from "./shape.ts";

/** Hands out the places of parameters, in the order of the shape's walk. */
export interface Params {
  next: number;
}

/** Where a filter's names are looked up. */
export interface Names {
  readonly view: View;
  readonly model: Model;
  readonly params: Params;
  readonly pointer: string;
}

/** Plans a filter over `names.model`. @throws invalid_query for a name or operator that is unknown to this caller. */
export function planWhere(where: Where, names: Names): Filter {
  const args: Filter[] = [];
  for (const name of Object.keys(where)) {
    const value = where[name];
    if (value === undefined) continue;
    args.push(planEntry(name, value, { ...names, pointer: `${names.pointer}/${pointerPart(name)}` }));
  }
  return allOf(args);
}

function planEntry(name: string, value: unknown, names: Names): Filter {
  if (name === "and" || name === "or") {
    if (!Array.isArray(value)) throw badQuery(names.pointer, "type", `${name} takes a list of filters.`);
    const arms = value.map((arm, index) => planWhere(arm as Where, { ...names, pointer: `${names.pointer}/${index}` }));
    return name === "and" ? allOf(arms) : anyOf(arms);
  }
  if (name === "not") {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw badQuery(names.pointer, "type", "not takes a filter.");
    return complement(planWhere(value as Where, names));
  }
  if (name === "search") return planSearch(value, names);
  return planPath(name.split("."), value, names);
}

function planSearch(value: unknown, names: Names): Filter {
  const fields = names.model.search.filter((field) => names.view.field(names.model, field.name));
  if (fields.length === 0 || typeof value === "object")
    throw badQuery(names.pointer, "unknown_operator", `${names.model.name} has no search.`);
  const index = names.params.next++;
  return anyOf(
    fields.map(
      (field): Filter => ({ op: "compare", operator: "search", left: termOf(field), right: [{ from: "param", index }] }),
    ),
  );
}

function planPath(path: readonly string[], value: unknown, names: Names): Filter {
  const [name = "", ...rest] = path;
  const { view, model } = names;
  const relation = view.relation(model, name);
  const field = view.field(model, name);
  if (relation && (rest.length > 0 || !field || isNested(value, relation, names)))
    return planRelation({ relation, rest }, value, names);
  if (!field) throw unknownField(name, names);
  if (rest.length === 0) return planField(termOf(field), value, names);
  const inside = insideOf(field, rest);
  if (inside === undefined) throw unknownField(path.join("."), names);
  return planField({ ...termOf(field), path: rest, inside }, value, names);
}

// `{ director: { name: "x" } }` filters through the relation; `{ director: { eq: id } }` compares its key.
function isNested(value: unknown, relation: Relation, names: Names): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { view, model } = names;
  const words = view.field(model, relation.name)?.type.operators ?? [];
  const isOfKey = (key: string) => isOperator(key) && words.includes(key) && !view.field(view.target(relation), key);
  return relation.kind === "many" || !Object.keys(value).every(isOfKey);
}

function planRelation({ relation, rest }: { relation: Relation; rest: readonly string[] }, value: unknown, names: Names): Filter {
  const inner: Names = { ...names, model: names.view.target(relation) };
  if (relation.kind === "one") {
    if (rest.length > 0) return related("one", relation, planPath(rest, value, inner));
    if (value === null) throw badQuery(names.pointer, "type", `${relation.name} is a relation; filter it by a field of it.`);
    if (typeof value !== "object" || Array.isArray(value))
      throw badQuery(names.pointer, "type", `${relation.name} takes conditions on its fields.`);
    return related("one", relation, planWhere(value as Where, inner));
  }
  const [first, ...after] = rest;
  if (first !== undefined) {
    if (isQuantifier(first))
      return related(
        first,
        relation,
        after.length > 0 ? planPath(after, value, inner) : planWhere(objectOf(value, names), inner),
      );
    return related("some", relation, planPath(rest, value, inner));
  }
  const args = Object.entries(objectOf(value, names))
    .filter(([, where]) => where !== undefined)
    .map(([quantifier, where]) => {
      const pointer = `${names.pointer}/${pointerPart(quantifier)}`;
      if (!isQuantifier(quantifier))
        throw badQuery(pointer, "unknown_operator", `${relation.name} has many rows: ask some, every or none of them.`);
      return related(quantifier, relation, planWhere(objectOf(where, { ...names, pointer }), { ...inner, pointer }));
    });
  return allOf(args);
}

function objectOf(value: unknown, names: Names): Where {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Where;
  throw badQuery(names.pointer, "type", "must be an object of conditions.");
}

function related(op: "one" | Quantifier, relation: Relation, where: Filter): Filter {
  return { op, relation, visible: null, link: null, where };
}

function planField(term: Term, value: unknown, names: Names): Filter {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return planCompare({ operator: "eq", left: term }, value, names);
  const args = Object.entries(value)
    .filter(([, operand]) => operand !== undefined)
    .map(([operator, operand]) => {
      const at = { ...names, pointer: `${names.pointer}/${pointerPart(operator)}` };
      if (operator === "not") return complement(planField(term, objectOf(operand, at), at));
      if (isOperator(operator)) return planCompare({ operator, left: term }, operand, at);
      // A document's path may also be spelt as nested objects.
      const path = [...term.path, operator];
      const inside = insideOf(term.field, path);
      if (inside !== undefined) return planField({ ...term, path, inside }, operand, at);
      throw unknownOperator(operator, term, at);
    });
  return allOf(args);
}

function planCompare({ operator, left }: { operator: Operator; left: Term }, value: unknown, names: Names): Filter {
  const type = left.inside?.type ?? left.field.type;
  if (!type.operators.includes(operator)) throw unknownOperator(operator, left, names);
  if (operator === "isNull") {
    const right: Source = { from: "value", value: value === true || value === "true" ? 1 : 0 };
    return { op: "compare", operator, left, right: [right] };
  }
  if (value === null) {
    const isNull: Filter = { op: "compare", operator: "isNull", left, right: [{ from: "value", value: 1 }] };
    if (operator === "eq") return isNull;
    if (operator === "ne") return complement(isNull);
    throw badQuery(names.pointer, "type", `${operator} cannot compare with null.`);
  }
  if (typeof value === "object" && !Array.isArray(value)) throw badQuery(names.pointer, "type", `${operator} takes a value.`);
  const index = names.params.next++;
  return { op: "compare", operator, left, right: [{ from: "param", index }] };
}

function unknownField(name: string, names: Names): Error {
  const { view, model } = names;
  return badQuery(
    names.pointer,
    "unknown_field",
    `${model.name} has no field ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, view.names(model))}`,
  );
}

function unknownOperator(operator: string, term: Term, names: Names): Error {
  const known = (term.inside?.type ?? term.field.type).operators;
  return badQuery(
    names.pointer,
    "unknown_operator",
    `${term.field.name} has no operator ${JSON.stringify(operator.slice(0, 64))}; it has ${known.join(", ")}.`,
  );
}

export function isOperator(name: string): name is Operator {
  return (operators as readonly string[]).includes(name);
}

function isQuantifier(name: string): name is Quantifier {
  return (quantifiers as readonly string[]).includes(name);
}
