/** Resolves conditions and expressions: names become fields and relations, constants become stored values. */
import { didYouMean } from "../base/suggest.ts";
import type { Cond, Expr, Operand, PathRef, Scope } from "./cond.ts";
import type { Problems } from "./errors.ts";
import { looseType, parseLooseOrder } from "./fields/json.ts";
import { type FieldType, isMisfit } from "./fields/field-type.ts";
import { parseElement } from "./fields/list.ts";
import { allOf, always, anyOf, complement, type Expression, type Filter, never, type Source, type Term } from "./filter.ts";
import type { DocumentField, Field, FieldParams, Model, Relation } from "./schema.ts";

/** What resolving needs to know; `roles` grows as rules ask for roles. */
export interface Resolver {
  readonly models: ReadonlyMap<string, Model>;
  readonly roles: string[];
  readonly problems: Problems;
  /** Where in the backend file, for problems. */
  readonly place: string;
}

/** A row in reach of a condition, innermost last. */
interface Level {
  readonly scope: Scope | null;
  readonly model: Model;
}

/** Resolves a rule over the rows of a model; problems are gathered, and what is broken denies. */
export function resolveRule(cond: Cond, row: { readonly scope: Scope; readonly model: Model }, resolver: Resolver): Filter {
  return resolve(cond, [row], resolver);
}

function resolve(cond: Cond, levels: readonly Level[], resolver: Resolver): Filter {
  switch (cond?.op) {
    case "everyone":
      return always;
    case "nobody":
      return never;
    case "signedIn":
      return { op: "fact", fact: 0 };
    case "has":
      return { op: "fact", fact: factOf(cond.role, resolver) };
    case "and":
      return allOf(cond.args.map((arg) => resolve(arg, levels, resolver)));
    case "or":
      return anyOf(cond.args.map((arg) => resolve(arg, levels, resolver)));
    case "not":
      return complement(resolve(cond.arg, levels, resolver));
    case "compare":
      return resolveCompare(cond, levels, resolver);
    case "some":
    case "every":
    case "none":
      return resolveQuantifier(cond, levels, resolver);
    default:
      resolver.problems.add(
        resolver.place,
        "this is not a condition.",
        "Build it from row, me, input, everyone, nobody, and, or and not; a comparison is row.title.eq(…).",
      );
      return never;
  }
}

function factOf(role: string, resolver: Resolver): number {
  const known = resolver.roles.indexOf(role);
  return known >= 0 ? known + 1 : resolver.roles.push(role);
}

function resolveCompare(cond: Extract<Cond, { op: "compare" }>, levels: readonly Level[], resolver: Resolver): Filter {
  const walked = walk(cond.left, levels, resolver);
  if (!walked || !walked.term) {
    if (walked)
      resolver.problems.add(
        resolver.place,
        `${spell(cond.left)} is a relation to many rows.`,
        "Ask some, every or none of them.",
      );
    return never;
  }
  const { term, relations } = walked;
  const type = term.inside?.type ?? term.field.type;
  if (!type.operators.includes(cond.operator)) {
    resolver.problems.add(
      resolver.place,
      `${spell(cond.left)} is ${type.name} and has no ${cond.operator}.`,
      `It has ${type.operators.join(", ")}.`,
    );
    return never;
  }
  const operands = cond.operator === "isNull" && cond.right.length === 0 ? [{ ref: "value", value: true } as const] : cond.right;
  const right = operands.map((operand) =>
    resolveOperand(operand, term, { levels, deeper: relations.length, resolver, of: cond }),
  );
  let filter: Filter = { op: "compare", operator: cond.operator, left: term, right: right.filter((source) => source !== null) };
  for (const relation of relations.toReversed()) filter = { op: "one", relation, visible: always, link: always, where: filter };
  return filter;
}

interface OperandContext {
  readonly levels: readonly Level[];
  /** Relations the left side steps through, by which outer rows are further away. */
  readonly deeper: number;
  readonly resolver: Resolver;
  readonly of: Extract<Cond, { op: "compare" }>;
}

