/** The one place that decides access: what a caller may name (the view), and the rules that go into a plan. */
import { allOf, always, anyOf, complement, type Filter, never, type Source, type Term, termOf } from "../schema/filter.ts";
import type { Access, Action, Field, Model, Relation, Schema } from "../schema/schema.ts";
import type { Actor, Facts } from "./actor.ts";
import { fail } from "./errors.ts";
import type { AggregatePlan, GetPlan, Guarded, ListPlan, Order, Output, Reached, ReadPlan, RowsPlan, Step } from "./plan/plan.ts";

declare const brand: unique symbol;

/**
 * What of the schema exists for a caller. Planning looks names up here and nowhere else, so that a field which may not be
 * read answers, to the letter, as one that is not there.
 */
export interface View {
  readonly [brand]: true;
  readonly facts: Facts;
  field(model: Model, name: string): Field | undefined;
  /** Fields of a whole row, in declared order. */
  fields(model: Model): readonly Field[];
  relation(model: Model, name: string): Relation | undefined;
  /** Any model of the schema, by name: for the engine's own steps, not for names of a caller. */
  model(name: string): Model;
  target(relation: Relation): Model;
  /** The join model, where the relation goes through one. */
  joinModel(relation: Relation): Model | null;
  /** The field that holds the key of a belongsTo. */
  ownKey(relation: Relation): Field | null;
  /** Names that a message may suggest. */
  names(model: Model): readonly string[];
  /** The rule of an action with the caller's facts folded in; `never` is a plain no. */
  rule(model: Model, action: Action): Filter;
  /** What must hold for the caller to see, or set, this field of a row the rule allows; null where it is always so. */
  fieldRule(field: Field, action: "read" | "create" | "update"): Filter | null;
}

/** The view of callers with these facts. */
export function createView(schema: Schema, facts: Facts): View {
  const fold = (rule: Filter) => (facts.system ? always : foldFacts(rule, facts));
  const rules = new Map<Model, Record<Action, Filter>>();
  const rulesOf = (model: Model) => {
    const known = rules.get(model);
    if (known) return known;
    const { read, create, update, delete: remove } = model.access;
    const folded = { read: fold(read), create: fold(create), update: fold(update), delete: fold(remove) };
    rules.set(model, folded);
    return folded;
  };
  const fieldRule: View["fieldRule"] = (field, action) => {
    const rule = accessOf(schema, field).fields.get(field.partOf ?? field.name)?.[action];
    const folded = rule ? fold(rule) : always;
    return folded.op === "true" ? null : folded;
  };
  const isNamed = (field: Field) =>
    field.partOf === null && (facts.system || (!field.hidden && fieldRule(field, "read")?.op !== "false"));
  const target = (relation: Relation) => schema.models.get(relation.target) as Model;
  const joinModel = (relation: Relation) => (relation.through ? (schema.models.get(relation.through.model) as Model) : null);
  const isReachable = (relation: Relation) => {
    if (facts.system) return true;
    const join = joinModel(relation);
    const keys =
      relation.through && join ? [join.fields.get(relation.through.toLocal), join.fields.get(relation.through.toTarget)] : [];
    const own = relation.via === "belongsTo" ? schema.models.get(relation.model)?.fields.get(relation.name) : undefined;
    const back = relation.inverseOf ? target(relation).fields.get(relation.inverseOf) : undefined;
    const isNameable = [own, back, ...keys].every((field) => !field || isNamed(field));
    return isNameable && [target(relation), ...(join ? [join] : [])].every((model) => rulesOf(model).read.op !== "false");
  };
  const find = (model: Model, name: string) => {
    const field = model.fields.get(name);
    return field && isNamed(field) ? field : undefined;
  };
  const fields = new Map<Model, readonly Field[]>();
  return Object.freeze<Omit<View, typeof brand>>({
    facts,
    field: find,
    fields(model) {
      const known = fields.get(model) ?? [...model.fields.values()].filter(isNamed);
      fields.set(model, known);
      return known;
    },
    relation(model, name) {
      const relation = model.relations.get(name);
      return relation && isReachable(relation) ? relation : undefined;
    },
    model: (name) => schema.models.get(name) as Model,
    target,
    joinModel,
    ownKey: (relation) => schema.models.get(relation.model)?.fields.get(relation.name) ?? null,
    names: (model) =>
      [...[...model.fields.values()].filter(isNamed), ...[...model.relations.values()].filter(isReachable)].map(
        ({ name }) => name,
      ),
    rule: (model, action) => rulesOf(model)[action],
    fieldRule,
  }) as View;
}

function accessOf(schema: Schema, field: Field): Access {
  return (schema.models.get(field.model) as Model).access;
}

/** Replaces the facts of a rule by what they are, and drops what follows from that. */
export function foldFacts(rule: Filter, facts: Facts): Filter {
  switch (rule.op) {
    case "fact":
      return facts.holds[rule.fact] ? always : never;
    case "and":
      return allOf(rule.args.map((arg) => foldFacts(arg, facts)));
    case "or":
      return anyOf(rule.args.map((arg) => foldFacts(arg, facts)));
    case "not":
      return complement(foldFacts(rule.arg, facts));
    case "one":
    case "some": {
      const where = foldFacts(rule.where, facts);
      return where.op === "false" ? never : { ...rule, where };
    }
    case "every":
    case "none":
      return { ...rule, where: foldFacts(rule.where, facts) };
    case "compare":
      // Nobody's id and claims are null, and a comparison with null does not hold.
      return !facts.holds[0] && rule.right.some((source) => source.from === "me")
        ? rule.operator === "ne" || rule.operator === "nin"
          ? always
          : never
        : rule;
    default:
      return rule;
  }
}

