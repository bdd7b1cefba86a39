/** Runs units inside the transaction at hand, and judges their steps by what the server has answered. */
import { assert } from "../../../base/errors.ts";
import { type Row, type Step, type StepRef, type StepResult, UnitRefused, type UnitRepeat, type Value } from "../../database.ts";
import { joinParts, type Parts, piecesOf, resultsOfParts } from "../alike.ts";
import { isRef } from "../steps.ts";
import { type Block, createBlock, judge } from "./blocks.ts";
import type { Session } from "./connections.ts";
import { isAborted, isLost, type ServerError, toRefusal } from "./failures.ts";
import { type JoinedStep, joinStep, noteUnfit } from "./joined.ts";
import { columnsOf } from "./places.ts";

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
    const joined = joinParts(parts, from, (step, all) =>
      joinStep(
        step,
        all.map((params) => params.map((param) => (isRef(param) ? recall(results, param) : param))),
        session.variant.collation,
      ),
    );
    if (joined === null) for (const [place, step] of steps.entries()) await addStep(step, from + place);
    else {
      await addJoined(block, { parts, joined, from, hear: (all) => results.push(...all.flat()) });
      saved += steps.length - joined.length;
    }
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

interface Joined {
  readonly parts: Parts;
  readonly joined: readonly JoinedStep[];
  readonly from: number;
  readonly hear: (results: readonly StepResult[][]) => void;
}

async function addJoined(block: Block, { parts, joined, from, hear }: Joined): Promise<void> {
  const answers: (readonly Row[])[] = [];
  for (const [index, query] of joined.entries()) {
    const { step } = query;
    await block.add({
      ...query,
      hear({ rows, count }) {
        if (step.kind === "check") judgeAll(rows, from + index);
        if (step.kind === "run" && step.changes && count !== parts.length)
          throw new UnitRefused(step.changes.reason, from + index);
        if (answers.push(rows) === joined.length) hear(resultsOfParts(parts, (place) => answers[place] ?? []));
      },
    });
  }
}

/**
 * Runs each step once for all parts, then what closes them.
 * @throws PartsRefused where checks say of which; what else it throws, it throws for one of them at least
 */
export async function runJoined(
  session: Session,
  { parts, joined }: Pick<Joined, "parts" | "joined">,
  closing: readonly Step[],
): Promise<readonly StepResult[][]> {
  const block = createBlock(session);
  let results: readonly StepResult[][] = [];
  const hear = (all: readonly StepResult[][]) => {
    results = all;
  };
  try {
    await addJoined(block, { parts, joined, from: 0, hear });
    for (const step of closing) await block.add({ text: step.text, params: [], step, hear: () => {} });
    await block.send();
    return results;
  } catch (error) {
    if (isUnfit(error as ServerError)) for (const query of joined) noteUnfit(query);
    throw error;
  }
}

/** Syntax, names and collations: what is wrong with a statement whatever its values are. */
const unfitNumbers: ReadonlySet<number> = new Set([1054, 1064, 1066, 1109, 1111, 1140, 1235, 1267, 1270, 1271]);

function isUnfit({ errno }: ServerError): boolean {
  return errno !== undefined && unfitNumbers.has(errno);
}

function judgeAll(rows: readonly Row[], step: number): void {
  const refused = new Map<number, UnitRefused>();
  for (const [number, reason] of rows) {
    const place = Number(number) - 1;
    if (reason !== null && !refused.has(place)) refused.set(place, new UnitRefused(String(reason as string), step));
  }
  if (refused.size > 0) throw new PartsRefused(refused);
}

function recall(before: readonly StepResult[], { step, column }: StepRef): Value {
  const row: Row | undefined = before[step]?.rows[0];
  const value = row?.[column];
  assert(value !== undefined, `step ${step} returned no column ${column}`);
  return value;
}
