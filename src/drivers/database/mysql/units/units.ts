/** Runs units inside the transaction at hand, and judges their steps by what the server has answered. */
import { assert } from "../../../../base/errors.ts";
import { type Row, type Step, type StepRef, type StepResult, type UnitRepeat, type Value } from "../../../database.ts";
import { piecesOf, sharedSteps } from "../../alike.ts";
import { isRef } from "../../steps.ts";
import { createBlock, judge } from "./blocks.ts";
import type { Session } from "../connections.ts";
import { isAborted, isLost, type ServerError, toRefusal } from "../failures.ts";
import { type Running, runParts } from "./parts.ts";
import { noteUnfit } from "./joined.ts";
import { columnsOf } from "../places.ts";

export interface Done {
  readonly results: readonly StepResult[];
  /** How many statements fewer than its steps it took. */
  readonly saved: number;
}

/** Whether the whole transaction is undone: by a deadlock, or by the end of the connection. */
export function isUndone(error: unknown): boolean {
  return isAborted(error as ServerError) || isLost(error as ServerError);
}

/**
 * Runs a unit in few round trips, and what repeats in it together.
 * @throws where it is not known which step has failed: run step by step, it tells
 */
export async function runUnit(session: Session, unit: readonly Step[], repeats: readonly UnitRepeat[]): Promise<Done> {
  const results: StepResult[] = [];
  const block = createBlock(session);
  const { collation } = session.variant;
  let saved = 0;
  const recallAll = async (params: readonly (Value | StepRef)[]) => {
    if (params.some((param) => isRef(param) && param.step >= results.length)) await block.send();
    return params.map((param) => (isRef(param) ? recall(results, param) : param));
  };
  const addStep = async (step: Step, index: number) => {
    const hear = (answer: Parameters<typeof judge>[1]) => {
      results.push({ rows: judge(step, answer, index), changes: step.kind === "run" ? answer.count : 0 });
    };
    await block.add({ text: step.text, params: await recallAll(step.params), step, hear });
  };
  for (const piece of piecesOf(unit, repeats)) {
    if ("step" in piece) {
      await addStep(unit[piece.step] as Step, piece.step);
      continue;
    }
    const { from, parts } = piece;
    const steps = parts.flat();
    // What they look back at is the same for all.
    await recallAll((parts[0] ?? []).flatMap(({ params }) => params.filter((param) => isRef(param) && param.step < from)));
    const shared = sharedSteps(parts, { from, areUnits: false });
    if (shared === null) {
      for (const [place, step] of steps.entries()) await addStep(step, from + place);
      continue;
    }
    const hear = (all: readonly StepResult[][]) => results.push(...all.flat());
    saved +=
      steps.length - (await runParts(block, { parts, shared, from, collation, recall: (ref) => recall(results, ref), hear }));
  }
  await block.send();
  return { results, saved };
}

/** Runs a unit one step after the other. @throws UnitRefused, or what the server says */
export async function runSteps(session: Session, unit: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const [index, step] of unit.entries()) {
    try {
      const answer = await session.ask(
        step.text,
        step.params.map((param) => (isRef(param) ? recall(results, param) : param)),
      );
      results.push({ rows: judge(step, answer, index), changes: step.kind === "run" ? answer.count : 0 });
    } catch (error) {
      const columns = (table: string, name: string) => columnsOf(session, table, name);
      throw (await toRefusal(error as ServerError, { step: index, text: step.text, columnsOf: columns })) ?? error;
    }
  }
  return results;
}

/**
 * Runs each step once for all units, then what closes them.
 * @throws PartsRefused where checks say of which; what else it throws, it throws for one of them at least
 */
export async function runJoined(
  session: Session,
  units: Pick<Running, "parts" | "shared">,
  closing: readonly Step[],
): Promise<readonly StepResult[][]> {
  const block = createBlock(session);
  let results: readonly StepResult[][] = [];
  const hear = (all: readonly StepResult[][]) => {
    results = all;
  };
  try {
    await runParts(block, { ...units, from: 0, collation: session.variant.collation, recall: (ref) => recall([], ref), hear });
    for (const step of closing) await block.add({ text: step.text, params: [], step, hear: () => {} });
    await block.send();
    return results;
  } catch (error) {
    if (isUnfit(error as ServerError)) for (const { step } of units.shared) noteUnfit(step);
    throw error;
  }
}

/** Syntax, names and collations: what is wrong with a statement whatever its values are. */
const unfitNumbers: ReadonlySet<number> = new Set([1054, 1064, 1066, 1109, 1111, 1140, 1235, 1267, 1270, 1271]);

function isUnfit({ errno }: ServerError): boolean {
  return errno !== undefined && unfitNumbers.has(errno);
}

function recall(before: readonly StepResult[], { step, column }: StepRef): Value {
  const row: Row | undefined = before[step]?.rows[0];
  const value = row?.[column];
  assert(value !== undefined, `step ${step} returned no column ${column}`);
  return value;
}
