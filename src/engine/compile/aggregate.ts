/** Compiles guarded aggregates into one statement; each row is the JSON of one group. */
import type { Dialect, Form } from "../../drivers/dialect.ts";
import type { Field } from "../../schema/schema.ts";
import { columnForm, formOf, looseForm, plainForm } from "./form.ts";
import { compileFilter, compileTerm, inRow, startCompiling } from "./filter.ts";
import { compileReached, type Target, trashCondition, whereOf } from "./read.ts";
import type { AggregateName, AggregatePlan, Guarded } from "../plan/plan.ts";
import { finish, markFor, type Template } from "./slot.ts";

/** Rows: one JSON text a group, in order. */
export function compileAggregate(plan: Guarded<AggregatePlan>, target: Target, texts: boolean): Template {
  const c = startCompiling(target.dialect, target.schema, texts);
  const { quote } = c.dialect;
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const trash = trashCondition(plan, alias, c.dialect);
  const conditions = [
    ...(trash ? [trash] : []),
    ...[plan.rule, plan.where].flatMap((part) => (part && part.op !== "true" ? [compileFilter(part, inner)] : [])),
  ];
  const groups = plan.groups.map(({ by, bucket }) => {
    const sql = compileReached(by, inner);
    return bucket === null ? sql : c.dialect.bucket(bucket, columnForm(by.term.field), sql);
  });
  const measured = plan.measures.map(({ of }) => (of === null ? null : compileTerm(of, inner)));
  // What is grouped and measured is named first, apart from the table: its columns may have any name, and MariaDB falls over a prepared
  // statement that groups by an expression with subqueries in it. The next level has the results' names, for having and order.
  const values = [
    ...groups.map((sql, index) => `${sql} as ${quote(`g${index}`)}`),
    ...measured.flatMap((sql, index) => (sql === null ? [] : [`${sql} as ${quote(`v${index}`)}`])),
  ];
  const rows = `select ${values.length > 0 ? values.join(", ") : "1 as one"} from ${quote(plan.model.table)} ${alias}${whereOf(conditions)}`;
  const names = groups.map((_, index) => quote(`g${index}`));
  const measures = plan.measures.map(({ name, of }, index) => {
    const sql = measureSql(name, of === null ? null : { of: of.field, sql: quote(`v${index}`) }, c.dialect);
    return `${sql} as ${quote(`m${index}`)}`;
  });
  const grouping = names.length === 0 ? "" : ` group by ${names.join(", ")}`;
  const having = havingSql(plan, c);
  const from = `from (select ${[...names, ...measures].join(", ")} from (${rows}) r${grouping}) a`;
  const order = plan.order.map(({ of, index, descending }) =>
    c.dialect.sorting.term({ sql: quote(`${of === "group" ? "g" : "m"}${index}`), descending, nullable: true }),
  );
  const limit = markFor(c.slots, { from: "param", index: plan.limitParam, convert: (value) => value as number });
  const query = `select ${objectSql(plan, c.dialect)} ${from}${having}${order.length > 0 ? ` order by ${order.join(", ")}` : ""}`;
  return finish(c.dialect.sorting.first(query, limit, null), c.slots);
}

function measureSql(
  name: AggregateName,
  measured: { readonly of: Field; readonly sql: string } | null,
  { numbers }: Dialect,
): string {
  if (measured === null) return "count(*)";
  const form = columnForm(measured.of);
  if (name === "sum") return numbers.sum(form, measured.sql);
  if (name === "avg") return numbers.average(form, measured.sql);
  return name === "count" ? `count(${measured.sql})` : numbers.extreme(name, form, measured.sql);
}

function havingSql(plan: AggregatePlan, c: ReturnType<typeof startCompiling>): string {
  if (plan.having.op === "true") return "";
  const instead = new Map(plan.measures.map(({ field }, index) => [field, c.dialect.quote(`m${index}`)]));
  return ` where ${compileFilter(plan.having, { ...c, aliases: ["a"], instead })}`;
}

function objectSql(plan: AggregatePlan, dialect: Dialect): string {
  const groups = plan.groups.map(({ name, by, bucket }, index) => {
    const column = dialect.quote(`g${index}`);
    return [name, dialect.json.value(bucket === null ? resultForm(by.term.field) : plainForm("text"), column)] as const;
  });
  const pairs: (readonly [string, string])[] = groups.length > 0 ? [["group", dialect.json.object(groups)]] : [];
  for (const name of ["count", "sum", "avg", "min", "max"] as const) {
    const results = plan.measures.flatMap((measure, index) =>
      measure.name === name ? [{ measure, sql: dialect.quote(`m${index}`) }] : [],
    );
    const whole = results.find(({ measure }) => measure.of === null);
    if (whole) pairs.push([name, dialect.json.value(plainForm("integer"), whole.sql)]);
    const fields = results.filter(({ measure }) => measure.of !== null);
    const object = fields.map(
      ({ measure, sql }) => [measure.of?.field.name ?? "", dialect.json.value(resultForm(measure), sql)] as const,
    );
    if (fields.length > 0) pairs.push([whole ? `${name}Of` : name, dialect.json.object(object)]);
  }
  return dialect.json.object(pairs);
}

// A group's or a measure's value may be null, whatever holds of the column; it is kept as the column keeps it.
function resultForm(of: Field | AggregatePlan["measures"][number]): Form {
  if ("type" in of) return looseForm(of);
  const form = formOf(of.field);
  return of.of && of.name !== "avg" && of.name !== "count" ? { ...form, native: columnForm(of.of.field).native } : form;
}
