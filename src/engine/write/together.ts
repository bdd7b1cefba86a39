/** Operations of a batch that follow each other and may be one unit: the same kind of write of different rows of one model, without hooks. */
import type { Model } from "../../schema/schema.ts";
import type { Call, SingleResult } from "../call.ts";
import type { Writing } from "../context.ts";
import { admit } from "../guard.ts";
import { formatKey, parseKey } from "../key.ts";
import { createAtOnce, modelsIn } from "./create.ts";
import { type DeleteWrite, goesAlone, toDelete, writeDeletes } from "./delete.ts";
import { type Input, readInput } from "./input.ts";
import { toUpdate } from "./patch.ts";
import { unitRowsMax } from "./repeats.ts";
import { type UpdateWrite, writeUpdates } from "./update.ts";
import { inputContext, modelOf } from "./writing.ts";

type SingleCall = Exclude<Call, { op: "batch" }>;

/** Operations that have been read, and can be written in one unit. */
export interface Together {
  readonly length: number;
  /** How many of them one unit should have at most. */
  readonly rowsMax: number;
  /**
   * Writes those from one place to before another: all or none.
   * @throws what one of them is refused with; `refusedPointer` says which
   */
  write(from: number, to: number, writing: Writing): Promise<readonly SingleResult[]>;
}

export interface Batch {
  /** The place of the first call. */
  readonly from: number;
  readonly atomic: boolean;
}

/** Reads calls until one is of another kind, or has to be written by itself; null where there are not two of them. */
export function readTogether(calls: Iterable<SingleCall>, batch: Batch, writing: Writing): Together | null {
  let reading: Reading | null = null;
  let kind = "";
  let place = batch.from;
  for (const call of calls) {
    if (!("model" in call)) break;
    reading ??= startReading(call, batch, writing);
    kind ||= `${call.op} ${call.model}`;
    if (kind !== `${call.op} ${call.model}`) break;
    if (reading === null || !reads(reading, call, { ...writing, pointer: `/ops/${place++}/data` })) break;
  }
  return reading?.end() ?? null;
}

/** What is wrong with one is told in its turn: those before it come first. */
function reads({ add }: Reading, call: SingleCall, writing: Writing): boolean {
  try {
    return add(call, writing);
  } catch {
    return false;
  }
}

interface Reading {
  /** False for one that has to be written by itself. */
  readonly add: (call: SingleCall, writing: Writing) => boolean;
  readonly end: () => Together | null;
}

function startReading({ op }: SingleCall, batch: Batch, writing: Writing): Reading | null {
  if (op === "create") return readingCreates(batch);
  if (op === "update") return readingUpdates(writing);
  return op === "delete" ? readingDeletes(writing) : null;
}

function readingCreates({ atomic }: Batch): Reading {
  const inputs: Input[] = [];
  return {
    add(call, writing) {
      const { model: name, data } = call as Extract<Call, { op: "create" }>;
      const model = modelOf(name, writing);
      admit(model, "create", writing);
      const input = readInput(model, data, inputContext("create", writing));
      const isPlain = modelsIn(input).every(({ name: one }) => !writing.context.hooks.has(one, "create"));
      return isPlain && (atomic || !isOfOthers(model)) && inputs.push(input) > 0;
    },
    end: () => several(inputs, inputs.length, (some, writing) => createAtOnce(some, undefined, writing)),
  };
}

function readingUpdates({ context }: Writing): Reading {
  const writes: UpdateWrite[] = [];
  const isNew = distinct();
  return {
    add(call, writing) {
      const write = toUpdate(call as Extract<Call, { op: "update" }>, writing, true);
      const { model, owned } = write.input;
      const isPlain = owned.length === 0 && !context.hooks.has(model.name, "update") && !isOfOthers(model);
      return isPlain && isNew(model, write.id) && writes.push({ ...write, pointer: writing.pointer }) > 0;
    },
    end: () => several(writes, unitRowsMax, writeUpdates),
  };
}

function readingDeletes(writing: Writing): Reading {
  const writes: DeleteWrite[] = [];
  const isNew = distinct();
  return {
    add(call, inner) {
      const write = toDelete(call as Extract<Call, { op: "delete" }>, inner);
      const isPlain = goesAlone(write, writing) && !isOfOthers(write.model);
      return isPlain && isNew(write.model, write.id) && writes.push({ ...write, pointer: inner.pointer }) > 0;
    },
    end: () =>
      several(writes, unitRowsMax, async (some, inner) => {
        await writeDeletes(some, inner);
        return some.map((): SingleResult => ({ kind: "deleted" }));
      }),
  };
}

/** What only the database knows of a table may stand between two writes of it. */
function isOfOthers({ adopted, takenOver }: Model): boolean {
  return adopted || takenOver;
}

/** Says of each row whether it was not named before, however its key is spelt. */
function distinct(): (model: Model, id: string) => boolean {
  const seen = new Set<string>();
  return (model, given) => {
    const key = parseKey(model, given);
    if (key === null) return false;
    const id = formatKey(model, key);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  };
}

function several<W>(
  writes: readonly W[],
  rowsMax: number,
  write: (some: readonly W[], writing: Writing) => Promise<readonly SingleResult[]>,
): Together | null {
  if (writes.length < 2) return null;
  return { length: writes.length, rowsMax, write: (from, to, writing) => write(writes.slice(from, to), writing) };
}
