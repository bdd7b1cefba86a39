/** Plans aggregates: groups and date buckets, measures, conditions on results, and their order. */
import { didYouMean } from "../../base/suggest.ts";
import type { Bucket } from "../../drivers/dialect.ts";
import { engineField } from "../../schema/compile-fields.ts";
import { bigintType } from "../../schema/fields/bigint.ts";
import { decimalType } from "../../schema/fields/decimal.ts";
import { floatType } from "../../schema/fields/float.ts";
import { integerType } from "../../schema/fields/integer.ts";
import { allOf, always, anyOf, complement, type Filter, termOf } from "../../schema/filter.ts";
import type { Field } from "../../schema/schema.ts";
import type { AggregateQuery, Where } from "../call.ts";
import { badQuery } from "../errors.ts";
import type { AggregateName, AggregatePlan } from "./plan.ts";
import { isOperator, type Params, planWhere } from "./filter.ts";
import { type Planning, planReached } from "./read.ts";
import { orderText, pointerPart } from "./shape.ts";

const buckets: readonly string[] = ["year", "quarter", "month", "week", "day", "hour"];
const measureNames: readonly AggregateName[] = ["count", "sum", "avg", "min", "max"];
const havingOperators: readonly string[] = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "isNull"];

export function planAggregate(query: AggregateQuery, planning: Planning): AggregatePlan {
  const { view, model, params } = planning;
  const trash = query.trash ?? "without";
  if (trash !== "without" && !model.softDelete) throw badQuery("/trash", "unknown_parameter", `${model.name} has no trash.`);
  const where = query.where ? planWhere(query.where, { view, model, params, pointer: "/where" }) : always;
  const groups = (query.group ?? []).map((name, index) => planGroup(name, `/group/${index}`, planning));
  const measures = measureNames.flatMap((name) =>
    (query[name] ?? defaultsOf(name, query)).map((of, index) =>
      planMeasure(name, of, { pointer: `/${name}/${index}`, planning }),
    ),
  );
  const having = query.having ? planHaving(query.having, { measures, params, pointer: "/having" }) : always;
  const order = planGroupOrder(orderText(query.orderBy, "/orderBy"), groups, measures);
  return { kind: "aggregate", model, trash, where, rule: null, groups, measures, having, order, limitParam: params.next++ };
}

function defaultsOf(name: AggregateName, query: AggregateQuery): readonly string[] {
  return name === "count" && measureNames.every((other) => query[other] === undefined) ? ["*"] : [];
}

function planGroup(name: string, pointer: string, planning: Planning): AggregatePlan["groups"][number] {
  const bucketed = /^(\w+)\(([\w.]+)\)$/.exec(name);
  const by = planReached(bucketed?.[2] ?? name, pointer, planning);
  const { type } = by.term.field;
  if (!bucketed) {
    if (!type.ordered) throw badQuery(pointer, "not_ordered", `${name} is ${type.name}, which cannot be grouped.`);
    return { name, by, bucket: null };
  }
  const bucket = bucketed[1] as string;
  if (!buckets.includes(bucket))
    throw badQuery(pointer, "unknown_operator", `There is no bucket ${JSON.stringify(bucket)}; there are ${buckets.join(", ")}.`);
  const fits = type.name === "datetime" || (type.name === "date" && bucket !== "hour");
  if (!fits) throw badQuery(pointer, "type", `${by.term.field.name} is ${type.name}, which has no ${bucket}.`);
  return { name, by, bucket: bucket as Bucket };
}

type Measure = AggregatePlan["measures"][number];

function planMeasure(name: AggregateName, of: string, { pointer, planning }: { pointer: string; planning: Planning }): Measure {
  if (of === "*") {
    if (name !== "count") throw badQuery(pointer, "type", `${name} takes a field.`);
    return { name, of: null, field: resultField("count", integerType, {}) };
  }
  const field = planning.view.field(planning.model, of);
  if (!field)
    throw badQuery(
      pointer,
      "unknown_field",
      `${planning.model.name} has no field ${JSON.stringify(of.slice(0, 64))}.${didYouMean(of, planning.view.names(planning.model))}`,
    );
  const { type, params } = field;
  const fits = name === "count" || (name === "sum" || name === "avg" ? type.numeric : type.ordered && type.name !== "boolean");
  if (!fits) throw badQuery(pointer, "type", `${of} is ${type.name}, which has no ${name}.`);
  const isOfColumn = name === "sum" || name === "min" || name === "max";
  const result = name === "count" ? integerType : name === "avg" ? floatType : name === "sum" ? sumType(field) : type;
  return {
    name,
    of: termOf(field),
    field: {
      ...resultField(`${name}.${of}`, result, isOfColumn ? { ...params, precision: undefined } : {}),
      native: isOfColumn ? field.native : null,
    },
  };
}

