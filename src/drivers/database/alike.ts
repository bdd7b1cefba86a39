/** Parts of writes that are known not to look at each other: where they are of the same texts, each step runs once for all of them. */
import type { Step, StepRef, StepResult, UnitRepeat, Value } from "../database.ts";
import { isRef } from "./steps.ts";

/** Parts whose steps correspond to each other: whole units, or what repeats within one. */
export type Parts = readonly (readonly Step[])[];

export type Params = readonly (Value | StepRef)[];

/** Makes one query of a step and the parameters of all parts; null where the product cannot. */
export type Join<Q> = (step: Step, all: readonly Params[]) => Q | null;

export function haveSameTexts(one: readonly Step[], other: readonly Step[]): boolean {
  return one.length === other.length && one.every(({ text }, index) => text === other[index]?.text);
}

/** The queries that run all parts at once, one for each step; null where one of them cannot be made. `before`: steps before the first. */
export function joinParts<Q>(parts: Parts, before: number, join: Join<Q>): readonly Q[] | null {
  const [first, ...others] = parts;
  if (!first || others.length === 0 || !others.every((part) => haveSameTexts(part, first))) return null;
  const queries: Q[] = [];
  for (const [index, step] of first.entries()) {
    const all = parts.map((part) => part[index]?.params ?? []);
    const query = canJoin(step, all, before) ? join(step, all) : null;
    if (query === null) return null;
    queries.push(query);
  }
  return queries;
}

function canJoin({ kind, changes }: Step, all: readonly Params[], before: number): boolean {
  // What is counted for all must be so for each: one row, no more and no less.
  if (changes && (changes.min !== 1 || changes.max !== 1)) return false;
  const [first = []] = all;
  // Without a value of its own there would be nothing to count the rows by; a check says the same of all.
  if (first.length === 0 || (kind !== "check" && first.every(isRef))) return false;
  return first.every((param, place) => {
    const others = all.map((params) => params[place] as Value | StepRef);
    if (!isRef(param)) return !others.some(isRef);
    // What they look back at lies before them, and is the same for all.
    return (
      param.step < before && others.every((other) => isRef(other) && other.step === param.step && other.column === param.column)
    );
  });
}

/** What each part's steps answered: in the rows of a joined query the number of the part, from 1, comes before its own columns. */
export function resultsOfParts(parts: Parts, rowsOf: (step: number) => readonly (readonly Value[])[]): StepResult[][] {
  const [first = []] = parts;
  const byStep = first.map(({ kind }, index) => (kind === "rows" ? Map.groupBy(rowsOf(index), (row) => Number(row[0])) : null));
  return parts.map((part, place) =>
    part.map(({ kind }, index): StepResult => {
      const rows = (byStep[index]?.get(place + 1) ?? []).map((row) => row.slice(1));
      return { rows, changes: kind === "run" ? 1 : 0 };
    }),
  );
}

/** A unit in pieces: single steps, and parts that repeat. */
export type Piece = { readonly step: number } | { readonly from: number; readonly parts: Parts };

/** `repeats` do not overlap, and come in the order of the unit. */
export function piecesOf(unit: readonly Step[], repeats: readonly UnitRepeat[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let next = 0;
  const goTo = (end: number) => {
    while (next < end) pieces.push({ step: next++ });
  };
  for (const { from, steps, times } of repeats) {
    goTo(from);
    pieces.push({
      from,
      parts: Array.from({ length: times }, (_, part) => unit.slice(from + part * steps, from + (part + 1) * steps)),
    });
    next = from + steps * times;
  }
  goTo(unit.length);
  return pieces;
}
