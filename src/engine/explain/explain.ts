/** Says why an actor may or may not do something to a row: every clause of the rule, whether it holds, and which of them decided. */
import { assert } from "../../base/errors.ts";
import type { Row, Statement } from "../../drivers/database.ts";
import type { Filter } from "../../schema/filter.ts";
import { isMisfit } from "../../schema/fields/field-type.ts";
import type { Action, Field, Model } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Actor, Facts } from "../actor.ts";
import { type Compiling, compileFilter, inRow, startCompiling } from "../compile/filter.ts";
import { fill, finish, markFor, type Slot } from "../compile/slot.ts";
import { badInput, fail } from "../errors.ts";
import { foldFacts } from "../guard.ts";
import { parseKey } from "../key.ts";
import type { Context } from "../context.ts";
import { sayRule } from "./sentence.ts";
import { spread, storedFields } from "../write/fields.ts";

/** One clause of a rule. */
export interface Clause {
  /** As in `row.owner = me.id`; for `and`, `or` and `not` the whole of it. */
  readonly says: string;
  readonly joins: "and" | "or" | "not" | null;
  /** Null where it depends on a row or input that was not given. */
  readonly holds: boolean | null;
  /** The outcome is what it is because of this clause. */
  readonly decides: boolean;
  readonly parts: readonly Clause[];
}

export interface Explanation {
  readonly model: string;
  readonly action: Action;
  readonly id: string | null;
  readonly actor: Pick<Actor, "kind" | "id" | "roles">;
  /** What is true of the actor, of all that some rule asks for. */
  readonly facts: readonly { readonly says: string; readonly holds: boolean }[];
  readonly row: "there" | "missing" | "in the trash" | "not given";
  /** What the caller is answered with; `depends` where the rule asks for a row or an input that was not given. */
  readonly outcome: "allowed" | "unauthenticated" | "forbidden" | "not_found" | "depends";
  /** The rules that were asked, in order: a row that may not be read cannot be changed either. */
  readonly rules: readonly { readonly action: Action; readonly clause: Clause }[];
  /** Fields with a rule of their own for this action. */
  readonly fields: readonly { readonly field: string; readonly clause: Clause }[];
  /** The clauses that decided, in words. */
  readonly because: readonly string[];
}

export interface Question {
  readonly model: string;
  readonly action: Action;
  /** The row; without it only facts are judged. */
  readonly id?: string | undefined;
  /** What a create or update would send; `input` in its rules. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export interface Explaining {
  readonly context: Pick<Context, "schema" | "dialect" | "factsOf">;
  readonly read: (statement: Statement) => readonly Row[] | Promise<readonly Row[]>;
  /** The instant of the request, ISO 8601. */
  readonly now: string;
}

/** Asks the database in one statement. @throws unknown_operation, invalid_input */
export async function explain(at: Explaining, actor: Actor, question: Question): Promise<Explanation> {
  const model = at.context.schema.models.get(question.model);
  if (!model) throw fail("unknown_operation");
  const facts = at.context.factsOf(actor);
  const asked: readonly Action[] =
    question.action === "update" || question.action === "delete" ? ["read", question.action] : [question.action];
  const trees = asked.map((action) => model.access[action]);
  const ruled = question.action === "delete" ? [] : fieldRules(model, question.action);
  const judging: Judging = { at, actor, facts, model, question };
  const judged = await judge([...trees, ...ruled.map(({ rule }) => rule)], judging);
  const building: Building = { truth: truthIn(judged.truths, facts), roles: at.context.schema.roles, decides: true };
  const clauses = [...trees, ...ruled.map(({ rule }) => rule)].map((rule) => build(rule, building));
  const rules = asked.map((action, index) => ({ action, clause: clauses[index] as Clause }));
  const isPlainNo = !facts.system && foldFacts(model.access[question.action], facts).op === "false";
  const outcome = isPlainNo ? denialOf(actor) : outcomeOf(rules, judged.row, actor);
  const refusing = isPlainNo ? rules.slice(-1) : rules.filter(({ clause }) => clause.holds === false).slice(0, 1);
  const blamed = outcome === "allowed" ? rules : refusing;
  return {
    model: model.name,
    action: question.action,
    id: question.id ?? null,
    actor: { kind: actor.kind, id: actor.id, roles: actor.roles },
    facts: facts.holds.map((holds, fact) => ({
      says: sayRule({ op: "fact", fact }, at.context.schema.roles),
      holds: holds || facts.system,
    })),
    row: judged.row,
    outcome,
    rules,
    fields: ruled.map(({ field }, index) => ({ field: field.name, clause: clauses[trees.length + index] as Clause })),
    because: outcome === "depends" ? [] : [...new Set(blamed.flatMap(({ clause }) => decidersOf(clause)))],
  };
}

