/** How the values of one field type become those of another: exactly, or not without being asked, or not at all. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { SnapshotField } from "../snapshot-types.ts";

export interface Misfit {
  /** SQL over the old column: true for a value that has no counterpart. */
  readonly condition: (column: string) => string;
  readonly why: string;
}

export interface Conversion {
  /** The new value as SQL over the old column; null where it stays as it is. */
  readonly value: ((column: string) => string) | null;
  readonly misfits: readonly Misfit[];
  /** What is lost of a value that is converted; null where nothing is. */
  readonly loses: string | null;
}

interface Pair {
  readonly from: SnapshotField;
  readonly to: SnapshotField;
  readonly ddl: Ddl;
}

const same: Conversion = Object.freeze({ value: null, misfits: [], loses: null });
const exact = (value: (column: string) => string, ...misfits: readonly Misfit[]): Conversion => ({ value, misfits, loses: null });
const lossy = (value: (column: string) => string, loses: string, ...misfits: readonly Misfit[]): Conversion => ({
  value,
  misfits,
  loses,
});

const safeMax = "9007199254740991";
const texts: ReadonlySet<string> = new Set(["text", "email", "url", "slug", "choice", "uuid", "date", "time", "datetime"]);

/** What a change of type does to the values that are there. A pair that is not listed is possible while there are none. */
export function convert(pair: Pair): Conversion {
  const { from, to, ddl } = pair;
  if (from.type === to.type) return from.type === "decimal" ? rescale(pair) : same;
  const listed = conversions[`${from.type}>${to.type}`]?.(pair);
  if (listed !== undefined) return listed;
  const sameInside = ddl.cast("x", from.storage) === ddl.cast("x", to.storage);
  const cast = sameInside ? null : (column: string) => ddl.cast(column, to.storage);
  if (to.type === "text" && texts.has(from.type)) return { ...same, value: cast };
  const why = `${from.type} values cannot become ${to.type} by themselves`;
  return { value: cast, misfits: [{ condition: (column) => `${column} IS NOT NULL`, why }], loses: null };
}

const power = (exponent: number) => (10n ** BigInt(Math.max(0, exponent))).toString();
const scaleOf = (field: SnapshotField) => field.scale ?? 0;
const precisionOf = (field: SnapshotField) => field.precision ?? 18;

/** Values of at least this many digits are one too many. */
function tooLong(digits: number, why: string): Misfit {
  const most = (10n ** BigInt(Math.max(0, digits)) - 1n).toString();
  return { condition: (column) => `${column} NOT BETWEEN -${most} AND ${most}`, why };
}

const fraction = (scale: number): Misfit => ({
  condition: (column) => `${column} % ${power(scale)} <> 0`,
  why: "some values have digits after the point that would be cut off",
});
const beyondSafe: Misfit = {
  condition: (column) => `${column} NOT BETWEEN -${safeMax} AND ${safeMax}`,
  why: `some values lie beyond ±${safeMax}`,
};

function rescale({ from, to }: Pair): Conversion {
  const change = scaleOf(to) - scaleOf(from);
  const digits = precisionOf(to) - change;
  const long =
    precisionOf(from) > digits
      ? [tooLong(digits, `some values have more than ${precisionOf(to) - scaleOf(to)} digits before the point`)]
      : [];
  if (change === 0) return { ...same, misfits: long };
  if (change > 0) return exact((column) => `${column} * ${power(change)}`, ...long);
  return exact((column) => `${column} / ${power(-change)}`, fraction(-change), ...long);
}

function wholeToDecimal({ to }: Pair): Conversion {
  const digits = precisionOf(to) - scaleOf(to);
  const long = tooLong(digits, `some values have more than ${digits} digits`);
  return scaleOf(to) === 0 ? { ...same, misfits: [long] } : exact((column) => `${column} * ${power(scaleOf(to))}`, long);
}

function decimalToWhole({ from }: Pair): Conversion {
  return scaleOf(from) === 0 ? same : exact((column) => `${column} / ${power(scaleOf(from))}`, fraction(scaleOf(from)));
}

