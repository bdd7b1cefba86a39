/** The contract of a field type: how a value is checked, stored, written and described. One file per type implements it. */
import type { Operator } from "../cond.ts";
import type { FieldParams } from "../schema.ts";
import type { Json, Value } from "../value.ts";

/** How a value is kept; a dialect says what column that is, and how it is written as JSON. */
export type Storage =
  | "text"
  | "integer"
  | "bigint"
  | "real"
  | "decimal"
  | "boolean"
  | "datetime"
  | "date"
  | "time"
  | "uuid"
  | "json"
  | "bytes";

/** A value that does not fit, in the caller's words. */
export interface Misfit {
  readonly misfit: string;
  readonly code: string;
}

/** Twelve members at most; what only some types can do is optional. */
export interface FieldType {
  readonly name: string;
  /** How a database keeps it; a dialect maps this to a column type. */
  readonly storage: Storage;
  /** From a JSON value to a stored one. `null` never arrives here. */
  parse(value: unknown, params: FieldParams): Value | Misfit;
  /** From the text of a query parameter to the JSON value it stands for; without it the text itself. */
  fromText?(text: string): Json | Misfit;
  /** From a stored value to the JSON one; without it they are the same. */
  toWire?(value: Value, params: FieldParams): Json;
  /** Comparing words it understands. */
  readonly operators: readonly Operator[];
  /** May be put in order, and so sorted, paged, grouped, and given to min and max. */
  readonly ordered: boolean;
  /** May be given to sum and avg. */
  readonly numeric: boolean;
  /** JSON Schema (2020-12) of the wire value. */
  jsonSchema(params: FieldParams): { readonly [key: string]: Json };
}

export function misfit(code: string, message: string): Misfit {
  return { misfit: message, code };
}

export function isMisfit(value: unknown): value is Misfit {
  return typeof value === "object" && value !== null && "misfit" in value;
}

/** The JSON value of a stored one; null stays null. */
export function wireOf(of: { readonly type: FieldType; readonly params: FieldParams }, value: Value): Json {
  return value !== null && of.type.toWire ? of.type.toWire(value, of.params) : (value as Json);
}

export const equality: readonly Operator[] = ["eq", "ne", "in", "nin", "isNull"];
export const ordering: readonly Operator[] = [...equality, "gt", "gte", "lt", "lte", "between"];
export const textual: readonly Operator[] = [...ordering, "contains", "startsWith", "endsWith", "like", "search"];
