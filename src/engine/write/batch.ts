/** Batches: operations in order, each under its own rule; atomic ones in one transaction. */
import { AppError } from "../../base/errors.ts";
import type { BatchOp, BatchResult, Call, Data, Result, SingleResult } from "../call.ts";
import { fail, pointingAt } from "../errors.ts";
import { within } from "../limits.ts";
import type { Writing } from "../context.ts";
import { readTogether, type Together } from "./together.ts";
import { refusedPointer, transact } from "./writing.ts";

type Dispatch = (call: Exclude<Call, { op: "batch" }>, writing: Writing) => Promise<SingleResult>;

const kinds = ["create", "update", "delete", "upsert", "action"] as const;

// References nest no deeper than input may.
const referenceDepthMax = 64;

/** Of operations that were written together so many may be refused before the rest is written one by one. */
const refusalsMax = 4;

export async function runBatch(call: Extract<Call, { op: "batch" }>, writing: Writing, dispatch: Dispatch): Promise<Result> {
  within(writing.context.limits, "batchMax", call.ops.length);
  const run = async (inner: Writing) => {
    const answers = new Map<string, Data>();
    const results: BatchResult[] = [];
    const runOne = (index: number) =>
      runOp({ op: call.ops[index] as BatchOp, index, answers, atomic: call.atomic }, inner, dispatch);
    while (results.length < call.ops.length) {
      const from = results.length;
      const together = readTogether(callsFrom(call.ops, from, answers), { from, atomic: call.atomic }, inner);
      if (together === null) results.push(await runOne(from));
      else results.push(...(await runSeveral({ ops: call.ops, from, together, answers, runOne, atomic: call.atomic }, inner)));
    }
    return results;
  };
  const results = call.atomic ? await transact(writing, run) : await run(writing);
  return { kind: "batch", results };
}

interface Several {
  readonly ops: readonly BatchOp[];
  /** The place of the first. */
  readonly from: number;
  readonly together: Together;
  readonly answers: Map<string, Data>;
  readonly runOne: (index: number) => Promise<BatchResult>;
  readonly atomic: boolean;
}

/**
 * As if one came after the other: what is refused leaves no trace of any, so those before it are written without it, it is told why
 * by itself, and those behind it go on.
 */
async function runSeveral(several: Several, writing: Writing): Promise<readonly BatchResult[]> {
  const { ops, from, together, answers, runOne, atomic } = several;
  const opOf = (place: number) => ops[from + place] as BatchOp;
  const results: BatchResult[] = [];
  let refusals = 0;
  /** The place of one that was refused. */
  let bad = -1;
  while (results.length < together.length) {
    const at = results.length;
    const end = Math.min(bad > at ? bad : together.length, at + together.rowsMax);
    if (at === bad || end - at < 2 || refusals > refusalsMax) {
      results.push(await runOne(from + at));
      continue;
    }
    try {
      const rows = await together.write(at, end, writing);
      results.push(...rows.map((result, place) => answered(opOf(at + place), result, answers)));
    } catch (error) {
      if (!atomic && isOutcomeUnknown(error)) {
        for (let place = at; place < end; place++)
          results.push({ id: opOf(place).id ?? null, result: null, error: pointingAt(error, `/ops/${from + place}`) });
        continue;
      }
      const pointer = refusedPointer(error);
      refusals += pointer === null ? refusalsMax + 1 : 1;
      bad = pointer === null ? at : Number(pointer.split("/")[2]) - from;
    }
  }
  return results;
}

function isOutcomeUnknown(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "write_outcome_unknown";
}

interface Running {
  readonly op: BatchOp;
  readonly index: number;
  /** Earlier answers by their op's id. */
  readonly answers: Map<string, Data>;
  readonly atomic: boolean;
}

async function runOp({ op, index, answers, atomic }: Running, writing: Writing, dispatch: Dispatch): Promise<BatchResult> {
  const pointer = `/ops/${index}`;
  try {
    if (typeof op !== "object" || op === null || Array.isArray(op))
      throw malformed(pointer, "type", "An operation is an object.");
    if (op.id !== undefined && (typeof op.id !== "string" || answers.has(op.id)))
      throw malformed(`${pointer}/id`, "id", "The id of an operation is a text that no other has.");
    const result = await dispatch(callOf(op, pointer, answers), { ...writing, pointer: `${pointer}/data` });
    return answered(op, result, answers);
  } catch (error) {
    // An error that names no place is at least told which operation met it.
    const named = pointingAt(error, pointer);
    if (atomic || !(named instanceof AppError)) throw named;
    return { id: typeof op?.id === "string" ? op.id : null, result: null, error: named };
  }
}

/** Takes down what an operation has answered, for those that refer to it. */
function answered({ id }: BatchOp, result: SingleResult, answers: Map<string, Data>): BatchResult {
  if (id !== undefined) answers.set(id, answerOf(result));
  return { id: id ?? null, result, error: null };
}