function decimalToText({ from, ddl }: Pair): Conversion {
  const scale = scaleOf(from);
  if (scale === 0) return exact((column) => ddl.cast(column, "text"));
  const unit = power(scale);
  return exact((column) => {
    const whole = ddl.cast(`abs(${column}) / ${unit}`, "text");
    // 10^s + rest, without its first digit, is the rest with its leading zeros.
    const rest = `substr(${ddl.cast(`${unit} + abs(${column}) % ${unit}`, "text")}, 2)`;
    return `CASE WHEN ${column} IS NULL THEN NULL ELSE (CASE WHEN ${column} < 0 THEN '-' ELSE '' END) || ${whole} || '.' || ${rest} END`;
  });
}

function textToWhole({ to, ddl }: Pair): Conversion {
  const number = (column: string) => ddl.cast(column, to.storage);
  const wrong: Misfit = {
    condition: (column) => `${ddl.cast(number(column), "text")} <> ${column}`,
    why: `some texts are not whole numbers such as "12"`,
  };
  return exact(
    number,
    wrong,
    ...(to.type === "integer" ? [{ ...beyondSafe, condition: (column: string) => beyondSafe.condition(number(column)) }] : []),
  );
}

function toChoice({ to, ddl }: Pair): Conversion {
  const choices = (to.choices ?? []).map((choice) => ddl.literal(choice)).join(", ");
  return {
    ...same,
    misfits: [{ condition: (column) => `${column} NOT IN (${choices})`, why: "some values are none of the choices" }],
  };
}

const conversions: Readonly<Record<string, (pair: Pair) => Conversion>> = {
  "integer>bigint": () => same,
  "bigint>integer": () => ({ ...same, misfits: [beyondSafe] }),
  "integer>decimal": wholeToDecimal,
  "bigint>decimal": wholeToDecimal,
  "decimal>integer": decimalToWhole,
  "decimal>bigint": decimalToWhole,
  "integer>float": ({ ddl }) => exact((column) => ddl.cast(column, "real")),
  "bigint>float": ({ ddl }) => exact((column) => ddl.cast(column, "real"), beyondSafe),
  "float>integer": ({ ddl }) => floatToWhole(ddl),
  "float>bigint": ({ ddl }) => floatToWhole(ddl),
  "decimal>float": ({ from, ddl }) =>
    lossy((column) => `${ddl.cast(column, "real")} / ${power(scaleOf(from))}`, "values are no longer exact"),
  "float>decimal": ({ to, ddl }) => {
    const digits = precisionOf(to) - scaleOf(to);
    const scaled = (column: string) => ddl.cast(`round(${column} * ${power(scaleOf(to))})`, "decimal");
    return lossy(
      scaled,
      `values are rounded to ${scaleOf(to)} digits after the point`,
      tooLong(digits, `some values have more than ${digits} digits before the point`),
    );
  },
  "boolean>integer": () => same,
  "boolean>bigint": () => same,
  "integer>boolean": () => zeroOrOne,
  "bigint>boolean": () => zeroOrOne,
  "integer>text": ({ ddl }) => exact((column) => ddl.cast(column, "text")),
  "bigint>text": ({ ddl }) => exact((column) => ddl.cast(column, "text")),
  "decimal>text": decimalToText,
  "text>integer": textToWhole,
  "text>bigint": textToWhole,
  "text>choice": toChoice,
  "slug>choice": toChoice,
  "date>datetime": () => exact((column) => `${column} || 'T00:00:00.000Z'`),
  "datetime>date": () => lossy((column) => `substr(${column}, 1, 10)`, "the time of day is cut off"),
  "list>json": () => same,
};

const zeroOrOne: Conversion = Object.freeze({
  ...same,
  misfits: [{ condition: (column: string) => `${column} NOT IN (0, 1)`, why: "some values are neither 0 nor 1" }],
});

function floatToWhole(ddl: Ddl): Conversion {
  const whole = (column: string) => ddl.cast(column, "integer");
  const wrong: Misfit = {
    condition: (column) => `${ddl.cast(whole(column), "real")} <> ${column}`,
    why: "some values have digits after the point",
  };
  return exact(whole, wrong, beyondSafe);
}
