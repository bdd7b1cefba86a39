/** Conditions and expressions as data, with names not yet resolved: what the rule language builds. */

/** One row that a rule may speak of; nested `some(…)` opens a further one. Compared by identity. */
export interface Scope {
  readonly from: "row" | "input";
}

/** A field reached from a scope: names of to-one relations, then the field, then a path inside a document. */
export interface PathRef {
  readonly ref: "path";
  readonly scope: Scope;
  readonly names: readonly string[];
}

export type Operand =
  | PathRef
  | { readonly ref: "me"; readonly claim: string }
  | { readonly ref: "now" }
  | { readonly ref: "value"; readonly value: unknown };

/** The comparing words of the wire (API.md); rules, filters and saved views share them. */
export const operators = [
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "nin",
  "contains",
  "startsWith",
  "endsWith",
  "like",
  "isNull",
  "between",
  "search",
] as const;
export type Operator = (typeof operators)[number];

export const quantifiers = ["some", "every", "none"] as const;
export type Quantifier = (typeof quantifiers)[number];

/** A condition: what rules are made of. */
export type Cond =
  | { readonly op: "everyone" }
  | { readonly op: "nobody" }
  | { readonly op: "signedIn" }
  | { readonly op: "has"; readonly role: string }
  | { readonly op: "and" | "or"; readonly args: readonly Cond[] }
  | { readonly op: "not"; readonly arg: Cond }
  | { readonly op: "compare"; readonly operator: Operator; readonly left: PathRef; readonly right: readonly Operand[] }
  | { readonly op: Quantifier; readonly path: PathRef; readonly scope: Scope; readonly where: Cond };

/** An expression the database evaluates, for computed fields. */
export type Expr =
  | PathRef
  | { readonly ref: "value"; readonly value: string | number | boolean | null }
  | { readonly ref: "call"; readonly name: ExprName; readonly args: readonly Expr[] };

/** `concat` and `coalesce` take any number of arguments; arithmetic two; the rest one. */
export type ExprName = "add" | "sub" | "mul" | "concat" | "coalesce" | "lower" | "upper" | "length";

/** Always holds, for anonymous callers too. */
export const everyone: Cond = Object.freeze({ op: "everyone" });
/** Never holds. */
export const nobody: Cond = Object.freeze({ op: "nobody" });

/** All of them hold. */
export function and(...args: readonly Cond[]): Cond {
  return Object.freeze({ op: "and", args });
}
/** At least one of them holds. */
export function or(...args: readonly Cond[]): Cond {
  return Object.freeze({ op: "or", args });
}
/** It does not hold. Two-valued: where a comparison with null is false, its complement is true. */
export function not(arg: Cond): Cond {
  return Object.freeze({ op: "not", arg });
}