// A sum of many has more digits than one; where that may pass 2^53 it is written as text.
function sumType(field: Field): Field["type"] {
  if (field.type.name === "decimal") return decimalType;
  return field.type.name === "bigint" ? bigintType : field.type.name === "float" ? floatType : integerType;
}

function resultField(name: string, type: Field["type"], params: Field["params"]): Field {
  return { ...engineField("", name), column: "", type, params: { ...params, min: undefined, max: undefined }, optional: true };
}

interface Having {
  readonly measures: readonly Measure[];
  readonly params: Params;
  readonly pointer: string;
}

function planHaving(having: Where, names: Having): Filter {
  const args: Filter[] = [];
  for (const [name, value] of Object.entries(having)) {
    if (value === undefined) continue;
    const at = { ...names, pointer: `${names.pointer}/${pointerPart(name)}` };
    if (name === "and" || name === "or") {
      if (!Array.isArray(value)) throw badQuery(at.pointer, "type", `${name} takes a list.`);
      const arms = value.map((arm, index) => planHaving(arm as Where, { ...at, pointer: `${at.pointer}/${index}` }));
      args.push(name === "and" ? allOf(arms) : anyOf(arms));
    } else if (name === "not") args.push(complement(planHaving(value as Where, at)));
    else args.push(planResult(name, value, at));
  }
  return allOf(args);
}

function planResult(name: string, value: unknown, at: Having): Filter {
  const measure = at.measures.find(({ field }) => field.name === name);
  if (!measure)
    throw badQuery(
      at.pointer,
      "unknown_field",
      `The aggregate has no result ${JSON.stringify(name.slice(0, 64))}; it has ${at.measures.map(({ field }) => field.name).join(", ")}.`,
    );
  const left = { ...termOf(measure.field), of: "input" as const };
  const compare = (operator: string, operand: unknown, pointer: string): Filter => {
    if (!isOperator(operator) || !havingOperators.includes(operator))
      throw badQuery(pointer, "unknown_operator", `A result has no operator ${JSON.stringify(operator.slice(0, 64))}.`);
    if (operator === "isNull")
      return { op: "compare", operator, left, right: [{ from: "value", value: operand === true || operand === "true" ? 1 : 0 }] };
    if (operand === null || (typeof operand === "object" && !Array.isArray(operand)))
      throw badQuery(pointer, "type", `${operator} takes a value.`);
    return { op: "compare", operator, left, right: [{ from: "param", index: at.params.next++ }] };
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return compare("eq", value, at.pointer);
  return allOf(
    Object.entries(value)
      .filter(([, operand]) => operand !== undefined)
      .map(([operator, operand]) => compare(operator, operand, `${at.pointer}/${pointerPart(operator)}`)),
  );
}

function planGroupOrder(text: string, groups: AggregatePlan["groups"], measures: readonly Measure[]): AggregatePlan["order"] {
  const order: AggregatePlan["order"][number][] = [];
  for (const part of text === "" ? [] : text.split(",")) {
    const descending = part.startsWith("-");
    const name = (descending ? part.slice(1) : part).trim();
    const group = groups.findIndex((candidate) => candidate.name === name);
    const measure = measures.findIndex(({ field }) => field.name === name);
    if (group < 0 && measure < 0)
      throw badQuery("/orderBy", "unknown_field", `The aggregate has no group or result ${JSON.stringify(name.slice(0, 64))}.`);
    order.push(group >= 0 ? { of: "group", index: group, descending } : { of: "measure", index: measure, descending });
  }
  // The groups themselves make the order total.
  const rest = groups
    .map((_, index) => index)
    .filter((index) => !order.some((term) => term.of === "group" && term.index === index));
  return [...order, ...rest.map((index) => ({ of: "group" as const, index, descending: false }))];
}
