/** What is added to a number in the database, within the bounds of its field and of its type. */
import type { Dialect } from "../../drivers/dialect.ts";
import { decimalPrecisionMax } from "../../schema/fields/decimal.ts";
import type { Field } from "../../schema/schema.ts";
import { bindTo, columnForm } from "./form.ts";

/** A column and what is added to it. */
export function adder(dialect: Dialect): (field: Field, alias: string | null, parameter: string) => string {
  return (field, alias, parameter) =>
    dialect.numbers.plus(columnForm(field), `${alias === null ? "" : `${alias}.`}${dialect.quote(field.column)}`, parameter);
}

/** SQL of a number, of what is added to it, and of what that makes. */
interface Added {
  readonly from: string;
  readonly amount: string;
  readonly sum: string;
}

/** The bounds of a number, in its stored unit: those of the field, and of its type. */
export function rangeConditions(field: Field, added: Added, dialect: Dialect): readonly string[] {
  const stored = (value: number | string | undefined) => {
    if (value === undefined) return undefined;
    const isText = field.type.storage === "bigint" || field.type.storage === "decimal";
    const parsed = field.type.parse(isText ? String(value) : Number(value), { ...field.params, min: undefined, max: undefined });
    return typeof parsed === "number" || typeof parsed === "bigint" ? parsed : undefined;
  };
  const most = mostOf(field);
  const bound = (value: number | bigint | undefined, sign: string) =>
    value === undefined ? [] : [`${added.sum} ${sign} ${bindTo(field, String(value), dialect)}`];
  const low = stored(field.params.min) ?? (most === null ? undefined : -most);
  const high = stored(field.params.max) ?? most ?? undefined;
  const within = [...bound(low, ">="), ...bound(high, "<=")];
  return field.type.storage === "bigint" ? [withoutOverflow(field, { added, within }, dialect)] : within;
}

/** What the type itself holds at most, in its stored unit; null where the database's own arithmetic keeps it. */
function mostOf({ type, params }: Field): bigint | null {
  if (type.storage === "integer") return BigInt(Number.MAX_SAFE_INTEGER);
  return type.storage === "decimal" ? 10n ** BigInt(params.precision ?? decimalPrecisionMax) - 1n : null;
}

// A sum of 64 bits that overflows is an error to some databases: it is asked first whether it would.
function withoutOverflow(
  field: Field,
  { added: { from, amount }, within }: { readonly added: Added; readonly within: readonly string[] },
  dialect: Dialect,
): string {
  const bind = (value: bigint) => bindTo(field, String(value), dialect);
  const most = 2n ** 63n - 1n;
  const over = `${amount} > ${bind(0n)} and ${from} > ${bind(most)} - ${amount}`;
  const under = `${amount} < ${bind(0n)} and ${from} < ${bind(-most)} - ${amount} - ${bind(1n)}`;
  const rest = within.length > 0 ? within.join(" and ") : `${from} is not null`;
  return `case when ${over} then 1 = 0 when ${under} then 1 = 0 else ${rest} end`;
}
