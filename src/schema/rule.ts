/** The rule language: typed references to fields that build conditions. The types live here beside the proxies behind them. */
import { type Cond, type Expr, type ExprName, type Operand, operators, type PathRef, quantifiers, type Scope } from "./cond.ts";
import type { Field, Flag, Now, TypeOf } from "./field.ts";
import type { Adopted, IdOf, Model } from "./model.ts";
import type { BelongsTo, HasMany, HasOne } from "./relation.ts";

/** What a term of wire type `T` may be compared with. */
export type Comparable<T> = NonNullable<T> | Term<NonNullable<T>> | Term<T> | (T extends string | null ? Now : never);

/** A field in a rule. Comparisons are two-valued: with null they are false, and `ne` and `nin` are the complements. */
export interface Term<T> {
  eq(to: Comparable<T>): Cond;
  ne(to: Comparable<T>): Cond;
  in(list: readonly Comparable<T>[] | Term<readonly string[]>): Cond;
  nin(list: readonly Comparable<T>[] | Term<readonly string[]>): Cond;
  isNull(): Cond;
  gt(to: Comparable<T>): Cond;
  gte(to: Comparable<T>): Cond;
  lt(to: Comparable<T>): Cond;
  lte(to: Comparable<T>): Cond;
  between(low: Comparable<T>, high: Comparable<T>): Cond;
  contains(part: T extends readonly (infer E)[] | null ? E : string): Cond;
  startsWith(start: string): Cond;
  endsWith(end: string): Cond;
  like(pattern: string): Cond;
}

/** A to-many relation in a rule. */
export interface Many<M> {
  some(where: (row: RowOf<M>) => Cond): Cond;
  every(where: (row: RowOf<M>) => Cond): Cond;
  none(where: (row: RowOf<M>) => Cond): Cond;
}

type Member<X> =
  X extends Field<unknown, Flag>
    ? Term<TypeOf<X>>
    : X extends BelongsTo<infer M, string, Flag>
      ? RowOf<M> & Term<IdOf<M>>
      : X extends HasOne<infer M>
        ? X extends HasMany<M>
          ? Many<M>
          : RowOf<M>
        : X extends HasMany<infer M>
          ? Many<M>
          : never;

type SystemTerms<F, K> = F extends Adopted ? unknown : KeptTerms<F, K>;
type KeptTerms<F, K> = K extends "id"
  ? "id" extends keyof F
    ? { readonly version: Term<number> }
    : { readonly id: Term<string>; readonly version: Term<number> }
  : { readonly version: Term<number> };

/** A row of a model, as rules see it: its fields, and through to-one relations those of other models. */
export type RowOf<M> =
  M extends Model<string, infer F, infer K> ? { readonly [P in keyof F]: Member<F[P]> } & SystemTerms<F, K> : never;

/** The actor, as rules see it. */
export interface MeTerms {
  readonly id: Term<string>;
  /** Whether the actor has the role. */
  has(role: string): Cond;
  /** Whether there is an actor at all. */
  readonly signedIn: Cond;
  /** A claim of the actor's token; null where it has none. */
  claim(name: string): Term<string>;
}

const referenceOf: unique symbol = Symbol("reference");

/** Makes the proxy behind `row` and `input`. Names are checked when the backend is compiled, not here. */
export function createRow(scope: Scope, names: readonly string[] = []): unknown {
  const path: PathRef = { ref: "path", scope, names };
  const target = Object.freeze({ [referenceOf]: path, ...comparisons(path), ...quantified(path) });
  return new Proxy(target, {
    get: (known, name): unknown =>
      typeof name === "symbol" || name in known ? Reflect.get(known, name) : createRow(scope, [...names, name]),
  });
}

/** What `me` is in a rule. */
export const meTerms: MeTerms = Object.freeze({
  id: claimTerm("id"),
  has: (role: string): Cond => ({ op: "has", role }),
  signedIn: { op: "signedIn" } as const,
  claim: (name: string) => claimTerm(name),
});

function claimTerm(claim: string): Term<string> {
  return { [referenceOf]: { ref: "me", claim } } as unknown as Term<string>;
}

function comparisons(left: PathRef): Record<string, (...right: unknown[]) => Cond> {
  const made: Record<string, (...right: unknown[]) => Cond> = {};
  for (const operator of operators) {
    made[operator] = (...right) => {
      const [list] = right;
      return (operator === "in" || operator === "nin") && Array.isArray(list)
        ? among(left, operator, list.map(operandOf))
        : { op: "compare", operator, left, right: right.map(operandOf) };
    };
  }
  return made;
}

// What of a list is known only with the row or the caller is compared by itself: a claim that is null leaves the others as they are.
function among(left: PathRef, operator: "in" | "nin", list: readonly Operand[]): Cond {
  const constants = list.filter(({ ref }) => ref === "value");
  const whole: Cond = { op: "compare", operator, left, right: constants };
  if (constants.length === list.length) return whole;
  const single = operator === "in" ? "eq" : "ne";
  const others = list
    .filter(({ ref }) => ref !== "value")
    .map((one): Cond => ({ op: "compare", operator: single, left, right: [one] }));
  return { op: operator === "in" ? "or" : "and", args: constants.length > 0 ? [...others, whole] : others };
}

function quantified(path: PathRef): Record<string, (where: (row: unknown) => Cond) => Cond> {
  const made: Record<string, (where: (row: unknown) => Cond) => Cond> = {};
  for (const op of quantifiers) {
    made[op] = (where) => {
      const scope: Scope = { from: "row" };
      return { op, path, scope, where: where(createRow(scope)) };
    };
  }
  return made;
}

function operandOf(value: unknown): Operand {
  const reference = referenceIn(value);
  if (reference) return reference;
  if (typeof value === "object" && value !== null && "ref" in value && value.ref === "now") return { ref: "now" };
  return { ref: "value", value };
}

function referenceIn(value: unknown): Operand | null {
  return typeof value === "object" && value !== null && referenceOf in value
    ? ((value as Record<symbol, Operand>)[referenceOf] as Operand)
    : null;
}

/** An operand of an expression: a field of the own row, another expression, or a constant. */
export type ExprOperand = Term<string> | Term<number> | Term<string | null> | Term<number | null> | Expr | string | number;

function call(name: ExprName, args: readonly ExprOperand[]): Expr {
  const operands = args.map((arg): Expr => {
    const reference = referenceIn(arg);
    if (reference) return reference as PathRef;
    return typeof arg === "object" ? (arg as Expr) : { ref: "value", value: arg };
  });
  return { ref: "call", name, args: operands };
}

/** Expressions for computed fields; the database evaluates them. Any null operand gives null, but in coalesce. */
export const expr = Object.freeze({
  add: (left: ExprOperand, right: ExprOperand) => call("add", [left, right]),
  sub: (left: ExprOperand, right: ExprOperand) => call("sub", [left, right]),
  mul: (left: ExprOperand, right: ExprOperand) => call("mul", [left, right]),
  concat: (...parts: ExprOperand[]) => call("concat", parts),
  coalesce: (...parts: ExprOperand[]) => call("coalesce", parts),
  /** Of ASCII letters. */
  lower: (part: ExprOperand) => call("lower", [part]),
  /** Of ASCII letters. */
  upper: (part: ExprOperand) => call("upper", [part]),
  /** In code points. */
  length: (part: ExprOperand) => call("length", [part]),
});