/**
 * Puts the access rules into a read plan: the row rule of every model it touches, and what masks each field it names.
 * @throws unauthenticated or forbidden where the rule is a plain no.
 */
export function guard<P extends ReadPlan>(plan: P, view: View, actor: Actor): Guarded<P> {
  const guarded = plan.kind === "aggregate" ? guardAggregate(plan, view) : guardTop(plan, view);
  const rule = guarded.kind === "aggregate" ? guarded.rule : guarded.rows.rule;
  if (rule?.op === "false") throw denied(actor);
  return guarded as ReadPlan as Guarded<P>;
}

/** Admits a write to its planning. The rules themselves go into its unit, from the same view. @throws unauthenticated, forbidden */
export function admit(
  model: Model,
  action: Action,
  by: { readonly view: View; readonly origin: { readonly actor: Actor } },
): void {
  if (by.view.rule(model, action).op === "false") throw denied(by.origin.actor);
}

/** The error for a plain no: who is not signed in may sign in. */
export function denied(actor: Actor): Error {
  return actor.kind === "anonymous" ? fail("unauthenticated", { headers: { "www-authenticate": "Bearer" } }) : fail("forbidden");
}

function guardTop(plan: ListPlan | GetPlan, view: View): ListPlan | GetPlan {
  return { ...plan, rows: guardRows(plan.rows, view) };
}

function guardRows(plan: RowsPlan, view: View): RowsPlan {
  return {
    ...plan,
    rule: rowRule(plan, view),
    where: guardFilter(plan.where, view),
    order: plan.order.map((order) => guardOrder(order, view)),
    output: guardOutput(plan.output, view),
  };
}

// The trash is for who may empty it; beside it, what is not in the trash is for who may read it.
function rowRule(plan: { readonly model: Model; readonly trash: string }, view: View): Filter {
  const read = view.rule(plan.model, "read");
  if (plan.trash === "without") return read;
  const remove = view.rule(plan.model, "delete");
  if (plan.trash === "only" || remove.op === "false") return allOf([read, remove]);
  const left = termOf(plan.model.fields.get("deletedAt") as Field);
  return allOf([read, anyOf([{ op: "compare", operator: "isNull", left, right: [{ from: "value", value: 1 }] }, remove])]);
}

function guardOutput(output: Output, view: View): Output {
  return {
    fields: output.fields.map(({ name, term }) => ({ name, term: guardTerm(term, view) })),
    related: output.related.map((related) => ({
      ...related,
      step: guardStep(related.step, view),
      rows: guardRows(related.rows, view),
    })),
  };
}

// A value that is masked in some rows is null there, even where the field itself never is.
function guardOrder(order: Order, view: View): Order {
  const by = guardReached(order.by, view);
  return { ...order, by, nullable: order.nullable || by.term.mask !== null };
}

function guardReached(reached: Reached, view: View): Reached {
  return { steps: reached.steps.map((step) => guardStep(step, view)), term: guardTerm(reached.term, view) };
}

function guardStep(step: Step, view: View): Step {
  return { relation: step.relation, own: ownMask(step.relation, view), ...visibility(step.relation, view) };
}

// Which rows of the target may be looked at. Where the key that leads there is masked in some rows, the relation is too.
function visibility(relation: Relation, view: View): { visible: Filter; link: Filter } {
  const join = view.joinModel(relation);
  const target = view.target(relation);
  const mask = (model: Model | null, name: string | null) => {
    const field = name === null ? undefined : model?.fields.get(name);
    return (field && view.fieldRule(field, "read")) ?? always;
  };
  return {
    visible: allOf([view.rule(target, "read"), mask(target, relation.inverseOf)]),
    link: join
      ? allOf([
          view.rule(join, "read"),
          mask(join, relation.through?.toLocal ?? null),
          mask(join, relation.through?.toTarget ?? null),
        ])
      : always,
  };
}

// What must hold of the row that the relation starts from: that the key which leads away is not masked in it.
function ownMask(relation: Relation, view: View): Filter {
  const own = relation.via === "belongsTo" ? view.ownKey(relation) : null;
  return (own && view.fieldRule(own, "read")) ?? always;
}

function guardTerm(term: Term, view: View): Term {
  const rule = view.fieldRule(term.field, "read");
  return rule ? { ...term, mask: rule } : term;
}

function guardSource(source: Source, view: View): Source {
  return source.from === "term" ? { from: "term", term: guardTerm(source.term, view) } : source;
}

/** Puts rules and masks into a caller's filter. */
export function guardFilter(filter: Filter, view: View): Filter {
  switch (filter.op) {
    case "and":
    case "or":
      return { op: filter.op, args: filter.args.map((arg) => guardFilter(arg, view)) };
    case "not":
      return { op: "not", arg: guardFilter(filter.arg, view) };
    case "compare":
      return { ...filter, left: guardTerm(filter.left, view), right: filter.right.map((source) => guardSource(source, view)) };
    case "one":
    case "some":
    case "every":
    case "none":
      return allOf([
        ownMask(filter.relation, view),
        { ...filter, ...visibility(filter.relation, view), where: guardFilter(filter.where, view) },
      ]);
    default:
      return filter;
  }
}

function guardAggregate(plan: AggregatePlan, view: View): AggregatePlan {
  return {
    ...plan,
    rule: rowRule(plan, view),
    where: guardFilter(plan.where, view),
    groups: plan.groups.map((group) => ({ ...group, by: guardReached(group.by, view) })),
    measures: plan.measures.map((measure) => ({ ...measure, of: measure.of && guardTerm(measure.of, view) })),
  };
}
