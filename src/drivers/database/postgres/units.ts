/** Writes a unit as statements that judge and count on the server, so that all of it can be sent at once. */
import { assert } from "../../../base/errors.ts";
import type { Step, StepRef, StepResult, Value } from "../../database.ts";
import type { Landed, Query } from "./flight.ts";
import { functionName } from "./functions.ts";
import { faultOf, replaceMarks } from "../texts.ts";

/** One query for each step, in order. @throws an assertion for a value that cannot be bound or a reference to nothing */
export function encodeUnit(unit: readonly Step[]): readonly Query[] {
  const wanted = columnsWanted(unit);
  return unit.map((step, index) => encodeStep(step, index, wanted.get(index) ?? 0));
}

/** Of each step that a later one refers to: how many of its columns must be remembered. */
function columnsWanted(unit: readonly Step[]): ReadonlyMap<number, number> {
  const wanted = new Map<number, number>();
  for (const [index, { params }] of unit.entries()) {
    for (const param of params) {
      if (!isRef(param)) continue;
      const isThere = param.step >= 0 && param.step < index && unit[param.step]?.kind === "rows";
      assert(isThere, `step ${index} refers to step ${param.step}, which has no rows before it`);
      wanted.set(param.step, Math.max(wanted.get(param.step) ?? 0, param.column + 1));
    }
  }
  return wanted;
}

function isRef(param: Value | StepRef): param is StepRef {
  return typeof param === "object" && param !== null && "step" in param && "column" in param;
}

// Within a transaction a setting of this name holds the value.
function placeOf({ step, column }: StepRef): string {
  return `holdfast.s${step}_${column}`;
}

function encodeStep(step: Step, index: number, columns: number): Query {
  const params = step.params.map((param, at) => {
    if (isRef(param)) return placeOf(param);
    const fault = faultOf(param);
    assert(fault === null, `parameter ${at} of step ${index} ${fault}`);
    return param;
  });
  const refs = step.params.map(isRef);
  const { kind, changes } = step;
  const shape = `${kind}${changes ? "!" : ""}${columns}${refs.includes(true) ? refs.map(Number).join("") : ""}`;
  const text = textOf(step, shape, { refs, columns });
  if (changes) return { text, params: [...params, changes.min, changes.max, changes.reason] };
  const places = Array.from({ length: columns }, (_, column) => placeOf({ step: index, column }));
  return { text, params: columns > 0 ? [...params, ...places] : params };
}

interface Encoding {
  readonly refs: readonly boolean[];
  readonly columns: number;
}

/** Texts made so far, by the step's own text and the shape of what is around it. */
const made = new Map<string, Map<string, string>>();
const madeMax = 5_000;

function textOf(step: Step, shape: string, encoding: Encoding): string {
  const known = made.get(step.text)?.get(shape);
  if (known !== undefined) return known;
  if (made.size >= madeMax) made.clear();
  const text = write(step, encoding);
  const byShape = made.get(step.text) ?? new Map<string, string>();
  made.set(step.text, byShape.set(shape, text));
  return text;
}

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
export function resultsOf(unit: readonly Step[], landed: readonly Landed[]): readonly StepResult[] {
  const wanted = columnsWanted(unit);
  return unit.map((step, index) => {
    const { rows, count } = landed[index] as Landed;
    if (step.kind === "check") return { rows: [], changes: 0 };
    if (step.kind === "run") return { rows: [], changes: step.changes ? Number(rows[0]?.[0]) : count };
    const extra = wanted.get(index) ?? 0;
    return { rows: extra === 0 ? rows : rows.map((row) => row.slice(0, -extra)), changes: 0 };
  });
}
