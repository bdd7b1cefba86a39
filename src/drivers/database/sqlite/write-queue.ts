/** The main thread's end of the writer: gathers the work of one turn of the event loop into one message and settles the answers. */
import type { Worker } from "node:worker_threads";
import { assert } from "../../../base/errors.ts";
import { failDatabase, type Step } from "../../database.ts";
import { type Failure, faultOf } from "./failures.ts";
import {
  type Answer,
  type Batch,
  isRef,
  type Job,
  type Param,
  type Reply,
  type WireStep,
  type WriterCounts,
} from "./messages.ts";
import type { SqliteTrouble } from "./options.ts";

export interface WriteQueueOptions {
  /** Starts a writer's thread; called again by the first work after one has died. */
  readonly start: () => Worker;
  /** Units and transactions that may wait. */
  readonly max: number;
  /** Texts that either end remembers by number. */
  readonly textsMax: number;
  readonly onTrouble: (trouble: SqliteTrouble) => void;
  /** Called before anybody hears what has become of their work. */
  readonly onNews: () => void;
}

type Payload = Extract<Answer, readonly [number, true, unknown]>[2];
/** What became of a job. */
export type Outcome = { readonly ok: true; readonly payload: Payload } | { readonly ok: false; readonly failure: Failure };
export interface Sent {
  readonly id: number;
  readonly outcome: Promise<Outcome>;
}
/** A job before it has its number. */
export type Work = Job extends infer J ? (J extends Job ? Omit<J, "id"> : never) : never;

const died: Failure = { code: "database_failed", message: "the writer's thread ended by itself", errcode: 0 };

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  /** What to do when the writer undoes an open transaction on its own. */
  readonly #held = new Map<number, (failure: Failure) => void>();
  readonly #texts = new Map<string, number>();
  #worker: Worker | null = null;
  #outbox: Job[] = [];
  #newTexts: string[] = [];
  #reset = false;
  #scheduled = false;
  #lastId = 0;
  #broken = false;
  #counts: WriterCounts = { commits: 0, units: 0, checkpoints: 0, logPages: 0 };
  #onIdle: (() => void)[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** A sync to disk failed. */
  get broken(): boolean {
    return this.#broken;
  }

  get counts(): WriterCounts {
    return this.#counts;
  }

  get started(): boolean {
    return this.#worker !== null;
  }

  /** Queues a unit, a transaction's begin or a migration with all of this turn; fails at once when too many wait. */
  submit(work: Work): Sent {
    if (this.#broken && work.kind !== "close") throw failDatabase("database_read_only");
    if (this.#waiting.size >= this.#options.max && work.kind !== "close") throw failDatabase("transaction_queue_full");
    const sent = this.#enqueue(work);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return sent;
  }

  /** A request of an open transaction: the writer waits for it, so it goes out now and counts against no bound. */
  request(work: Work): Promise<Outcome> {
    const { outcome } = this.#enqueue(work);
    this.#flush();
    return outcome;
  }

  /** Hears when the writer undoes this transaction by itself. Returns what ends the listening. */
  watch(transaction: number, lost: (failure: Failure) => void): () => void {
    this.#held.set(transaction, lost);
    return () => {
      this.#held.delete(transaction);
      this.#rest();
    };
  }

  /** Turns steps into what travels; a value that cannot be bound is the caller's error and reaches nobody else. */
  encode(steps: readonly Step[]): readonly WireStep[] {
    steps.forEach(({ params }, step) => assertParams(params, step));
    return steps.map(({ text, kind, params, changes }) => {
      const wire = [this.#textId(text), kind, params.map(compact)] as const;
      return changes === undefined ? wire : [...wire, changes];
    });
  }

  /** Resolves when nothing waits for the writer and no transaction is open. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#rest();
    });
  }

  /** Lets the writer close its connection and ends its thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    await this.submit({ kind: "close" }).outcome;
    this.#worker = null;
    await worker.terminate();
  }

  #enqueue(work: Work): Sent {
    const id = ++this.#lastId;
    const outcome = new Promise<Outcome>((resolve) => this.#waiting.set(id, resolve));
    this.#outbox.push({ ...work, id });
    return { id, outcome };
  }

  #textId(text: string): number {
    let id = this.#texts.get(text);
    if (id === undefined) {
      id = this.#texts.size;
      this.#texts.set(text, id);
      this.#newTexts.push(text);
    }
    return id;
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#outbox.length === 0) return;
    const batch: Batch = { reset: this.#reset, texts: this.#newTexts, jobs: this.#outbox };
    const worker = (this.#worker ??= this.#start());
    this.#outbox = [];
    this.#newTexts = [];
    this.#reset = this.#texts.size > this.#options.textsMax;
    if (this.#reset) this.#texts.clear();
    worker.ref();
    worker.postMessage(batch);
  }

  #start(): Worker {
    const worker = this.#options.start();
    worker.on("message", (reply: Reply) => this.#hear(reply));
    // An error is always followed by the exit, which knows what is left to do; the listener keeps it from being thrown.
    let cause = died.message;
    worker.on("error", (error: Error) => (cause = error.message));
    worker.on("exit", () => this.#mourn(worker, cause));
    return worker;
  }

  #hear({ answers, lost, trouble, counts }: Reply): void {
    this.#counts = counts;
    this.#options.onNews();
    if (trouble !== undefined) {
      if (trouble.kind === "sync_failed") this.#broken = true;
      this.#options.onTrouble(trouble);
    }
    for (const [id, ok, payload] of answers) {
      const settle = this.#waiting.get(id);
      this.#waiting.delete(id);
      settle?.(ok ? { ok, payload } : { ok, failure: payload });
    }
    if (lost !== undefined) this.#held.get(lost[0])?.(lost[1]);
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#held.size > 0) return;
    this.#worker?.unref();
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #mourn(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#texts.clear();
    this.#newTexts = [];
    this.#reset = false;
    this.#outbox = [];
    this.#options.onTrouble({ kind: "worker_died", message });
    const failure = { ...died, message };
    for (const settle of this.#waiting.values()) settle({ ok: false, failure });
    this.#waiting.clear();
    for (const lost of this.#held.values()) lost(failure);
    this.#rest();
  }
}

function assertParams(params: readonly Param[], step: number): void {
  params.forEach((param, index) => {
    const isGood = isRef(param) ? Number.isInteger(param.step) && Number.isInteger(param.column) : faultOf(param) === null;
    if (!isGood) assert(false, `parameter ${index} of step ${step} ${isRef(param) ? "is no value" : faultOf(param)}`);
  });
}

/** A view of a larger buffer would take the whole buffer along, and a Buffer's pool with it. */
function compact(param: Param): Param {
  if (!(param instanceof Uint8Array)) return isRef(param) ? { step: param.step, column: param.column } : param;
  return param.byteLength === param.buffer.byteLength ? param : Uint8Array.prototype.slice.call(param);
}
