/** Compiles guarded reads into one statement each, whose rows are JSON texts and the values that cursors are made of. */
import { assert } from "../../base/errors.ts";
import type { Dialect, SortTerm } from "../../drivers/dialect.ts";
import type { Field, Model, Schema } from "../../schema/schema.ts";
import { type Compiling, compileFilter, compileStep, compileTerm, inRow, startCompiling } from "./filter.ts";
import { bindTo, columnForm, formOf, looseForm } from "./form.ts";
import type { Limits } from "../limits.ts";
import type { GetPlan, Guarded, ListPlan, Order, Output, Reached, Related, RowsPlan, Trash } from "../plan/plan.ts";
import { type Convert, finish, markFor, type Template } from "./slot.ts";

/** What compiling needs to know of the backend. */
export interface Target {
  readonly dialect: Dialect;
  readonly schema: Schema;
  readonly limits: Limits;
}

const asIs: Convert = (value) => value as ReturnType<Convert>;

/** Rows: JSON, then the cursor's values; where a count was asked for it comes first, and without rows the JSON is null. */
export function compileList(plan: Guarded<ListPlan>, target: Target, texts: boolean): Template {
  const c = startCompiling(target.dialect, target.schema, texts);
  const { rows } = plan;
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const conditions = rowConditions(rows, alias, inner);
  const counted = plan.count === "none" ? null : countOf(plan, conditions, { alias, limits: target.limits, c });
  const orders = rows.order.map((order) => compileReached(order.by, inner));
  const backwards = plan.cursor?.direction === "before";
  if (plan.cursor) conditions.push(keysetCondition({ order: rows.order, cursor: plan.cursor }, orders, c));
  const { object, joins } = compileOutput(rows.output, inner);
  // Without a key no cursor is made of a row's values.
  const kept = rows.model.key.length === 0 ? [] : orders;
  const columns = [`${object} as "j"`, ...kept.map((sql, index) => `${sql} as "k${index}"`)];
  const limit = markFor(c.slots, { from: "param", index: plan.limitParam, convert: asIs });
  const offset =
    plan.offsetParam === null ? "" : ` offset ${markFor(c.slots, { from: "param", index: plan.offsetParam, convert: asIs })}`;
  // Rows of which nothing can be ordered are ordered by what they are answered as.
  const terms = (sqls: readonly string[]) =>
    ` order by ${sortTerms(rows.order, sqls, backwards).map(c.dialect.sorting.term).join(", ") || "1"}`;
  const query = `select ${columns.join(", ")} from ${c.dialect.quote(rows.model.table)} ${alias}${joins}${whereOf(conditions)}${terms(orders)}`;
  // One row more says whether there is a next page; what an offset skips comes on top of it.
  const most = plan.offsetParam === null ? rows.model.limits.pageSizeMax + 1 : null;
  const select = `${c.dialect.sorting.first(query, limit, most)}${offset}`;
  if (!counted) return finish(select, c.slots);
  const again = c.dialect.sorting.keepsOrder ? "" : terms(orders.map((_, index) => `r."k${index}"`));
  return finish(`select c.*, r.* from (${counted}) c left join (${select}) r on 1 = 1${again}`, c.slots);
}

/** One row: JSON and version. */
export function compileGet(plan: Guarded<GetPlan>, target: Target, texts: boolean): Template {
  const c = startCompiling(target.dialect, target.schema, texts);
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const { rows } = plan;
  const keys = rows.model.key.map((field, index) => {
    const slot = markFor(c.slots, { from: "param", index: plan.keyParams[index] as number, convert: asIs });
    return `${alias}.${c.dialect.quote(field.column)} = ${bindTo(field, slot, c.dialect)}`;
  });
  const version = versionColumn(rows.model, alias, c.dialect);
  const conditions = [...keys, ...rowConditions(rows, alias, inner)];
  const { object, joins } = compileOutput(rows.output, inner);
  const text = `select ${object}, ${version} from ${c.dialect.quote(rows.model.table)} ${alias}${joins}${whereOf(conditions)}`;
  return finish(text, c.slots);
}

/** The row's version, or null where the model keeps none. */
export function versionColumn({ version }: Model, alias: string, dialect: Dialect): string {
  return version ? `${alias}.${dialect.quote(version.column)}` : "null";
}

/** The caller's conditions, the rule, and what the trash leaves. */
function rowConditions(rows: RowsPlan, alias: string, inner: Compiling): string[] {
  assert(rows.rule, "guard() puts the rule into a plan before it is compiled");
  const conditions: string[] = [];
  const trash = trashCondition(rows, alias, inner.dialect);
  if (trash) conditions.push(trash);
  if (rows.rule.op !== "true") conditions.push(compileFilter(rows.rule, inner));
  if (rows.where.op !== "true") conditions.push(compileFilter(rows.where, inner));
  return conditions;
}

export function trashCondition(
  { model, trash }: { readonly model: Model; readonly trash: Trash },
  alias: string,
  dialect: Dialect,
): string | null {
  if (!model.softDelete || trash === "with") return null;
  const column = `${alias}.${dialect.quote((model.fields.get("deletedAt") as Field).column)}`;
  return trash === "only" ? `${column} is not null` : `${column} is null`;
}

export function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
}

/** The JSON object of a row, and the joins that it speaks of, to stand behind the row's own table. */
export interface CompiledOutput {
  readonly object: string;
  readonly joins: string;
}

