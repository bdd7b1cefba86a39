/** Parts of writes that are known not to look at each other: where they are of the same texts, each step runs once for all of them. */
import type { Step, StepRef, StepResult, UnitRepeat, Value } from "../database.ts";
import { isRef } from "./steps.ts";

/** Parts whose steps correspond to each other: whole units, or what repeats within one. */
export type Parts = readonly (readonly Step[])[];

/** What an earlier step of the same part has returned, by that step's place in the part. */
export interface OwnRef {
  readonly own: number;
  readonly column: number;
}

export type Param = Value | StepRef | OwnRef;
export type Params = readonly Param[];

/** Where the parts stand. */
export interface Place {
  /** Steps of the unit before the first part; of whole units none. */
  readonly from: number;
  /** Whether they are units of their own, each of which counts its steps from 0. */
  readonly areUnits: boolean;
}

/** A step of all parts that can run as one statement, if the product has one. */
export interface Shared {
  readonly step: Step;
  /** Its place in its part. */
  readonly place: number;
  /** Its parameters in each part. */
  readonly all: readonly Params[];
}

export const wholeUnits: Place = Object.freeze({ from: 0, areUnits: true });

export function haveSameTexts(one: readonly Step[], other: readonly Step[]): boolean {
  return one.length === other.length && one.every(({ text }, index) => text === other[index]?.text);
}

export function isOwn(param: Param): param is OwnRef {
  return typeof param === "object" && param !== null && "own" in param;
}

/** The steps of parts that may run together; null where one of them may not. */
export function sharedSteps(parts: Parts, { from, areUnits }: Place): readonly Shared[] | null {
  const [first, ...others] = parts;
  if (!first || others.length === 0 || !others.every((part) => haveSameTexts(part, first))) return null;
  const shared: Shared[] = [];
  for (const [place, step] of first.entries()) {
    const all = parts.map((part, index) => {
      const base = areUnits ? 0 : from + index * first.length;
      return (part[place]?.params ?? []).map((param) => asOwn(param, base));
    });
    if (!canShare(step, all, from)) return null;
    shared.push({ step, place, all });
  }
  return shared;
}

function asOwn(param: Value | StepRef, base: number): Param {
  return isRef(param) && param.step >= base ? { own: param.step - base, column: param.column } : param;
}

function canShare({ kind, changes }: Step, all: readonly Params[], before: number): boolean {
  // What is counted for all must be so for each: one row, no more and no less.
  if (changes && (changes.min !== 1 || changes.max !== 1)) return false;
  const [first = []] = all;
  // Without a value of its own there would be nothing to count the rows by; a check says the same of all.
  if (first.length === 0 || (kind !== "check" && first.every(isRef))) return false;
  return first.every((param, place) => {
    const others = all.map((params) => params[place] as Param);
    if (isOwn(param)) return others.every((other) => isOwn(other) && other.own === param.own && other.column === param.column);
    if (!isRef(param)) return others.every((other) => !isRef(other) && !isOwn(other));
    // What they look back at lies before them, and is the same for all.
    return (
      param.step < before && others.every((other) => isRef(other) && other.step === param.step && other.column === param.column)
    );
  });
}

/** How many columns of each step, by its place in the part, later ones of the part look back at. */
export function columnsKept(shared: readonly Shared[]): ReadonlyMap<number, number> {
  const kept = new Map<number, number>();
  for (const { all } of shared)
    for (const param of all[0] ?? []) if (isOwn(param)) kept.set(param.own, Math.max(kept.get(param.own) ?? 0, param.column + 1));
  return kept;
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
