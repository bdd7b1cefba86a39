/** Compiles the expressions of computed fields; decimals keep their scale exactly. */
import { assert } from "../../base/errors.ts";
import type { Dialect } from "../../drivers/dialect.ts";
import type { Expression } from "../../schema/filter.ts";
import type { Field } from "../../schema/schema.ts";
import { markFor, type Slots } from "./slot.ts";

export interface ExpressionContext {
  /** The computed field, for its type and scale. */
  readonly field: Field;
  readonly dialect: Dialect;
  readonly slots: Slots;
  readonly column: (field: Field) => string;
}

/** SQL and what it yields: a count of 10^-scale units, a double, or a text. */
interface Typed {
  readonly sql: string;
  readonly as: "units" | "real" | "text";
  readonly scale: number;
}

/** The expression as the computed field's type stores it. */
export function compileExpression(expression: Expression, context: ExpressionContext): string {
  const made = compile(expression, context);
  const { type, params } = context.field;
  if (type.storage === "real") return toReal(made).sql;
  if (type.storage === "decimal" || type.storage === "integer" || type.storage === "bigint")
    return rescale(made, params.scale ?? 0).sql;
  return made.as === "text" ? made.sql : toText(made, context.dialect).sql;
}

function compile(expression: Expression, context: ExpressionContext): Typed {
  if (expression.op === "field") {
    const { type, params } = expression.field;
    const as = type.storage === "real" ? "real" : type.numeric || type.storage === "boolean" ? "units" : "text";
    return { sql: context.column(expression.field), as, scale: params.scale ?? 0 };
  }
  if (expression.op === "value") return compileValue(expression, context);
  const args = expression.args.map((arg) => compile(arg, context));
  const [first, second] = args;
  assert(first, `${expression.name} has an argument`);
  switch (expression.name) {
    case "add":
    case "sub":
      return arithmetic(expression.name === "add" ? "+" : "-", first, second as Typed);
    case "mul":
      return first.as === "real" || second?.as === "real"
        ? { sql: `(${toReal(first).sql} * ${toReal(second as Typed).sql})`, as: "real", scale: 0 }
        : { sql: `(${first.sql} * ${second?.sql})`, as: "units", scale: first.scale + (second?.scale ?? 0) };
    case "coalesce": {
      const alike = args.some(({ as }) => as === "text") ? args.map((arg) => toText(arg, context.dialect)) : aligned(args);
      return { ...(alike[0] as Typed), sql: `coalesce(${alike.map(({ sql }) => sql).join(", ")})` };
    }
    case "concat":
      return { sql: `(${args.map((arg) => toText(arg, context.dialect).sql).join(" || ")})`, as: "text", scale: 0 };
    case "length":
      return { sql: `length(${toText(first, context.dialect).sql})`, as: "units", scale: 0 };
    default:
      return { sql: `${expression.name}(${toText(first, context.dialect).sql})`, as: "text", scale: 0 };
  }
}

function compileValue(expression: Extract<Expression, { op: "value" }>, { slots }: ExpressionContext): Typed {
  const { value, scale } = expression;
  if (typeof value !== "number") return { sql: markFor(slots, { from: "value", value }), as: "text", scale: 0 };
  return { sql: markFor(slots, { from: "value", value: Math.round(value * 10 ** scale) }), as: "units", scale };
}

function arithmetic(sign: string, left: Typed, right: Typed): Typed {
  const [a, b] = aligned([left, right]) as [Typed, Typed];
  return { ...a, sql: `(${a.sql} ${sign} ${b.sql})` };
}

function aligned(args: readonly Typed[]): readonly Typed[] {
  if (args.some(({ as }) => as === "real")) return args.map(toReal);
  const scale = Math.max(...args.map((arg) => arg.scale));
  return args.map((arg) => rescale(arg, scale));
}

// Digits that do not fit are rounded half away from zero.
function rescale(typed: Typed, scale: number): Typed {
  if (typed.as !== "units" || typed.scale === scale) return { ...typed, scale };
  const unit = 10n ** BigInt(Math.abs(scale - typed.scale));
  if (scale > typed.scale) return { sql: `(${typed.sql} * ${unit})`, as: "units", scale };
  const half = unit / 2n;
  return { sql: `((${typed.sql} + case when ${typed.sql} < 0 then -${half} else ${half} end) / ${unit})`, as: "units", scale };
}

function toReal(typed: Typed): Typed {
  if (typed.as === "real") return typed;
  return { sql: `(${typed.sql} * 1.0 / 1${"0".repeat(typed.scale)})`, as: "real", scale: 0 };
}

function toText(typed: Typed, dialect: Dialect): Typed {
  if (typed.as === "text") return typed;
  return {
    sql:
      typed.as === "units"
        ? dialect.json("decimal", typed.sql, { scale: typed.scale, isPlain: false })
        : `cast(${typed.sql} as text)`,
    as: "text",
    scale: 0,
  };
}
