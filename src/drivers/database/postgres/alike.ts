/** Units of the same texts that are known not to look at each other: each step runs once for all of them. */
import type { Step, StepRef, StepResult, Value } from "../../database.ts";
import { checkAll, insertAll, queryAll, toArrays } from "./arrays.ts";
import type { Landed, Query } from "./flight.ts";
import { functionName } from "./functions.ts";

type Units = readonly (readonly Step[])[];

/** The queries that run all units at once, one for each step; null where they are not alike, or not of a kind that this can do. */
export function encodeAlike(units: Units): readonly Query[] | null {
  const [first, ...others] = units;
  if (!first || others.length === 0) return null;
  if (!others.every((unit) => unit.length === first.length && unit.every(({ text }, index) => text === first[index]?.text)))
    return null;
  const queries: Query[] = [];
  for (const [index, step] of first.entries()) {
    const query = encodeStep(
      step,
      units.map((unit) => unit[index]?.params ?? []),
    );
    if (query === null) return null;
    queries.push(query);
  }
  return queries;
}

/** Texts made so far; null for those that cannot be run for many at once. */
const made = new Map<string, string | null>();
const madeMax = 5_000;

function textOf(step: Step): string | null {
  const key = `${step.kind}${step.changes ? "!" : ""}${step.text}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  if (made.size >= madeMax) made.clear();
  const text = write(step);
  made.set(key, text);
  return text;
}

function write({ kind, text, changes }: Step): string | null {
  if (kind === "rows") return queryAll(text);
  if (kind === "check") return `select ${functionName("refuse")}(a.c::text) from (${checkAll(text)}) a(c) limit 1`;
  const insert = insertAll(text);
  if (insert === null || !changes) return insert;
  return `with w as (${insert} returning 1), n as (select count(*) c from w) select n.c, case when n.c <> ? then ${functionName("refuse")}(?) end from n`;
}

function encodeStep(step: Step, params: readonly (readonly (Value | StepRef)[])[]): Query | null {
  // What is counted for all must be so for each: one row, no more and no less.
  if (step.changes && (step.changes.min !== 1 || step.changes.max !== 1)) return null;
  if (params.some((all) => all.length === 0 || all.some(isRef))) return null;
  const text = textOf(step);
  const arrays = toArrays(params as readonly (readonly Value[])[]);
  if (text === null || arrays === null) return null;
  return { text, params: step.changes ? [...arrays, params.length, step.changes.reason] : arrays };
}

function isRef(param: Value | StepRef): param is StepRef {
  return typeof param === "object" && param !== null && "step" in param;
}

/** What each unit's steps answered. */
export function resultsOfAlike(units: Units, landed: readonly Landed[]): readonly (readonly StepResult[])[] {
  const [first = []] = units;
  const byStep = first.map(({ kind }, index) => {
    if (kind !== "rows") return null;
    return Map.groupBy(landed[index]?.rows ?? [], (row) => Number(row[0]));
  });
  return units.map((unit, place) =>
    unit.map(({ kind }, index): StepResult => {
      const rows = (byStep[index]?.get(place + 1) ?? []).map((row) => row.slice(1));
      return { rows, changes: kind === "run" ? 1 : 0 };
    }),
  );
}
