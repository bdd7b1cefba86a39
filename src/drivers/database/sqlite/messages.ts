/** What the main thread and the writer's thread say to each other: plain data, a statement's text only once. */
import type { Row, Step, StepRef, StepResult, Statement, Value } from "../../database.ts";
import type { Failure } from "./failures.ts";

export type Param = Value | StepRef;

/** A step whose text is a number in the table of texts while it travels, and the text itself at either end. */
export type WireStep<Text = number> = readonly [
  text: Text,
  kind: Step["kind"],
  params: readonly Param[],
  changes?: Step["changes"],
];

/** Work for the writer. `id` is what its answer carries; `transaction` is the id of the `begin` that opened it. */
export type Job<Text = number> =
  | { readonly kind: "unit"; readonly id: number; readonly steps: readonly WireStep<Text>[] }
  | { readonly kind: "begin"; readonly id: number; readonly timeoutMs: number; readonly alone: boolean }
  | { readonly kind: "read"; readonly id: number; readonly transaction: number; readonly step: WireStep<Text> }
  | { readonly kind: "write"; readonly id: number; readonly transaction: number; readonly steps: readonly WireStep<Text>[] }
  | { readonly kind: "end"; readonly id: number; readonly transaction: number; readonly undo: boolean }
  | { readonly kind: "migrate"; readonly id: number; readonly statements: readonly Statement[] }
  | { readonly kind: "close"; readonly id: number };

export interface Batch {
  /** Forget all texts before adding these: keeps both tables within their bound. */
  readonly reset: boolean;
  /** Numbered on from the last one. */
  readonly texts: readonly string[];
  readonly jobs: readonly Job[];
}

/** A step's result on its way: rows, or how many rows it changed. */
export type WireResult = readonly Row[] | number;

export type Answer =
  | readonly [id: number, ok: true, payload: readonly WireResult[] | readonly Row[] | null]
  | readonly [id: number, ok: false, payload: Failure];

/** Counters since the writer's thread started. */
export interface WriterCounts {
  readonly commits: number;
  readonly units: number;
  readonly checkpoints: number;
  /** Pages that the log held when it was last looked at; 0 where all are copied, and the next commit starts it anew. */
  readonly logPages: number;
}

export interface Reply {
  readonly answers: readonly Answer[];
  /** A transaction that the writer has undone while it was open. */
  readonly lost?: readonly [transaction: number, failure: Failure];
  readonly trouble?: { readonly kind: "sync_failed" | "checkpoint_failed"; readonly message: string };
  readonly counts: WriterCounts;
}

export const noRows: readonly Row[] = Object.freeze([]);

export function toResult(result: WireResult): StepResult {
  return typeof result === "number" ? { rows: noRows, changes: result } : { rows: result, changes: 0 };
}

export function isRef(param: unknown): param is StepRef {
  return typeof param === "object" && param !== null && !(param instanceof Uint8Array);
}
