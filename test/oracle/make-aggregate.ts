/** Random aggregates: groups, buckets, measures, conditions on results and their order. */
import type { Aggregate } from "./aggregates.ts";
import { makeWhere, type Making, visibleFields } from "./make-query.ts";
import { makeValue } from "./make-values.ts";
import { type FieldDef, fieldOf, type ModelDef } from "./world.ts";

type Writable = { -readonly [K in keyof Aggregate]: Aggregate[K] };

export function makeAggregate(making: Making, model: ModelDef): Aggregate {
  const { random } = making;
  const fields = visibleFields(making, model).filter(({ kind }) => kind !== "json" && kind !== "list" && kind !== "bytes");
  const numbers = fields.filter(
    (field) =>
      (field.kind === "integer" || field.kind === "decimal" || field.kind === "bigint" || field.kind === "float") &&
      field.small &&
      !field.target &&
      !model.key.includes(field.name),
  );
  const ordered = fields.filter(({ kind }) => kind !== "boolean");
  const made: Writable = {};
  if (random.chance(0.4)) made.where = makeWhere(making, model, 1);
  const group = random.some(fields, 2).map((field) => bucketed(making, field));
  if (group.length > 0) made.group = group;
  if (random.chance(0.6))
    made.count = random.pick([["*"], ["*", ...random.some(fields, 2).map(nameOf)], [random.pick(fields).name]]);
  for (const measure of ["sum", "avg", "min", "max"] as const) {
    const names = random.some(measure === "sum" || measure === "avg" ? numbers : ordered, 2).map(nameOf);
    if (names.length > 0 && random.chance(0.6)) made[measure] = names;
  }
  const results = resultsOf(made);
  if (group.length > 0 && results.length > 0 && random.chance(0.35))
    made.having = makeHaving(making, model, random.pick(results));
  if (group.length > 0 && random.chance(0.5)) {
    const terms = [...random.some(results, 1), ...random.some(group, 2)].map((name) => (random.chance(0.5) ? `-${name}` : name));
    if (terms.length > 0) made.orderBy = random.chance(0.5) ? terms : terms.join(",");
  }
  if (group.length > 0 && random.chance(0.2)) made.limit = 1 + random.int(4);
  return made;
}

function nameOf({ name }: FieldDef): string {
  return name;
}

function bucketed({ random }: Making, field: FieldDef): string {
  if (field.target || random.chance(0.3) || (field.kind !== "datetime" && field.kind !== "date")) return field.name;
  const units = ["year", "quarter", "month", "week", "day"];
  return `${random.pick(field.kind === "datetime" ? [...units, "hour"] : units)}(${field.name})`;
}

// Averages are doubles, and doubles at the edge are nobody's to compare.
function resultsOf(made: Writable): string[] {
  const counts = (made.count ?? []).map((name) => (name === "*" ? "count" : `count.${name}`));
  return [
    ...counts,
    ...(["sum", "min", "max"] as const).flatMap((measure) => (made[measure] ?? []).map((name) => `${measure}.${name}`)),
  ];
}

function makeHaving({ random }: Making, model: ModelDef, result: string): Record<string, unknown> {
  const [measure = "", name = ""] = result.split(".");
  const operator = random.pick(["eq", "ne", "gt", "gte", "lt", "lte"]);
  const operand = measure === "count" ? random.int(6) : makeValue(random, fieldOf(model, name) as FieldDef);
  return { [result]: { [operator]: operand } };
}
