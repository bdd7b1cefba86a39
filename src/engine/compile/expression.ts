/** Compiles the expressions of computed fields; decimals keep their scale exactly. */
import { assert } from "../../base/errors.ts";
import type { Dialect } from "../../drivers/dialect.ts";
import type { Expression } from "../../schema/filter.ts";
import type { Field } from "../../schema/schema.ts";
import { bindText, columnForm, plainForm } from "./form.ts";
import { markFor, type Slots } from "./slot.ts";

export interface ExpressionContext {
  /** The computed field, for its type and scale. */
  readonly field: Field;
  readonly dialect: Dialect;
  readonly slots: Slots;
  readonly column: (field: Field) => string;
}

/** SQL and what it yields: an exact number of that scale, a double, or a text. */
interface Typed {
  readonly sql: string;
  readonly as: "exact" | "real" | "text";
  readonly scale: number;
}

/** The expression as the computed field's type stores it. */
export function compileExpression(expression: Expression, context: ExpressionContext): string {
  const made = compile(expression, context);
  const { field, dialect } = context;
  const { storage } = field.type;
  if (storage === "real") return toReal(made, dialect).sql;
  if (storage === "decimal" || storage === "integer" || storage === "bigint")
    return rescale(made, field.params.scale ?? 0, dialect).sql;
  const { sql } = toText(made, dialect);
  return storage === "text" ? sql : dialect.bind(plainForm(storage), sql);
}

function compile(expression: Expression, context: ExpressionContext): Typed {
  if (expression.op === "field") {
    return compileColumn(expression.field, context);
  }
  if (expression.op === "value") return compileValue(expression, context);
  const { dialect } = context;
  const args = expression.args.map((arg) => compile(arg, context));
  const [first, second] = args;
  assert(first, `${expression.name} has an argument`);
  switch (expression.name) {
    case "add":
    case "sub":
      return arithmetic(expression.name === "add" ? "+" : "-", [first, second as Typed], dialect);
    case "mul":
      return first.as === "real" || second?.as === "real"
        ? { sql: `(${toReal(first, dialect).sql} * ${toReal(second as Typed, dialect).sql})`, as: "real", scale: 0 }
        : { sql: `(${first.sql} * ${second?.sql})`, as: "exact", scale: first.scale + (second?.scale ?? 0) };
    case "coalesce": {
      const alike = args.some(({ as }) => as === "text") ? args.map((arg) => toText(arg, dialect)) : aligned(args, dialect);
      return { ...(alike[0] as Typed), sql: `coalesce(${alike.map(({ sql }) => sql).join(", ")})` };
    }
    case "concat":
      return { sql: `(${args.map((arg) => toText(arg, dialect).sql).join(" || ")})`, as: "text", scale: 0 };
    case "length":
      return { sql: dialect.texts.length(toText(first, dialect).sql), as: "exact", scale: 0 };
    default: {
      const change = expression.name === "lower" ? dialect.texts.lower : dialect.texts.upper;
      return { sql: change(toText(first, dialect).sql), as: "text", scale: 0 };
    }
  }
}

function compileColumn(field: Field, { column, dialect }: ExpressionContext): Typed {
  const { type, params } = field;
  const sql = column(field);
  if (type.storage === "real") return { sql, as: "real", scale: 0 };
  if (type.numeric) return { sql: dialect.numbers.exact(columnForm(field), sql), as: "exact", scale: params.scale ?? 0 };
  if (type.storage === "boolean") return { sql: `case when ${sql} then 1 when not ${sql} then 0 end`, as: "exact", scale: 0 };
  return { sql: field.computed ? sql : dialect.json.text(columnForm(field), sql), as: "text", scale: 0 };
}

function compileValue(expression: Extract<Expression, { op: "value" }>, { slots, dialect }: ExpressionContext): Typed {
  const { value, scale } = expression;
  if (typeof value !== "number")
    return { sql: bindText(markFor(slots, { from: "value", value }), dialect), as: "text", scale: 0 };
  const units = markFor(slots, { from: "value", value: Math.round(value * 10 ** scale) });
  return { sql: dialect.bind(plainForm("decimal", scale), units), as: "exact", scale };
}

function arithmetic(sign: string, args: readonly Typed[], dialect: Dialect): Typed {
  const [a, b] = aligned(args, dialect) as [Typed, Typed];
  return { ...a, sql: `(${a.sql} ${sign} ${b.sql})` };
}

function aligned(args: readonly Typed[], dialect: Dialect): readonly Typed[] {
  if (args.some(({ as }) => as === "real")) return args.map((arg) => toReal(arg, dialect));
  const scale = Math.max(...args.map((arg) => arg.scale));
  return args.map((arg) => rescale(arg, scale, dialect));
}

function rescale(typed: Typed, scale: number, { numbers }: Dialect): Typed {
  return typed.as === "exact" ? { ...typed, sql: numbers.rescale(typed.sql, typed.scale, scale), scale } : { ...typed, scale };
}

function toReal(typed: Typed, { numbers }: Dialect): Typed {
  return typed.as === "real" ? typed : { sql: numbers.real(typed.sql, typed.scale), as: "real", scale: 0 };
}

function toText(typed: Typed, dialect: Dialect): Typed {
  if (typed.as === "text") return typed;
  const form = typed.as === "exact" ? plainForm("decimal", typed.scale) : plainForm("real");
  return { sql: dialect.json.text(form, typed.sql), as: "text", scale: 0 };
}