interface Judging {
  readonly at: Explaining;
  readonly actor: Actor;
  readonly facts: Facts;
  readonly model: Model;
  readonly question: Question;
}

function fieldRules(model: Model, action: "read" | "create" | "update"): { readonly field: Field; readonly rule: Filter }[] {
  return [...model.access.fields].flatMap(([name, access]) => {
    const field = model.fields.get(name);
    const rule = access[action];
    return field && rule ? [{ field, rule }] : [];
  });
}

interface Judged {
  readonly row: Explanation["row"];
  /** What the database says of the clauses that it was asked; facts and constants are not among them. */
  readonly truths: ReadonlyMap<Filter, boolean>;
}

async function judge(rules: readonly Filter[], judging: Judging): Promise<Judged> {
  const { at, actor, facts, question } = judging;
  const isMade = question.action === "create";
  if (question.id === undefined && !(isMade && question.data)) return { row: "not given", truths: new Map() };
  const leaves = rules.flatMap(leavesOf).filter((leaf) => !isConstant(foldFacts(leaf, facts)));
  const c = startCompiling(at.context.dialect, at.context.schema, false);
  const alias = c.nextAlias();
  const given = parseData(judging);
  const instead = new Map([...given].map(([field, value]) => [field, markFor(c.slots, { from: "value", value })]));
  const inner: Compiling = { ...inRow(c, alias), ...(instead.size > 0 ? { instead } : {}) };
  const conditions = leaves.map((leaf) => `case when ${compileFilter(foldFacts(leaf, facts), inner)} then 1 else 0 end`);
  const { there, from } = question.id === undefined ? madeRow(judging, given, c) : storedRow(judging, question.id, c);
  const { text, slots } = finish(`select ${[...there, ...conditions].join(", ")} from (select 1) ${from}`, c.slots);
  const params = slots.map((slot) => fill(slot as Exclude<Slot, { from: "step" }>, { values: [], actor, now: at.now }));
  const [row] = await at.read({ text, params });
  assert(row, "the statement gives a row, whether there is one in the table or not");
  const state = Number(row[0]) === 0 ? "missing" : Number(row[1]) === 1 ? "in the trash" : "there";
  // Of a row that is not there nothing can be said.
  const truths = state === "missing" ? [] : leaves.map((leaf, index) => [leaf, Number(row[index + 2]) === 1] as const);
  return { row: question.id === undefined ? "not given" : state, truths: new Map(truths) };
}

interface Source {
  /** Two columns: whether there is a row, and whether it is in the trash. */
  readonly there: readonly string[];
  readonly from: string;
}

function storedRow({ at, model }: Judging, id: string, c: Compiling): Source {
  const { quote } = at.context.dialect;
  const values = parseKey(model, id);
  if (!values) throw fail("not_found");
  const on = model.key.map(
    (field, index) => `t0.${quote(field.column)} = ${markFor(c.slots, { from: "value", value: values[index] as Value })}`,
  );
  const deleted = model.softDelete
    ? `case when t0.${quote((model.fields.get("deletedAt") as Field).column)} is null then 0 else 1 end`
    : "0";
  const first = quote((model.key[0] as Field).column);
  return {
    there: [`case when t0.${first} is null then 0 else 1 end`, deleted],
    from: `left join ${quote(model.table)} t0 on ${on.join(" and ")}`,
  };
}

/** The row that a create would make, as far as its input and plain defaults tell. */
function madeRow({ at, model, actor }: Judging, given: ReadonlyMap<Field, Value>, c: Compiling): Source {
  const { quote } = at.context.dialect;
  const columns = storedFields(model).map((field) => {
    const value = given.get(field) ?? defaultOf(field, actor, at.now);
    return `${markFor(c.slots, { from: "value", value })} as ${quote(field.column)}`;
  });
  return { there: ["1", "0"], from: `cross join (select ${columns.join(", ")}) t0` };
}