function resolveOperand(operand: Operand, left: Term, context: OperandContext): Source | null {
  const { resolver } = context;
  if (operand.ref === "me") return { from: "me", claim: operand.claim };
  if (operand.ref === "now") return { from: "now" };
  if (operand.ref === "path") {
    const walked = walk(operand, context.levels, resolver);
    if (walked?.term && (context.of.operator === "in" || context.of.operator === "nin") && !isListOf(walked.term, left)) {
      const fix = `Give a list of ${(left.inside ?? left.field).type.name}, or put it into one: [${spell(operand)}].`;
      resolver.problems.add(resolver.place, `${spell(operand)} is no list of values of ${spell(context.of.left)}.`, fix);
      return null;
    }
    if (walked?.term && walked.relations.length === 0)
      return { from: "term", term: { ...walked.term, up: walked.term.up + context.deeper } };
    if (walked)
      resolver.problems.add(
        resolver.place,
        `${spell(operand)} stands on the right side and lies behind a relation.`,
        "Turn the comparison around, so that the relation is on the left.",
      );
    return null;
  }
  if (context.of.operator === "isNull") return { from: "value", value: operand.value === false ? 0 : 1 };
  if (operand.value === null || operand.value === undefined) {
    resolver.problems.add(resolver.place, `${spell(context.of.left)} is compared with null.`, "Use isNull().");
    return null;
  }
  const field = left.field;
  const whole = left.inside ?? field;
  const isItem = context.of.operator === "contains" && whole.params.item !== undefined;
  const { type, params } = whole;
  const loose = { ...params, min: undefined, max: undefined, pattern: undefined };
  const isRaw = typeof operand.value === "string" && !isItem && isPartOfText(context.of.operator);
  const isLooseOrder = type === looseType && isOrdering(context.of.operator);
  const parsed = isRaw
    ? (operand.value as string)
    : isItem
      ? parseElement(operand.value, params.item as NonNullable<FieldParams["item"]>)
      : isLooseOrder
        ? parseLooseOrder(operand.value)
        : type.parse(operand.value, loose);
  if (!isMisfit(parsed)) return { from: "value", value: parsed };
  resolver.problems.add(
    resolver.place,
    `${spell(context.of.left)} is compared with ${JSON.stringify(operand.value)}, which ${parsed.misfit}.`,
    `Give a value that ${parsed.misfit}.`,
  );
  return null;
}

// Numbers stand in lists in the form of their own type, all others as texts.
function isListOf({ field, inside }: Term, left: Term): boolean {
  const { item } = (inside ?? field).params;
  const of = left.inside ?? left.field;
  const isSame = item?.type.storage === of.type.storage && (item.params.scale ?? 0) === (of.params.scale ?? 0);
  return item !== undefined && (isSame || of.type === looseType || (isText(item.type) && isText(of.type)));
}

function isText({ storage }: FieldType): boolean {
  return storage === "text" || storage === "uuid" || storage === "date" || storage === "datetime" || storage === "time";
}

function isOrdering(operator: string): boolean {
  return ["gt", "gte", "lt", "lte", "between"].includes(operator);
}

function isPartOfText(operator: string): boolean {
  return (
    operator === "contains" ||
    operator === "startsWith" ||
    operator === "endsWith" ||
    operator === "like" ||
    operator === "search"
  );
}

function resolveQuantifier(
  cond: Extract<Cond, { op: "some" | "every" | "none" }>,
  levels: readonly Level[],
  resolver: Resolver,
): Filter {
  const walked = walk(cond.path, levels, resolver);
  if (!walked) return never;
  const last = walked.many;
  if (!last) {
    resolver.problems.add(resolver.place, `${spell(cond.path)} does not lead to many rows.`, "Name its fields directly.");
    return never;
  }
  const target = resolver.models.get(last.target) as Model;
  const passed: Level[] = walked.relations.map((relation) => ({
    scope: null,
    model: resolver.models.get(relation.target) as Model,
  }));
  const inner = resolve(cond.where, [...levels, ...passed, { scope: cond.scope, model: target }], resolver);
  let filter: Filter = { op: cond.op, relation: last, visible: always, link: always, where: inner };
  for (const relation of walked.relations.toReversed())
    filter = { op: "one", relation, visible: always, link: always, where: filter };
  return filter;
}

