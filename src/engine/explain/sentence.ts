/** Says a rule in words: `row.owner = me.id`, `me has role staff`. For explain, the checks and the command line. */
import type { Operator } from "../../schema/cond.ts";
import type { Filter, Source, Term } from "../../schema/filter.ts";
import { isMisfit, wireOf } from "../../schema/fields/field-type.ts";

/** What is needed to say a rule. */
export interface Wording {
  /** Roles by the number of their fact. */
  readonly roles: readonly string[];
  /** What the rows in reach are called, innermost last. */
  readonly rows: readonly string[];
}

const signs: Readonly<Record<Operator, string>> = {
  eq: "=",
  ne: "≠",
  gt: ">",
  gte: "≥",
  lt: "<",
  lte: "≤",
  in: "in",
  nin: "not in",
  contains: "contains",
  startsWith: "starts with",
  endsWith: "ends with",
  like: "is like",
  isNull: "is null",
  between: "between",
  search: "is found by",
};

/** The sentence of a rule over a row. */
export function sayRule(filter: Filter, roles: readonly string[]): string {
  return say(filter, { roles, rows: ["row"] });
}

function say(filter: Filter, wording: Wording): string {
  switch (filter.op) {
    case "true":
      return "everyone";
    case "false":
      return "nobody";
    case "fact":
      return filter.fact === 0 ? "me is signed in" : `me has role ${wording.roles[filter.fact - 1] ?? "?"}`;
    case "and":
    case "or":
      return filter.args.map((arg) => sayPart(arg, filter.op, wording)).join(` ${filter.op} `);
    case "not":
      return `not (${say(filter.arg, wording)})`;
    case "compare":
      return sayCompare(filter, wording);
    case "one":
      return say(filter.where, within(wording, `${wording.rows.at(-1)}.${filter.relation.name}`));
    default: {
      const path = `${wording.rows.at(-1)}.${filter.relation.name}`;
      return `${filter.op} of ${path} (${say(filter.where, within(wording, filter.relation.name))})`;
    }
  }
}

function within(wording: Wording, row: string): Wording {
  return { ...wording, rows: [...wording.rows, row] };
}

function sayPart(filter: Filter, outer: "and" | "or", wording: Wording): string {
  const text = say(filter, wording);
  return (filter.op === "and" || filter.op === "or") && filter.op !== outer ? `(${text})` : text;
}

function sayCompare({ operator, left, right }: Extract<Filter, { op: "compare" }>, wording: Wording): string {
  const name = sayTerm(left, wording);
  if (operator === "isNull")
    return right[0]?.from === "value" && right[0].value === 0 ? `${name} is not null` : `${name} is null`;
  const values = right.map((source) => saySource(source, left, wording));
  const [first = "nothing", second = "nothing"] = values;
  if (operator === "between") return `${name} between ${first} and ${second}`;
  const isList = operator === "in" || operator === "nin";
  return `${name} ${signs[operator]} ${isList && right[0]?.from !== "term" ? `[${values.join(", ")}]` : first}`;
}

function sayTerm({ field, up, path, of }: Term, { rows }: Wording): string {
  const row = of === "input" ? "input" : (rows[rows.length - 1 - up] ?? "row");
  return [row, field.name, ...path].join(".");
}

function saySource(source: Source, left: Term, wording: Wording): string {
  switch (source.from) {
    case "me":
      return source.claim === "id" ? "me.id" : `me.claim(${JSON.stringify(source.claim)})`;
    case "now":
      return "now";
    case "param":
      return "?";
    case "term":
      return sayTerm(source.term, wording);
    case "value":
      return sayValue(source.value, left);
  }
}

function sayValue(value: Extract<Source, { from: "value" }>["value"], { field, inside }: Term): string {
  const { type, params } = inside ?? field;
  if (value === null || isMisfit(value)) return "null";
  const wire = wireOf({ type, params }, value);
  return typeof wire === "bigint" ? String(wire) : JSON.stringify(wire);
}
