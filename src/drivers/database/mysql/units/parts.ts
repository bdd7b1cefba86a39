/** Runs parts that are alike together: each step once for all of them, in as few round trips as what they hand on allows. */
import { assert } from "../../../../base/errors.ts";
import { type Row, type Step, type StepRef, type StepResult, UnitRefused, type Value } from "../../../database.ts";
import { isOwn, type OwnRef, type Param, type Parts, type Shared } from "../../alike.ts";
import { isRef } from "../../steps.ts";
import { type Asked, type Block, judge } from "./blocks.ts";
import { type JoinedStep, joinStep } from "./joined.ts";

/** Checks refused some of the parts that ran together. */
export class PartsRefused extends Error {
  override readonly name = "PartsRefused";
  /** By the place of the part. */
  readonly refused: ReadonlyMap<number, UnitRefused>;
  constructor(refused: ReadonlyMap<number, UnitRefused>) {
    super("some parts were refused");
    this.refused = refused;
  }
}

export interface Running {
  readonly parts: Parts;
  readonly shared: readonly Shared[];
  /** Steps of the unit before them. */
  readonly from: number;
  /** In which texts are compared. */
  readonly collation: string;
  /** What a step before them has returned. */
  readonly recall: (ref: StepRef) => Value;
  /** Hears what all have answered, once the last of it is there. */
  readonly hear: (results: readonly StepResult[][]) => void;
}

/**
 * Puts them into the block, and sends it where one of their steps needs what an earlier one answers. Returns how many statements
 * they take.
 * @throws PartsRefused where checks say of which; what else it throws, it throws for one of them at least
 */
export async function runParts(block: Block, { parts, shared, from, collation, recall, hear }: Running): Promise<number> {
  const results: StepResult[][] = parts.map(() => []);
  let statements = 0;
  let due = 0;
  let left = shared.length * parts.length;
  const valueOf = (param: Param, part: number): Value => {
    if (isOwn(param)) return ownOf(results[part] ?? [], param);
    return isRef(param) ? recall(param) : param;
  };
  for (const { step, place, all } of shared) {
    const isHandedOn = (all[0] ?? []).some((param) => isOwn(param) && param.own >= due);
    if (isHandedOn) {
      await block.send();
      due = place;
    }
    const values = all.map((params, part) => params.map((param) => valueOf(param, part)));
    for (const { start, end, query } of join({ step, values, collation })) {
      statements++;
      const asked = query ?? { text: step.text, params: values[start] ?? [], step };
      const hearing: Hearing = { results: results.slice(start, end), start, step, index: from + place, form: formOf(query) };
      await block.add({
        ...asked,
        hear(answer) {
          take(answer, hearing);
          left -= end - start;
          if (left === 0) hear(results);
        },
      });
    }
  }
  return statements;
}

function ownOf(results: readonly StepResult[], { own, column }: OwnRef): Value {
  const value = results[own]?.rows[0]?.[column];
  // What its admission let pass is there; if not, one by one they tell.
  assert(value !== undefined, `step ${own} of a part returned no column ${column}`);
  return value;
}

/** Some of the parts that follow each other, from one place to before another: together, or one by itself as it is. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly query: JoinedStep | null;
}

interface Joining {
  readonly step: Step;
  readonly values: readonly (readonly Value[])[];
  readonly collation: string;
}

/** All in one, or in two where that would be too long, or each by itself where the product has no such statement. */
function join(joining: Joining, start = 0): readonly Stretch[] {
  const { step, values, collation } = joining;
  const end = start + values.length;
  const query = values.length > 1 ? joinStep(step, values, collation) : null;
  if (query !== null || values.length === 1) return [{ start, end, query }];
  // The largest power of two that leaves some: then few numbers of rows occur.
  const first = 2 ** Math.ceil(Math.log2(values.length) - 1);
  const two = [values.slice(0, first), values.slice(first)] as const;
  return [...join({ ...joining, values: two[0] }, start), ...join({ ...joining, values: two[1] }, start + first)];
}

interface Hearing {
  /** Of the parts that it answers for. */
  readonly results: readonly StepResult[][];
  /** The place of the first. */
  readonly start: number;
  readonly step: Step;
  readonly index: number;
  readonly form: "itself" | "numbered" | "counted";
}

function formOf(query: JoinedStep | null): Hearing["form"] {
  if (query === null) return "itself";
  return query.isNumbered ? "numbered" : "counted";
}

function take(answer: Parameters<Asked["hear"]>[0], { results, start, step, index, form }: Hearing): void {
  const { kind, changes } = step;
  if (form === "itself") {
    const rows = judgeOne(answer, { start, step, index });
    return void results[0]?.push({ rows, changes: kind === "run" ? answer.count : 0 });
  }
  if (form === "counted") return takeCounted(answer.rows, results);
  if (kind === "check") judgeAll(answer.rows, { start, index });
  if (kind === "run" && changes && answer.count !== results.length) throw new UnitRefused(changes.reason, index);
  const byPart = kind === "rows" ? Map.groupBy(answer.rows, (row) => Number(row[0])) : null;
  for (const [place, own] of results.entries())
    own.push({ rows: (byPart?.get(place + 1) ?? []).map((row) => row.slice(1)), changes: kind === "run" ? 1 : 0 });
}

/** Numbers that one statement has counted go up in the order of its rows, in whichever order they come back. */
function takeCounted(rows: readonly Row[], results: readonly StepResult[][]): void {
  assert(rows.length === results.length, "as many rows are counted as there are");
  const numbers = rows.map(([number]) => number as number | bigint).toSorted((one, other) => (one < other ? -1 : 1));
  for (const [place, own] of results.entries()) own.push({ rows: [[numbers[place] as Value]], changes: 0 });
}

function judgeOne(
  answer: Parameters<Asked["hear"]>[0],
  { start, step, index }: Pick<Hearing, "start" | "step" | "index">,
): readonly Row[] {
  try {
    return judge(step, answer, index);
  } catch (error) {
    if (!(error instanceof UnitRefused) || step.kind !== "check") throw error;
    throw new PartsRefused(new Map([[start, error]]));
  }
}

function judgeAll(rows: readonly Row[], { start, index }: Pick<Hearing, "start" | "index">): void {
  const refused = new Map<number, UnitRefused>();
  for (const [number, reason] of rows) {
    const place = start + Number(number) - 1;
    if (reason !== null && !refused.has(place)) refused.set(place, new UnitRefused(String(reason as string), index));
  }
  if (refused.size > 0) throw new PartsRefused(refused);
}
