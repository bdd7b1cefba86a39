/** Writes a unit as statements that judge and count on the server, so that all of it can be sent at once. */
import type { Step, StepResult, UnitRepeat } from "../../database.ts";
import { type Parts, piecesOf, resultsOfParts } from "../alike.ts";
import { checkUnit, isRef } from "../steps.ts";
import { rememberTexts, replaceMarks } from "../texts.ts";
import { joinParts } from "./arrays.ts";
import type { Landed, Query } from "./flight.ts";
import { functionName, placeOf } from "./functions.ts";

export interface Encoded {
  readonly queries: readonly Query[];
  /** What each share of the queries answers: a step by itself has one, parts that run together have one for each of their steps. */
  readonly shares: readonly (Step | Parts)[];
  /** Of each step that a later one refers to: how many of its columns are remembered. */
  readonly wanted: ReadonlyMap<number, number>;
}

/**
 * One query for each step, in order, and one for each step of parts that repeat.
 * @throws an assertion for a value that cannot be bound or a reference to nothing
 */
export function encodeUnit(unit: readonly Step[], repeats: readonly UnitRepeat[] = []): Encoded {
  checkUnit(unit);
  const wanted = columnsWanted(unit);
  const lastUse = lastUses(unit);
  const queries: Query[] = [];
  const shares: (Step | Parts)[] = [];
  const addStep = (index: number) => {
    const step = unit[index] as Step;
    shares.push(step);
    queries.push(encodeStep(step, index, wanted.get(index) ?? 0));
  };
  for (const piece of piecesOf(unit, repeats)) {
    if ("step" in piece) {
      addStep(piece.step);
      continue;
    }
    const { from, parts } = piece;
    const count = parts.length * (parts[0]?.length ?? 0);
    const all = Array.from({ length: count }, (_, index) => from + index);
    // What is remembered for those behind them is that of one step.
    const isWanted = all.some((index) => (lastUse.get(index) ?? 0) >= from + count);
    const joined = isWanted ? null : joinParts(parts, { from, areUnits: false });
    if (joined === null) {
      for (const index of all) addStep(index);
      continue;
    }
    shares.push(parts);
    queries.push(...joined);
  }
  return { queries, shares, wanted };
}

/** Of each step that a later one refers to: the last that does. */
function lastUses(unit: readonly Step[]): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const [index, { params }] of unit.entries()) for (const param of params) if (isRef(param)) uses.set(param.step, index);
  return uses;
}

function columnsWanted(unit: readonly Step[]): ReadonlyMap<number, number> {
  const wanted = new Map<number, number>();
  for (const { params } of unit)
    for (const param of params) if (isRef(param)) wanted.set(param.step, Math.max(wanted.get(param.step) ?? 0, param.column + 1));
  return wanted;
}

function encodeStep(step: Step, index: number, columns: number): Query {
  const params = step.params.map((param) => (isRef(param) ? placeOf(param) : param));
  const refs = step.params.map(isRef);
  const { kind, changes } = step;
  const shape = `${kind}${changes ? "!" : ""}${columns}${refs.includes(true) ? refs.map(Number).join("") : ""}`;
  const text = textFor(step.text, shape, () => write(step, { refs, columns }));
  if (changes) return { text, params: [...params, changes.min, changes.max, changes.reason] };
  const places = Array.from({ length: columns }, (_, column) => placeOf({ step: index, column }));
  return { text, params: columns > 0 ? [...params, ...places] : params };
}

interface Encoding {
  readonly refs: readonly boolean[];
  readonly columns: number;
}

/** By the step's own text and the shape of what is around it. */
const textFor = rememberTexts<string>();

function write({ kind, text, changes }: Step, { refs, columns }: Encoding): string {
  const own = refs.includes(true) ? recalling(text, refs) : text;
  if (kind === "check") return `select ${functionName("refuse")}(r.c::text) from (${own}) r(c) where r.c is not null limit 1`;
  if (kind === "run" && changes)
    return `with w as (${own} returning 1), n as (select count(*) c from w) select n.c, case when n.c not between ? and ? then ${functionName("refuse")}(?) end from n`;
  if (columns === 0) return own;
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  const kept = names.map((name) => `case when row_number() over () = 1 then ${functionName("remember")}(?, s.${name}::text) end`);
  // The places are bound behind the step's own parameters, which stand first in the text.
  return `with s(${names.join(", ")}) as (${own}) select s.*, ${kept.join(", ")} from s`;
}

function recalling(text: string, refs: readonly boolean[]): string {
  return replaceMarks(text, (index) => (refs[index] === true ? `${functionName("recall")}(?)` : "?"));
}

/** What the steps answered, from what their queries did. */
export function resultsOf({ shares, wanted }: Encoded, landed: readonly Landed[]): readonly StepResult[] {
  const results: StepResult[] = [];
  let query = 0;
  for (const share of shares) {
    if ("text" in share) {
      results.push(resultOf(share, landed[query++] as Landed, wanted.get(results.length) ?? 0));
      continue;
    }
    const from = query;
    results.push(...resultsOfParts(share, (step) => landed[from + step]?.rows ?? []).flat());
    query += share[0]?.length ?? 0;
  }
  return results;
}

function resultOf({ kind, changes }: Step, { rows, count }: Landed, extra: number): StepResult {
  if (kind === "check") return { rows: [], changes: 0 };
  if (kind === "run") return { rows: [], changes: changes ? Number(rows[0]?.[0]) : count };
  return { rows: extra === 0 ? rows : rows.map((row) => row.slice(0, -extra)), changes: 0 };
}
