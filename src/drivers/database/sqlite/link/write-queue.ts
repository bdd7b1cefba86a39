/** The main thread's end of the writer: gathers the work of one turn of the event loop into one message and settles the answers. */
import { assert } from "../../../../base/errors.ts";
import { failDatabase, type Step } from "../../../database.ts";
import { type Failure, faultOf } from "../failures.ts";
import {
  type Answer,
  type Batch,
  isRef,
  type Job,
  type Param,
  type Reply,
  type WireStep,
  type WriterCounts,
} from "../messages.ts";
import type { Link, Loss, OpenLink } from "./link.ts";
import type { SqliteTrouble } from "../options.ts";

export interface WriteQueueOptions {
  /** Opens a way to the writer; called again by the first work after one was lost. */
  readonly open: OpenLink;
  /**
   * Open it at once, and again when it is lost: the writer works for others too, and what it tells of the disk concerns also who
   * writes nothing.
   */
  readonly isShared: boolean;
  /** Units and transactions that may wait. */
  readonly max: number;
  /** Texts that either end remembers by number. */
  readonly textsMax: number;
  readonly onTrouble: (trouble: SqliteTrouble) => void;
  /** Called before anybody hears what has become of their work. */
  readonly onNews: () => void;
  /** Hears of commits. */
  readonly onCommitted: () => void;
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

interface Waiting {
  settle: (outcome: Outcome) => void;
  /** Without its answer nobody knows whether it was done. */
  readonly mayBeDone: boolean;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** What to do when the writer undoes an open transaction on its own. */
  readonly #held = new Map<number, (failure: Failure) => void>();
  readonly #texts = new Map<string, number>();
  #link: Link | null = null;
  #outbox: Job[] = [];
  #newTexts: string[] = [];
  #reset = false;
  #scheduled = false;
  #lastId = 0;
  #broken = false;
  #isCut = false;
  #isClosed = false;
  #counts: WriterCounts = { commits: 0, units: 0, checkpoints: 0, logPages: 0 };
  #onIdle: (() => void)[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    if (options.isShared) this.#reach();
  }

  /** A sync to disk failed. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The writer says nothing, or was not to be reached, for as long as one waits for it. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get counts(): WriterCounts {
    return this.#counts;
  }

  get started(): boolean {
    return this.#link !== null;
  }

  /** Queues a unit, a transaction's begin or a migration with all of this turn; fails at once when too many wait. */
  submit(work: Work): Sent {
    if (this.#broken && work.kind !== "close") throw failDatabase("database_read_only");
    // It is tried all the while: who would wait for it would wait for nothing.
    if (this.#isCut && this.#options.isShared) throw failDatabase("database_unreachable", { headers: { "Retry-After": "1" } });
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

  /** Lets a writer that is this process's own close its connection and end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const link = this.#link;
    if (link === null) return;
    await link.end(() => this.submit({ kind: "close" }).outcome);
    this.#link = null;
  }

  #enqueue(work: Work): Sent {
    const id = ++this.#lastId;
    const outcome = new Promise<Outcome>((settle) => this.#waiting.set(id, { settle, mayBeDone: mayBeDone(work) }));
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
    const link = this.#reach();
    this.#outbox = [];
    this.#newTexts = [];
    this.#reset = this.#texts.size > this.#options.textsMax;
    if (this.#reset) this.#texts.clear();
    link.hold(true);
    link.post(batch);
  }

  #reach(): Link {
    this.#link ??= this.#options.open({ hear: (reply) => this.#hear(reply), lose: (loss) => this.#mourn(loss) });
    return this.#link;
  }

  #hear({ answers, lost, trouble, counts }: Reply): void {
    const isNews = counts.commits !== this.#counts.commits;
    this.#counts = counts;
    this.#isCut = false;
    this.#options.onNews();
    if (isNews) this.#options.onCommitted();
    if (trouble !== undefined) {
      if (trouble.kind === "sync_failed") this.#broken = true;
      this.#options.onTrouble(trouble);
    }
    for (const [id, ok, payload] of answers) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (waiting === undefined) continue;
      waiting.settle(ok ? { ok, payload } : { ok, failure: payload });
      // A map that has grown or shrunk leaves its old table behind, and with it all that these hold: let go, nothing outlives its answer.
      waiting.settle = nothing;
    }
    if (lost !== undefined) this.#held.get(lost[0])?.(lost[1]);
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#held.size > 0) return;
    this.#link?.hold(false);
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** What was asked of a writer that is gone: undone for sure, but for what may have been committed before the answer was lost. */
  #mourn({ kind, message, wasReached, isSilent }: Loss): void {
    this.#link = null;
    this.#isCut = !wasReached || isSilent;
    this.#texts.clear();
    this.#newTexts = [];
    this.#reset = false;
    const unsent = new Set(this.#outbox.splice(0).map(({ id }) => id));
    this.#options.onNews();
    this.#options.onTrouble({ kind, message });
    const undone: Failure = { code: "database_unreachable", message, errcode: 0 };
    const unknown: Failure = { code: "write_outcome_unknown", message, errcode: 0 };
    for (const [id, { settle, mayBeDone: may }] of this.#waiting)
      settle({ ok: false, failure: may && wasReached && !unsent.has(id) ? unknown : undone });
    this.#waiting.clear();
    for (const lost of this.#held.values()) lost(undone);
    if (this.#options.isShared && !this.#isClosed) this.#reach();
    this.#rest();
  }
}

function nothing(): void {}

function mayBeDone(work: Work): boolean {
  return work.kind === "unit" || work.kind === "migrate" || (work.kind === "end" && !work.undo);
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
