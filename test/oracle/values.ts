/** What values mean, from API.md alone: how they compare, match, fold and add up. */
import type { Expression, FieldDef, Row } from "./world.ts";

export type Comparable = string | number | bigint;

/** What a wire value is compared by; null stays null. */
export function comparable(field: FieldDef, wire: unknown): Comparable | null {
  if (wire === null || wire === undefined) return null;
  switch (field.kind) {
    case "bigint":
      return BigInt(wire as string | number);
    case "decimal":
      return units(String(wire as string | number), field.scale ?? 0);
    case "boolean":
      return wire === true ? 1 : 0;
    case "datetime":
      return new Date(wire as string).toISOString();
    case "uuid":
      return String(wire as string | number).toLowerCase();
    case "integer":
    case "float":
      return wire as number;
    default:
      return typeof wire === "string" ? wire : JSON.stringify(wire);
  }
}

/** Below 0, 0 or above 0; texts by code point, null lowest. */
export function order(left: Comparable | null, right: Comparable | null): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? -1 : 1;
  if (typeof left === "string" && typeof right === "string") return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A decimal text as a count of its smallest unit at `scale`. */
export function units(text: string, scale: number): bigint {
  const negative = text.startsWith("-");
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const count = BigInt(whole + fraction.padEnd(scale, "0").slice(0, scale));
  return negative ? -count : count;
}

