/** Writes the condition of a partial index as SQL: own stored fields and constants only, nothing bound. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { Filter, Source, Term } from "../../../schema/filter.ts";
import { failMigrate } from "../errors.ts";

export interface PredicateContext {
  readonly ddl: Pick<Ddl, "quote" | "literal">;
  readonly model: string;
  readonly index: string;
}

const comparisons: Readonly<Record<string, string>> = { eq: "=", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/**
 * Conditions are two-valued: a comparison with null is false, and its complement true. Spelt as queries spell them, for a
 * database uses a partial index only where it sees that a query implies its condition.
 * @throws AppError `index_condition_unsupported`
 */
export function writePredicate(filter: Filter, context: PredicateContext): string {
  switch (filter.op) {
    case "true":
      return "1 = 1";
    case "false":
      return "1 = 0";
    case "and":
    case "or":
      return filter.args.map((arg) => wrap(arg, context)).join(filter.op === "and" ? " AND " : " OR ");
    case "not":
      return writeComplement(filter.arg, context);
    case "compare":
      return writeComparison(filter, context);
    case "fact":
      return refuse(context, "it asks who the actor is.");
    default:
      return refuse(context, "it follows a relation.");
  }
}

function wrap(filter: Filter, context: PredicateContext): string {
  const text = writePredicate(filter, context);
  return filter.op === "compare" ? text : `(${text})`;
}

function writeComplement(filter: Filter, context: PredicateContext): string {
  if (filter.op === "compare" && filter.operator === "isNull") {
    const asked = constantOf(filter.right[0], context) !== 0;
    return `${columnOf(filter.left, context)} IS ${asked ? "NOT " : ""}NULL`;
  }
  return `(${writePredicate(filter, context)}) IS NOT TRUE`;
}

function writeComparison(filter: Extract<Filter, { op: "compare" }>, context: PredicateContext): string {
  const { ddl } = context;
  const column = columnOf(filter.left, context);
  const values = filter.right.map((source) => constantOf(source, context));
  const { type, params } = filter.left.field;
  const texts = values.map((value) => ddl.literal(value, { storage: type.storage, scale: params.scale ?? null }));
  const sign = comparisons[filter.operator];
  if (sign !== undefined) return `${column} ${sign} ${texts[0]}`;
  switch (filter.operator) {
    case "isNull":
      return `${column} IS ${values[0] === 0 ? "NOT " : ""}NULL`;
    case "ne":
      return `(${column} = ${texts[0]}) IS NOT TRUE`;
    case "in":
      return texts.length === 0 ? "1 = 0" : `${column} IN (${texts.join(", ")})`;
    case "nin":
      return texts.length === 0 ? "1 = 1" : `(${column} IN (${texts.join(", ")})) IS NOT TRUE`;
    case "between":
      return `(${column} >= ${texts[0]} AND ${column} <= ${texts[1]})`;
    default:
      return refuse(context, `it uses ${filter.operator}, which databases judge differently.`);
  }
}

function columnOf(term: Term, context: PredicateContext): string {
  if (term.path.length > 0) return refuse(context, `it looks inside the document ${term.field.name}.`);
  if (term.field.column === "") return refuse(context, `${term.field.name} is computed.`);
  if (term.up > 0 || term.of !== "row") return refuse(context, "it speaks of another row.");
  return context.ddl.quote(term.field.column);
}

function constantOf(source: Source | undefined, context: PredicateContext) {
  if (source?.from === "value") return source.value;
  return refuse(
    context,
    source?.from === "term" ? "it compares two fields." : "it compares with something other than a constant.",
  );
}

function refuse({ model, index }: PredicateContext, why: string): never {
  throw failMigrate("index_condition_unsupported", { fields: { model, index, why } });
}
