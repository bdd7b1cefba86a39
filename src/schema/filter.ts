/** Conditions and expressions with every name resolved: the one form that rules and callers' filters share. */
import type { Operator, Quantifier } from "./cond.ts";
import type { DocumentField, Field, Relation } from "./schema.ts";
import type { Value } from "./value.ts";

/** A field of the row at hand, or of an enclosing row (`up` levels of `some`, `one` …), or inside a document. */
export interface Term {
  readonly field: Field;
  /** Enclosing rows to step out of; 0 is the row at hand. */
  readonly up: number;
  /** Names inside a document field; empty for the field itself. */
  readonly path: readonly string[];
  /** What is declared of the value inside the document; null for the field itself. */
  readonly inside: Pick<DocumentField, "type" | "params"> | null;
  /** Added by guard(): without it holding, the value is null to this caller. */
  readonly mask: Filter | null;
  /** `input`: the row as the write leaves it; only in rules of writes. */
  readonly of: "row" | "input";
}

/** The right side of a comparison. Values of the caller and of the actor are slots, so that a plan serves every call of its shape. */
export type Source =
  | { readonly from: "param"; readonly index: number }
  | { readonly from: "me"; readonly claim: string }
  | { readonly from: "now" }
  | { readonly from: "value"; readonly value: Value }
  | { readonly from: "term"; readonly term: Term };

export type Filter =
  | { readonly op: "true" }
  | { readonly op: "false" }
  /** A fact of the actor, by its place: 0 is signedIn, then the schema's roles. Gone after guard(). */
  | { readonly op: "fact"; readonly fact: number }
  | { readonly op: "and" | "or"; readonly args: readonly Filter[] }
  | { readonly op: "not"; readonly arg: Filter }
  | { readonly op: "compare"; readonly operator: Operator; readonly left: Term; readonly right: readonly Source[] }
  /**
   * `one`: the to-one relation leads to a row for which `where` holds. Only rows for which `visible` holds are looked at:
   * all of them in a rule, those the caller may read in a caller's filter, where it is null until guard() has put it in.
   * `link` is the same for the rows of the join model, where the relation goes through one.
   */
  | {
      readonly op: "one" | Quantifier;
      readonly relation: Relation;
      readonly visible: Filter | null;
      readonly link: Filter | null;
      readonly where: Filter;
    };

/** A computed field's expression over the own row. */
export type Expression =
  | { readonly op: "field"; readonly field: Field }
  | { readonly op: "value"; readonly value: Value; readonly scale: number }
  | { readonly op: "call"; readonly name: string; readonly args: readonly Expression[] };

export const always: Filter = Object.freeze({ op: "true" });
export const never: Filter = Object.freeze({ op: "false" });

/** Conjunction that drops what is true and collapses on what is false. */
export function allOf(args: readonly Filter[]): Filter {
  const kept: Filter[] = [];
  for (const arg of args) {
    if (arg.op === "false") return never;
    if (arg.op === "and") kept.push(...arg.args);
    else if (arg.op !== "true") kept.push(arg);
  }
  return kept.length === 0 ? always : kept.length === 1 ? (kept[0] as Filter) : { op: "and", args: kept };
}

/** Disjunction that drops what is false and collapses on what is true. */
export function anyOf(args: readonly Filter[]): Filter {
  const kept: Filter[] = [];
  for (const arg of args) {
    if (arg.op === "true") return always;
    if (arg.op === "or") kept.push(...arg.args);
    else if (arg.op !== "false") kept.push(arg);
  }
  return kept.length === 0 ? never : kept.length === 1 ? (kept[0] as Filter) : { op: "or", args: kept };
}

/** Complement; two-valued, so a comparison with null is false and its complement true. */
export function complement(arg: Filter): Filter {
  if (arg.op === "true") return never;
  if (arg.op === "false") return always;
  return arg.op === "not" ? arg.arg : { op: "not", arg };
}

/** Whether a condition looks at other rows than the one at hand. */
export function looksAround(filter: Filter): boolean {
  switch (filter.op) {
    case "and":
    case "or":
      return filter.args.some(looksAround);
    case "not":
      return looksAround(filter.arg);
    case "one":
    case "some":
    case "every":
    case "none":
      return true;
    default:
      return false;
  }
}

/** A field of the row at hand. */
export function termOf(field: Field): Term {
  return { field, up: 0, path: [], inside: null, mask: null, of: "row" };
}