export function fromUnits(count: bigint, scale: number): string {
  if (scale === 0) return String(count);
  const digits = String(count < 0n ? -count : count).padStart(scale + 1, "0");
  return `${count < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Whether a comparison holds of a value; null on either side is false, and `ne` and `nin` are complements. */
export function compares(operator: string, value: Comparable | null, right: readonly (Comparable | null)[]): boolean {
  const [first = null, second = null] = right;
  switch (operator) {
    case "ne":
      return !compares("eq", value, right);
    case "nin":
      return !compares("in", value, right);
    case "isNull":
      return (value === null) === (first !== 0);
    case "in":
      return value !== null && right.some((one) => one !== null && order(value, one) === 0);
    default:
      break;
  }
  if (value === null || first === null) return false;
  switch (operator) {
    case "eq":
      return order(value, first) === 0;
    case "gt":
      return order(value, first) > 0;
    case "gte":
      return order(value, first) >= 0;
    case "lt":
      return order(value, first) < 0;
    case "lte":
      return order(value, first) <= 0;
    case "between":
      return second !== null && order(value, first) >= 0 && order(value, second) <= 0;
    default:
      return matches(operator, String(value), String(first));
  }
}

function matches(operator: string, text: string, part: string): boolean {
  switch (operator) {
    case "contains":
      return text.includes(part);
    case "startsWith":
      return text.startsWith(part);
    case "endsWith":
      return text.endsWith(part);
    case "like":
      return isLike(Array.from(text), Array.from(part));
    case "search":
      return words(part).every((word) => fold(text).includes(word));
    default:
      throw new Error(`no operator ${operator}`);
  }
}

// % is any run of code points, _ one, and a backslash takes the next as it is.
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return text.length === 0;
  if (head === "%") return isLike(text, rest) || (text.length > 0 && isLike(text.slice(1), pattern));
  if (head === "_") return text.length > 0 && isLike(text.slice(1), rest);
  const [literal, after] = head === "\\" && rest.length > 0 ? [rest[0], rest.slice(1)] : [head, rest];
  return text[0] === literal && isLike(text.slice(1), after);
}

export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

export function words(needle: string): string[] {
  return fold(needle)
    .split(/\s+/u)
    .filter((word) => word !== "");
}

/** What a computed field is, on the wire. */
export function evaluate(field: FieldDef, row: Row, fields: readonly FieldDef[]): unknown {
  const value = compute(field.computed as Expression, row, fields);
  if (value === null) return null;
  if (field.kind !== "decimal") return value.unit === undefined ? value.text : Number(value.unit);
  const scale = field.scale ?? 0;
  return fromUnits((value.unit ?? 0n) * 10n ** BigInt(scale - (value.scale ?? 0)), scale);
}

interface Computed {
  readonly text?: string;
  readonly unit?: bigint;
  readonly scale?: number;
}

function compute(expression: Expression, row: Row, fields: readonly FieldDef[]): Computed | null {
  if ("value" in expression) return constant(expression.value);
  if ("field" in expression) {
    const of = fields.find(({ name }) => name === expression.field) as FieldDef;
    const value = row[of.name];
    if (value === null || value === undefined) return null;
    if (of.kind === "decimal") return { unit: units(String(value as string), of.scale ?? 0), scale: of.scale ?? 0 };
    return typeof value === "number" ? { unit: BigInt(value), scale: 0 } : { text: value as string };
  }
  const args = expression.args.map((arg) => compute(arg, row, fields));
  if (expression.call === "coalesce") return args.find((arg) => arg !== null) ?? null;
  if (args.some((arg) => arg === null)) return null;
  return call(expression.call, args as Computed[]);
}

function constant(value: string | number): Computed {
  if (typeof value === "string") return { text: value };
  const scale = (String(value).split(".")[1] ?? "").length;
  return { unit: units(String(value), scale), scale };
}

function call(name: string, args: readonly Computed[]): Computed {
  const [left = {}, right = {}] = args;
  const scale = Math.max(left.scale ?? 0, right.scale ?? 0);
  const at = (one: Computed) => (one.unit ?? 0n) * 10n ** BigInt(scale - (one.scale ?? 0));
  const text = left.text ?? "";
  if (name === "add") return { unit: at(left) + at(right), scale };
  if (name === "sub") return { unit: at(left) - at(right), scale };
  if (name === "mul") return { unit: (left.unit ?? 0n) * (right.unit ?? 0n), scale: (left.scale ?? 0) + (right.scale ?? 0) };
  if (name === "concat") return { text: args.map((arg) => arg.text ?? "").join("") };
  if (name === "length") return { unit: BigInt(Array.from(text).length), scale: 0 };
  const ascii = name === "lower" ? /[A-Z]/g : /[a-z]/g;
  return { text: text.replace(ascii, (letter) => (name === "lower" ? letter.toLowerCase() : letter.toUpperCase())) };
}

const equality = ["eq", "ne", "in", "nin", "isNull"];
const ordering = [...equality, "gt", "gte", "lt", "lte", "between"];
const textual = [...ordering, "contains", "startsWith", "endsWith", "like", "search"];

/** The comparing words that a kind of field has. */
export function operatorsOf(kind: FieldDef["kind"]): readonly string[] {
  if (kind === "json") return ["isNull"];
  if (kind === "list") return ["contains", "isNull"];
  if (kind === "boolean" || kind === "bytes") return equality;
  return kind === "text" || kind === "email" || kind === "url" || kind === "slug" ? textual : ordering;
}

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const forms: Partial<Record<FieldDef["kind"], RegExp>> = {
  slug: /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
  email: /^[\w.+']+@[\w.]+\.[a-z]+$/,
  url: /^https?:\/\/[\w.]+\/\S*$/,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  integer: number,
  float: number,
  boolean: /^(?:true|false)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d(?::\d\d)?$/,
  datetime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/,
  bytes: /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/,
};

/** A claim, to be compared with a field: null where no such field could hold it. */
export function claimOf(field: FieldDef, operator: string, claim: string | null): Comparable | null {
  if (claim === null || forms[field.kind]?.test(claim) === false) return null;
  switch (field.kind) {
    case "bigint":
      return wholeOf(claim, 2n ** 63n);
    case "decimal":
      return decimalOf(field, claim);
    case "integer":
      return Number.isSafeInteger(Number(claim)) ? Number(claim) : null;
    case "float":
      return Number.isFinite(Number(claim)) ? Number(claim) : null;
    case "boolean":
      return comparable(field, claim === "true");
    case "time":
      return claim.length === 5 ? `${claim}:00` : claim;
    case "choice":
      // By order any text has its place.
      return isEquality(operator) && !field.choices?.includes(claim) ? null : claim;
    default:
      return comparable(field, claim);
  }
}

function isEquality(operator: string): boolean {
  return operator === "eq" || operator === "ne" || operator === "in" || operator === "nin";
}

// From -end up to, and without, end.
function wholeOf(claim: string, end: bigint): bigint | null {
  const whole = /^-?\d{1,19}$/.test(claim) ? BigInt(claim) : end;
  return whole >= -end && whole < end ? whole : null;
}

function decimalOf(field: FieldDef, claim: string): Comparable | null {
  const { precision = 18, scale = 0 } = field;
  const [, whole = "", fraction = ""] = /^-?0*(\d+)(?:\.(\d+?)0*)?$/.exec(claim) ?? [];
  // A nothing before the point is no digit.
  const digits = whole === "0" ? 0 : whole.length;
  return whole === "" || fraction.length > scale || digits > precision - scale ? null : comparable(field, claim);
}