function defaultOf(field: Field, actor: Actor, now: string): Value {
  switch (field.default?.from) {
    case "value":
      return field.default.value;
    case "me":
      return actor.id;
    case "now":
      return now;
    default:
      return null;
  }
}

function parseData({ model, question }: Judging): ReadonlyMap<Field, Value> {
  const parsed = new Map<Field, Value>();
  for (const [name, given] of Object.entries(question.data ?? {})) {
    const pointer = `/data/${name}`;
    const field = model.fields.get(name);
    if (!field || field.computed || field.partOf !== null)
      throw badInput([{ pointer, code: "unknown_field", message: `${model.name} has no stored field ${JSON.stringify(name)}.` }]);
    const value = given === null ? null : field.type.parse(given, field.params);
    if (isMisfit(value)) throw badInput([{ pointer, code: value.code, message: `The value ${value.misfit}.` }]);
    for (const [held, part] of spread(field, value)) parsed.set(model.fields.get(held) as Field, part);
  }
  return parsed;
}

/** Clauses that are judged as a whole: comparisons, and what is said of related rows. */
function leavesOf(rule: Filter): readonly Filter[] {
  if (rule.op === "and" || rule.op === "or") return rule.args.flatMap(leavesOf);
  return rule.op === "not" ? leavesOf(rule.arg) : [rule];
}

function isConstant(filter: Filter): boolean {
  return filter.op === "true" || filter.op === "false";
}

/** Says whether a clause holds; null where it is not known. */
type Truth = (filter: Filter) => boolean | null;

function truthIn(truths: Judged["truths"], facts: Facts): Truth {
  const truth: Truth = (filter) => {
    if (facts.system) return true;
    switch (filter.op) {
      case "and":
        return every(filter.args.map(truth));
      case "or":
        return opposite(every(filter.args.map((arg) => opposite(truth(arg)))));
      case "not":
        return opposite(truth(filter.arg));
      default: {
        const folded = foldFacts(filter, facts);
        return isConstant(folded) ? folded.op === "true" : (truths.get(filter) ?? null);
      }
    }
  };
  return truth;
}

interface Building {
  readonly truth: Truth;
  readonly roles: readonly string[];
  /** What is built is part of the reason. */
  readonly decides: boolean;
}

function build(rule: Filter, { truth, roles, decides }: Building): Clause {
  const holds = truth(rule);
  const args = rule.op === "and" || rule.op === "or" ? rule.args : rule.op === "not" ? [rule.arg] : [];
  // Of `or` that holds, and of `and` that does not, the first clause of that outcome decides; otherwise they all do.
  const isShort = rule.op === "or" ? holds === true : rule.op === "and" ? holds === false : false;
  const decider = isShort ? args.find((arg) => truth(arg) === holds) : undefined;
  const isReason = decides && holds !== null;
  return {
    says: sayRule(rule, roles),
    joins: rule.op === "and" || rule.op === "or" || rule.op === "not" ? rule.op : null,
    holds,
    decides: isReason,
    parts: args.map((arg) => build(arg, { truth, roles, decides: isReason && (!isShort || arg === decider) })),
  };
}

function every(truths: readonly (boolean | null)[]): boolean | null {
  return truths.includes(false) ? false : truths.includes(null) ? null : true;
}

function opposite(truth: boolean | null): boolean | null {
  return truth === null ? null : !truth;
}

function decidersOf(clause: Clause): readonly string[] {
  if (!clause.decides) return [];
  if (clause.parts.length > 0 && clause.joins !== "not") return clause.parts.flatMap(decidersOf);
  return [`${clause.says}${clause.holds ? "" : " does not hold"}`];
}

// A rule that is a plain no is told before any row is looked at.
function denialOf(actor: Actor): "unauthenticated" | "forbidden" {
  return actor.kind === "anonymous" ? "unauthenticated" : "forbidden";
}

function outcomeOf(rules: Explanation["rules"], row: Explanation["row"], actor: Actor): Explanation["outcome"] {
  if (row === "missing" || row === "in the trash") return "not_found";
  const failing = rules.find(({ clause }) => clause.holds === false);
  if (failing) return failing.action === "read" && row === "there" ? "not_found" : denialOf(actor);
  return rules.every(({ clause }) => clause.holds === true) ? "allowed" : "depends";
}