interface Walked {
  /** To-one relations on the way. */
  readonly relations: readonly Relation[];
  /** The field at the end, or null where a to-many relation stands there. */
  readonly term: Term | null;
  readonly many: Relation | null;
}

function walk(path: PathRef, levels: readonly Level[], resolver: Resolver): Walked | null {
  const at = path.scope.from === "input" ? 0 : levels.findIndex((level) => level.scope === path.scope);
  let model = (levels[at] as Level).model;
  const up = levels.length - 1 - at;
  const relations: Relation[] = [];
  for (const [index, name] of path.names.entries()) {
    const relation = model.relations.get(name);
    const field = model.fields.get(name);
    const rest = path.names.slice(index + 1);
    if (field && (rest.length === 0 || !relation)) {
      const inside = rest.length === 0 ? null : insideOf(field, rest);
      if (inside === undefined) break;
      const term: Term = { field, up: relations.length > 0 ? 0 : up, path: rest, inside, mask: null, of: path.scope.from };
      return up > 0 && relations.length > 0 ? outer(path, resolver) : { relations, term, many: null };
    }
    if (!relation || path.scope.from === "input") break;
    if (relation.kind === "many") {
      if (rest.length === 0) return up > 0 ? outer(path, resolver) : { relations, term: null, many: relation };
      break;
    }
    relations.push(relation);
    model = resolver.models.get(relation.target) as Model;
  }
  const wrong = path.names[relations.length] ?? path.names.at(-1) ?? "";
  const known = [...model.fields.keys(), ...model.relations.keys()];
  resolver.problems.add(
    resolver.place,
    `${model.name} has no field or relation ${JSON.stringify(wrong)}.`,
    `${didYouMean(wrong, known).trim() || `It has ${known.join(", ")}.`}`,
  );
  return null;
}

function outer(path: PathRef, resolver: Resolver): null {
  resolver.problems.add(
    resolver.place,
    `${spell(path)} starts from an enclosing row and passes a relation.`,
    "Compare with a field of the enclosing row itself.",
  );
  return null;
}

const looseValue: NonNullable<Term["inside"]> = Object.freeze({ type: looseType, params: {} });

/** What is declared at a path inside a document; undefined where there is no such path. */
export function insideOf(field: Field, path: readonly string[]): NonNullable<Term["inside"]> | undefined {
  if (field.type.name !== "json") return undefined;
  let shape = field.params.shape;
  if (!shape) return looseValue;
  for (const [index, name] of path.entries()) {
    const inner: DocumentField | undefined = shape?.get(name);
    if (!inner) return undefined;
    if (index === path.length - 1) return inner;
    if (inner.type.name === "json" && !inner.params.shape) return looseValue;
    shape = inner.params.shape;
  }
  return undefined;
}

/** Resolves a computed field's expression over the model's own stored fields. */
export function resolveExpression(expr: Expr, model: Model, resolver: Resolver): Expression {
  if (expr.ref === "path") {
    const field = expr.names.length === 1 ? model.fields.get(expr.names[0] as string) : undefined;
    if (field && field.column !== "") return { op: "field", field };
    resolver.problems.add(
      resolver.place,
      `${spell(expr)} is not a stored field of ${model.name}.`,
      "An expression may use stored fields of its own row.",
    );
    return { op: "value", value: null, scale: 0 };
  }
  if (expr.ref === "value") {
    const value = typeof expr.value === "boolean" ? Number(expr.value) : expr.value;
    return { op: "value", value, scale: typeof value === "number" ? (String(value).split(".")[1] ?? "").length : 0 };
  }
  return { op: "call", name: expr.name, args: expr.args.map((arg) => resolveExpression(arg, model, resolver)) };
}

function spell(path: PathRef): string {
  return [path.scope.from, ...path.names].join(".");
}