export function compileOutput(output: Output, inner: Compiling): CompiledOutput {
  const pairs: (readonly [string, string])[] = [];
  const joins: string[] = [];
  for (const { name, term } of output.fields) {
    const isStored = term.mask === null && term.field.column !== "";
    const form = isStored ? columnForm(term.field) : looseForm(term.field);
    pairs.push([name, inner.dialect.json.value(form, compileTerm(term, inner))]);
  }
  for (const related of output.related) {
    const isOne = related.step.relation.kind === "one";
    const made = isOne ? compileOne(related, inner) : { object: compileMany(related, inner), joins: "" };
    pairs.push([related.name, made.object]);
    joins.push(made.joins);
  }
  return { object: inner.dialect.json.object(pairs), joins: joins.join("") };
}

// A join costs less than a subquery for each row, and at most one row is on its other side.
function compileOne(related: Related, c: Compiling): CompiledOutput {
  const joined = compileStep(related.step, c);
  const { object, joins } = compileOutput(related.rows.output, joined.inner);
  const { relation } = related.step;
  const present = related.rows.model.key[0]?.column ?? relation.on[0]?.foreign ?? "";
  const key = `${joined.alias}.${c.dialect.quote(present)}`;
  return {
    object: c.dialect.json.when(`${key} is not null`, object),
    joins: ` left join ${joined.from} on ${joined.on}${joins}`,
  };
}

function compileMany(related: Related, c: Compiling): string {
  const joined = compileStep(related.step, c);
  const { rows } = related;
  const { object, joins } = compileOutput(rows.output, joined.inner);
  const conditions = [joined.on];
  if (rows.where.op !== "true") conditions.push(compileFilter(rows.where, joined.inner));
  const orders = rows.order.map((order) => compileReached(order.by, joined.inner));
  return c.dialect.json.array({
    object,
    from: `from ${joined.from}${joins}${whereOf(conditions)}`,
    order: sortTerms(rows.order, orders, false),
    limit: rows.limit as number,
  });
}

/** A scalar behind to-one relations, as a subquery for each. */
export function compileReached(reached: Reached, c: Compiling): string {
  const [step, ...rest] = reached.steps;
  if (!step) return compileTerm(reached.term, c);
  const joined = compileStep(step, c);
  return `(select ${compileReached({ steps: rest, term: reached.term }, joined.inner)} from ${joined.from} where ${joined.on})`;
}

function sortTerms(order: readonly Order[], orders: readonly string[], backwards: boolean): readonly SortTerm[] {
  return orders.map((sql, index) => {
    const { descending, nullable } = order[index] as Order;
    return { sql, descending: descending !== backwards, nullable };
  });
}

function countOf(plan: ListPlan, conditions: readonly string[], at: { alias: string; limits: Limits; c: Compiling }): string {
  const from = `from ${at.c.dialect.quote(plan.rows.model.table)} ${at.alias}${whereOf(conditions)}`;
  return plan.count === "exact"
    ? `select count(*) as "n" ${from}`
    : `select count(*) as "n" from (select 1 ${from} limit ${at.limits.estimateMax}) e`;
}

/**
 * Rows behind the cursor, strictly or with its own. A row-value comparison where all terms are of one direction and not null, and an index
 * answers it at any depth; otherwise the nested form, led by a bound on the first term that an index can use.
 */
function keysetCondition(
  { order, cursor }: { order: readonly Order[]; cursor: NonNullable<ListPlan["cursor"]> },
  orders: readonly string[],
  c: Compiling,
): string {
  let param = cursor.firstParam;
  const values = cursor.nulls.map((isNull, index) => {
    if (isNull) return null;
    const mark = markFor(c.slots, { from: "param", index: param++, convert: asIs });
    const { term } = (order[index] as Order).by;
    return c.dialect.sorting.resume(term.inside ? formOf(term.inside) : columnForm(term.field), mark);
  });
  const rising = order.map(({ descending }) => descending === (cursor.direction === "before"));
  const isPlain = order.every(({ nullable }, index) => !nullable && rising[index] === rising[0]);
  if (isPlain && (orders.length === 1 || c.dialect.sorting.comparesRows)) {
    const sign = (rising[0] ? ">" : "<") + (cursor.turned ? "=" : "");
    return orders.length === 1 ? `${orders[0]} ${sign} ${values[0]}` : `(${orders.join(", ")}) ${sign} (${values.join(", ")})`;
  }
  const behind = (index: number): string => {
    const sql = orders[index] as string;
    const beyond = beyondCondition(sql, values[index] ?? null, {
      rising: rising[index] as boolean,
      nullable: order[index]?.nullable ?? true,
    });
    const same = values[index] === null ? `${sql} is null` : `${sql} = ${values[index]}`;
    if (index === orders.length - 1) return cursor.turned ? `(${beyond} or ${same})` : beyond;
    return `(${beyond} or (${same} and ${behind(index + 1)}))`;
  };
  const first = values[0];
  const bound =
    first !== null && (rising[0] || !order[0]?.nullable) ? `${orders[0]} ${rising[0] ? ">=" : "<="} ${first} and ` : "";
  return `(${bound}${behind(0)})`;
}

function beyondCondition(
  sql: string,
  value: string | null,
  { rising, nullable }: { rising: boolean; nullable: boolean },
): string {
  if (value === null) return rising ? `${sql} is not null` : "1 = 0";
  if (rising) return `${sql} > ${value}`;
  return nullable ? `(${sql} < ${value} or ${sql} is null)` : `${sql} < ${value}`;
}
