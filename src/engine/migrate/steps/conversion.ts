/** How the values of one field type become those of another: exactly, or not without being asked, or not at all. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { SnapshotField } from "../snapshot/snapshot-types.ts";

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

/** What a pair of types asks of the values, and what it takes from them; how the new value is had, the database's forms say. */
interface Rule {
  readonly misfits: readonly Misfit[];
  readonly loses: string | null;
}

const exact = (...misfits: readonly Misfit[]): Rule => ({ misfits, loses: null });
const lossy = (loses: string, ...misfits: readonly Misfit[]): Rule => ({ misfits, loses });

const texts: ReadonlySet<string> = new Set(["text", "email", "url", "slug", "choice", "uuid", "date", "time", "datetime"]);

/** What a change of type does to the values that are there. A pair that is not listed is possible while there are none. */
export function convert(pair: Pair): Conversion {
  const { from, to, ddl } = pair;
  const { misfits, loses } = ruleOf(pair);
  const read = readerOf(from, ddl);
  const turn = (column: string) => write(ddl.forms.convert(read(column), from, to), to, ddl);
  // What is asked of values is asked of the product's own form of them.
  const asked = misfits.map(({ condition, why }) => ({ condition: (column: string) => condition(read(column)), why }));
  return { misfits: asked, loses, value: turn("x") === "x" || isHeldAlike(from, to, ddl) ? null : turn };
}

const readerOf =
  ({ native, storage, scale }: SnapshotField, { forms }: Ddl) =>
  (column: string) =>
    native?.spelt === undefined ? column : forms.read(column, { storage, scale, spelt: native.spelt });

function write(sql: string, { native, storage, scale }: SnapshotField, { forms }: Ddl): string {
  return native?.spelt === undefined ? sql : forms.write(sql, { storage, scale, spelt: native.spelt });
}

/** Two types of somebody else's that hold a value alike: the database itself takes it from one to the other, or refuses. */
function isHeldAlike(from: SnapshotField, to: SnapshotField, ddl: Ddl): boolean {
  if (!from.native || !to.native || from.storage !== to.storage || from.scale !== to.scale) return false;
  return readerOf(from, ddl)("x") === readerOf(to, ddl)("x") && write("x", from, ddl) === write("x", to, ddl);
}

function ruleOf(pair: Pair): Rule {
  const { from, to } = pair;
  if (from.type === to.type) return from.type === "decimal" ? rescale(pair) : exact();
  const listed = rules[`${from.type}>${to.type}`]?.(pair);
  if (listed !== undefined) return listed;
  if (to.type === "text" && texts.has(from.type)) return exact();
  const why = `${from.type} values cannot become ${to.type} by themselves`;
  return exact({ condition: (column) => `${column} IS NOT NULL`, why });
}

const power = (exponent: number) => 10n ** BigInt(Math.max(0, exponent));
const scaleOf = (field: SnapshotField) => field.scale ?? 0;
const precisionOf = (field: SnapshotField) => field.precision ?? 18;

/** Not between the number and its negative, both in units of the field's own scale. */
function beyond({ from, ddl }: Pair, most: bigint, why: string): Misfit {
  const [low, high] = [ddl.literal(-most, from), ddl.literal(most, from)];
  return { condition: (column) => `${column} NOT BETWEEN ${low} AND ${high}`, why };
}

function beyondSafe(pair: Pair): Misfit {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return beyond({ ...pair, from: { ...pair.from, storage: "integer" } }, most, `some values lie beyond ±${most}`);
}

/** More than so many digits stand before the point, or the number has so many in all where it has none. */
function tooLong(pair: Pair, digits: number, where = " before the point"): Misfit {
  const most = power(digits + scaleOf(pair.from)) - 1n;
  return beyond(pair, most, `some values have more than ${digits} digits${where}`);
}

function fraction({ from, to, ddl }: Pair): Misfit {
  const unit = ddl.literal(power(scaleOf(from) - scaleOf(to)), from);
  return {
    // The rest of a negative decimal may be a negative nothing, which is not nothing to every database.
    condition: (column) => `abs(${column}) % ${unit} <> 0`,
    why: "some values have digits after the point that would be cut off",
  };
}

function rescale(pair: Pair): Rule {
  const { from, to } = pair;
  const digits = precisionOf(to) - scaleOf(to);
  const long = precisionOf(from) - scaleOf(from) > digits ? [tooLong(pair, digits)] : [];
  return exact(...(scaleOf(to) < scaleOf(from) ? [fraction(pair)] : []), ...long);
}

function wholeToDecimal(pair: Pair): Rule {
  return exact(tooLong(pair, precisionOf(pair.to) - scaleOf(pair.to), ""));
}

function decimalToWhole(pair: Pair): Rule {
  return scaleOf(pair.from) === 0 ? exact() : exact(fraction(pair));
}

function floatToWhole(pair: Pair): Rule {
  const wrong: Misfit = {
    condition: (column) => `round(${column}) <> ${column}`,
    why: "some values have digits after the point",
  };
  return exact(wrong, beyondSafe(pair));
}

function floatToDecimal(pair: Pair): Rule {
  const { to } = pair;
  const long = tooLong({ ...pair, from: { ...pair.from, storage: "integer" } }, precisionOf(to) - scaleOf(to));
  return lossy(`values are rounded to ${scaleOf(to)} digits after the point`, long);
}

function textToWhole(pair: Pair): Rule {
  const { from, to, ddl } = pair;
  const wrong: Misfit = {
    condition: (column) => `NOT (${ddl.forms.isWhole(column)})`,
    why: `some texts are not whole numbers such as "12"`,
  };
  if (to.type === "bigint") return exact(wrong);
  // Only what is a number may be taken for one.
  const { condition, why } = beyondSafe(pair);
  const number = (column: string) => condition(ddl.forms.convert(column, from, to));
  return exact(wrong, {
    condition: (column) => `CASE WHEN ${ddl.forms.isWhole(column)} THEN ${number(column)} ELSE FALSE END`,
    why,
  });
}

function toChoice({ to, ddl }: Pair): Rule {
  const choices = (to.choices ?? []).map((choice) => ddl.literal(choice)).join(", ");
  return exact({ condition: (column) => `${column} NOT IN (${choices})`, why: "some values are none of the choices" });
}

function zeroOrOne(): Rule {
  return exact({ condition: (column) => `${column} NOT IN (0, 1)`, why: "some values are neither 0 nor 1" });
}

const rules: Readonly<Record<string, (pair: Pair) => Rule>> = {
  "integer>bigint": () => exact(),
  "bigint>integer": (pair) => exact(beyondSafe(pair)),
  "integer>decimal": wholeToDecimal,
  "bigint>decimal": wholeToDecimal,
  "decimal>integer": decimalToWhole,
  "decimal>bigint": decimalToWhole,
  "integer>float": () => exact(),
  "bigint>float": (pair) => exact(beyondSafe(pair)),
  "float>integer": floatToWhole,
  "float>bigint": floatToWhole,
  "decimal>float": () => lossy("values are no longer exact"),
  "float>decimal": floatToDecimal,
  "boolean>integer": () => exact(),
  "boolean>bigint": () => exact(),
  "integer>boolean": zeroOrOne,
  "bigint>boolean": zeroOrOne,
  "integer>text": () => exact(),
  "bigint>text": () => exact(),
  "decimal>text": () => exact(),
  "text>integer": textToWhole,
  "text>bigint": textToWhole,
  "text>choice": toChoice,
  "slug>choice": toChoice,
  "date>datetime": () => exact(),
  "datetime>date": () => lossy("the time of day is cut off"),
  "list>json": () => exact(),
};
