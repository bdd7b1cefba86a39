/** Plan data: what is to be read or written, before and after the access rules are in. Makes nothing itself. */
import type { Bucket } from "../../drivers/dialect.ts";
import type { Filter, Term } from "../../schema/filter.ts";
import type { Field, Model, Relation } from "../../schema/schema.ts";

declare const guarded: unique symbol;
/** A plan that carries its access rules. Only guard() makes one; compile() accepts nothing else. */
export type Guarded<P> = P & { readonly [guarded]: true };

/** A scalar reached through to-one relations; null where one of them leads to no visible row. */
export interface Reached {
  readonly steps: readonly Step[];
  readonly term: Term;
}

/**
 * One relation on the way. Until guard() has put the rules in, they are null: `own` is what must hold of the row it starts
 * from, `visible` of the row it leads to, `link` of the row of the join model.
 */
export interface Step {
  readonly relation: Relation;
  readonly own: Filter | null;
  readonly visible: Filter | null;
  readonly link: Filter | null;
}

export interface Order {
  readonly by: Reached;
  readonly descending: boolean;
  readonly nullable: boolean;
}

export interface Output {
  readonly fields: readonly { readonly name: string; readonly term: Term }[];
  readonly related: readonly Related[];
}

export interface Related {
  readonly name: string;
  readonly step: Step;
  readonly rows: RowsPlan;
}

export type Trash = "without" | "with" | "only";

/** Rows of one model: which, in what order, and what of each. */
export interface RowsPlan {
  readonly model: Model;
  readonly trash: Trash;
  readonly where: Filter;
  /** The access rule; null until guard() has put it in. */
  readonly rule: Filter | null;
  readonly output: Output;
  readonly order: readonly Order[];
  /** Related rows only: how many. */
  readonly limit: number | null;
}

export interface ListPlan {
  readonly kind: "list";
  readonly rows: RowsPlan;
  /** Null where there is none; `nulls` says for each order term whether the cursor's value is null. */
  readonly cursor: {
    readonly direction: "after" | "before";
    /** Its own row stands on that side. */
    readonly turned: boolean;
    readonly nulls: readonly boolean[];
    readonly firstParam: number;
  } | null;
  readonly limitParam: number;
  readonly offsetParam: number | null;
  readonly count: "none" | "estimated" | "exact";
}

export interface GetPlan {
  readonly kind: "get";
  readonly rows: RowsPlan;
  /** Parameters of the key's parts. */
  readonly keyParams: readonly number[];
}

export type AggregateName = "count" | "sum" | "avg" | "min" | "max";

export interface AggregatePlan {
  readonly kind: "aggregate";
  readonly model: Model;
  readonly trash: Trash;
  readonly where: Filter;
  readonly rule: Filter | null;
  readonly groups: readonly { readonly name: string; readonly by: Reached; readonly bucket: Bucket | null }[];
  /** `of` is null for `count(*)`. `field` stands for the result in `having`. */
  readonly measures: readonly { readonly name: AggregateName; readonly of: Term | null; readonly field: Field }[];
  readonly having: Filter;
  readonly order: readonly { readonly of: "group" | "measure"; readonly index: number; readonly descending: boolean }[];
  readonly limitParam: number;
}

export type ReadPlan = ListPlan | GetPlan | AggregatePlan;