type SingleCall = Exclude<Call, { op: "batch" }>;

/** Calls of one operation and one model that follow each other from there on, none of which refers to another. */
function* callsFrom(ops: readonly BatchOp[], from: number, answers: ReadonlyMap<string, Data>): Generator<SingleCall> {
  const ids = new Set<string>(answers.keys());
  for (const op of ops.slice(from)) {
    const call = readCall(op, answers);
    if (call === null || (op.id !== undefined && (typeof op.id !== "string" || ids.has(op.id)))) return;
    if (op.id !== undefined) ids.add(op.id);
    yield call;
  }
}

/** Null where it is none, or not one yet: what is wrong with it is told in its turn. */
function readCall(op: unknown, answers: ReadonlyMap<string, Data>): SingleCall | null {
  if (typeof op !== "object" || op === null || Array.isArray(op)) return null;
  try {
    return callOf(op as BatchOp, "", answers);
  } catch {
    return null;
  }
}

function callOf(op: BatchOp, pointer: string, answers: ReadonlyMap<string, Data>): SingleCall {
  const given = kinds.filter((kind) => op[kind] !== undefined);
  const [kind] = given;
  if (!kind || given.length > 1) throw malformed(pointer, "operation", `An operation says one of ${kinds.join(", ")}.`);
  const model = op[kind];
  if (typeof model !== "string") throw malformed(`${pointer}/${kind}`, "type", "It names a model or action.");
  const known: ReadonlySet<string> = new Set(["id", kind, "data", "key", "ifVersion", "onConflict", "onConflictDo"]);
  for (const name of Object.keys(op))
    if (!known.has(name)) throw malformed(`${pointer}/${name.slice(0, 64)}`, "unknown_field", "An operation has no such part.");
  const data = resolveRefs(op.data ?? {}, { answers, pointer: `${pointer}/data`, depth: 0 }) as Data;
  if (kind === "action") return { op: "action", action: model, input: data };
  if (kind === "create") return { op: "create", model, data };
  if (kind === "upsert") {
    if (!Array.isArray(op.onConflict))
      throw malformed(`${pointer}/onConflict`, "required", "An upsert says by which fields: onConflict is a list.");
    return {
      op: "upsert",
      model,
      data,
      onConflict: op.onConflict,
      onConflictDo: op.onConflictDo === "nothing" ? "nothing" : "update",
    };
  }
  const key = resolveRefs(op.key, { answers, pointer: `${pointer}/key`, depth: 0 });
  if (typeof key !== "string" && typeof key !== "number")
    throw malformed(
      `${pointer}/key`,
      "required",
      `${kind === "update" ? "An update" : "A delete"} names its row: key is its id.`,
    );
  if (op.ifVersion !== undefined && !Number.isSafeInteger(op.ifVersion))
    throw malformed(`${pointer}/ifVersion`, "type", "It is a whole number.");
  return kind === "update"
    ? { op: "update", model, id: String(key), data, ifVersion: op.ifVersion }
    : { op: "delete", model, id: String(key), ifVersion: op.ifVersion };
}

/** Replaces `{ "$ref": "o.id" }` by that field of an earlier operation's answer. */
function resolveRefs(value: unknown, at: { answers: ReadonlyMap<string, Data>; pointer: string; depth: number }): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (at.depth > referenceDepthMax) throw malformed(at.pointer, "depth", `It nests deeper than ${referenceDepthMax}.`);
  const inner = (name: string | number, part: unknown) =>
    resolveRefs(part, { ...at, pointer: `${at.pointer}/${name}`, depth: at.depth + 1 });
  if (Array.isArray(value)) return value.map((part, index) => inner(index, part));
  const entries = Object.entries(value);
  if (entries.length !== 1 || entries[0]?.[0] !== "$ref")
    return Object.fromEntries(entries.map(([name, part]) => [name, inner(name, part)]));
  const [op = "", field = "id"] = String(entries[0]?.[1]).split(".");
  const answer = at.answers.get(op);
  if (!answer || !Object.hasOwn(answer, field))
    throw malformed(
      at.pointer,
      "unknown_reference",
      `No earlier operation ${JSON.stringify(op.slice(0, 64))} answered with ${JSON.stringify(field.slice(0, 64))}.`,
    );
  return answer[field];
}

function answerOf(result: Result): Data {
  if (result.kind === "action") return toObject(JSON.parse(result.json));
  if (result.kind !== "row") return {};
  return { id: result.id, ...(result.json === null ? {} : toObject(JSON.parse(result.json))) };
}

function toObject(value: unknown): Data {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Data) : { value };
}

function malformed(pointer: string, code: string, message: string): AppError {
  return fail("invalid_input", { errors: [{ pointer, code, message }] });
}
