/** The oracle's aggregates: groups, buckets and measures over plain arrays. */
import { type Asked, rowsOf, sortTerms, type Where } from "./answers.ts";
import { comparable, compares, order, type Comparable, fromUnits, units } from "./values.ts";
import { type FieldDef, fieldOf, type ModelDef, type Row } from "./world.ts";

export interface Aggregate {
  readonly where?: Where;
  readonly group?: readonly string[];
  readonly count?: readonly string[];
  readonly sum?: readonly string[];
  readonly avg?: readonly string[];
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly having?: Where;
  readonly orderBy?: string | readonly string[];
  readonly limit?: number;
}

type Json = Record<string, unknown>;
interface Group {
  readonly rows: readonly Row[];
  readonly keys: readonly unknown[];
}
const measures = ["sum", "avg", "min", "max"] as const;

/** The answer to an aggregate, in order. */
export function aggregate(asked: Asked, model: ModelDef, query: Aggregate): Json[] {
  const rows = rowsOf(asked, model, { where: query.where });
  const names = query.group ?? [];
  const groups = Object.values(
    Object.groupBy(rows, (row) => JSON.stringify(names.map((name) => groupKey(asked, model, { row, name })))),
  );
  const found: Group[] = groups.map((some = []) => ({
    rows: some,
    keys: names.map((name) => groupKey(asked, model, { row: some[0] as Row, name })),
  }));
  if (names.length === 0 && found.length === 0) found.push({ rows: [], keys: [] });
  const kept = found.filter((group) => hasAll(asked, model, { group, having: query.having ?? {} }));
  const terms = sortTerms(query.orderBy).map(({ path, descending }) => ({ name: path.join("."), descending }));
  for (const name of names) if (!terms.some((term) => term.name === name)) terms.push({ name, descending: false });
  kept.sort((left, right) => {
    for (const { name, descending } of terms) {
      const compared = order(
        resultKey(asked, model, { query, group: left, name }),
        resultKey(asked, model, { query, group: right, name }),
      );
      if (compared !== 0) return descending ? -compared : compared;
    }
    return 0;
  });
  return kept.slice(0, query.limit).map((group) => answer(asked, model, { query, group }));
}

interface Of {
  readonly query: Aggregate;
  readonly group: Group;
}

function answer(asked: Asked, model: ModelDef, { query, group }: Of): Json {
  const made: Json = {};
  const names = query.group ?? [];
  if (names.length > 0) made["group"] = Object.fromEntries(names.map((name, index) => [name, group.keys[index]]));
  const counts = query.count ?? (measures.some((measure) => query[measure]) ? [] : ["*"]);
  const counted = counts.filter((name) => name !== "*").map((name) => [name, countOf(asked, model, { group, name })]);
  if (counts.includes("*")) made["count"] = group.rows.length;
  if (counted.length > 0) made[counts.includes("*") ? "countOf" : "count"] = Object.fromEntries(counted);
  for (const measure of measures) {
    const of = query[measure];
    if (of) made[measure] = Object.fromEntries(of.map((name) => [name, measured(asked, model, { group, measure, name })]));
  }
  return made;
}

function countOf(asked: Asked, model: ModelDef, { group, name }: { group: Group; name: string }): number {
  return name === "*" ? group.rows.length : group.rows.filter((row) => asked.sight.value(model, row, name) !== null).length;
}

/** One measure of a group, as on the wire. */
function measured(
  asked: Asked,
  model: ModelDef,
  of: { readonly group: Group; readonly measure: string; readonly name: string },
): unknown {
  const field = fieldOf(model, of.name) as FieldDef;
  const wires = of.group.rows.map((row) => asked.sight.value(model, row, of.name)).filter((wire) => wire !== null);
  if (wires.length === 0) return null;
  if (of.measure === "min" || of.measure === "max") {
    const sorted = wires.toSorted((left, right) => order(comparable(field, left), comparable(field, right)));
    return of.measure === "min" ? sorted[0] : sorted.at(-1);
  }
  if (field.kind === "float") {
    const sum = (wires as number[]).reduce((total, one) => total + one, 0);
    return of.measure === "sum" ? sum : sum / wires.length;
  }
  const scale = field.kind === "decimal" ? (field.scale ?? 0) : 0;
  const total = wires.reduce<bigint>((sum, wire) => sum + units(String(wire as string | number), scale), 0n);
  if (of.measure === "avg") return Number(fromUnits(total, scale)) / wires.length;
  return field.kind === "integer" ? Number(total) : fromUnits(total, scale);
}

/** What a group is ordered or kept by. */
function resultKey(asked: Asked, model: ModelDef, { query, group, name }: Of & { readonly name: string }): Comparable | null {
  const index = (query.group ?? []).indexOf(name);
  if (index >= 0) return groupComparable(model, name, group.keys[index]);
  const { measure, field } = splitResult(name);
  if (measure === "count") return countOf(asked, model, { group, name: field });
  return resultComparable(fieldOf(model, field) as FieldDef, measured(asked, model, { group, measure, name: field }));
}

function splitResult(name: string): { measure: string; field: string } {
  const [measure = "", ...field] = name.split(".");
  return { measure, field: field.join(".") || "*" };
}

function resultComparable(field: FieldDef, wire: unknown): Comparable | null {
  return typeof wire === "number" ? wire : comparable(field, wire);
}

function groupComparable(model: ModelDef, name: string, key: unknown): Comparable | null {
  const field = fieldOf(model, name);
  return field ? comparable(field, key) : (key as Comparable | null);
}

function hasAll(asked: Asked, model: ModelDef, { group, having }: { readonly group: Group; readonly having: Where }): boolean {
  return Object.entries(having).every(([name, wanted]) => {
    const key = resultKey(asked, model, { query: {}, group, name });
    const { measure, field } = splitResult(name);
    const def = measure === "count" ? undefined : fieldOf(model, field);
    return Object.entries(wanted as Where).every(([operator, operand]) =>
      compares(
        operator,
        key,
        (Array.isArray(operand) ? operand : [operand]).map((one) => (def ? comparable(def, one) : (one as Comparable))),
      ),
    );
  });
}

function groupKey(asked: Asked, model: ModelDef, { row, name }: { readonly row: Row; readonly name: string }): unknown {
  const bucketed = /^(\w+)\((\w+)\)$/.exec(name);
  const value = asked.sight.value(model, row, bucketed?.[2] ?? name);
  return bucketed && value !== null ? bucketOf(bucketed[1] as string, value as string) : value;
}

/** The bucket that a day or an instant falls into. */
export function bucketOf(unit: string, when: string): string {
  const [year, month = "", day = ""] = when.slice(0, 10).split("-");
  switch (unit) {
    case "year":
      return `${year}`;
    case "quarter":
      return `${year}-Q${Math.ceil(Number(month) / 3)}`;
    case "month":
      return `${year}-${month}`;
    case "day":
      return when.slice(0, 10);
    case "hour":
      return when.slice(0, 13);
    default:
      return isoWeek(Number(year), Number(month), Number(day));
  }
}

// ISO 8601: a week belongs to the year in which its Thursday lies.
function isoWeek(year: number, month: number, day: number): string {
  const thursday = new Date(0);
  thursday.setUTCFullYear(year, month - 1, day);
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const first = new Date(0);
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first.getTime()) / 86_400_000 / 7) + 1;
  return `${String(thursday.getUTCFullYear()).padStart(4, "0")}-W${String(week).padStart(2, "0")}`;
}
