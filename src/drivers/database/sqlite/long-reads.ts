/** Long reads: a few threads with read-only connections, one statement at a time in each, and a bounded queue before them. */
import type { Worker } from "node:worker_threads";
import { failDatabase, type Row, type Statement } from "../../database.ts";
import { type Failure, toError } from "./failures.ts";
import type { SqliteTrouble } from "./options.ts";

export interface LongReadOptions {
  readonly start: () => Worker;
  /** Threads, counting those that still work on a statement nobody waits for. */
  readonly threadsMax: number;
  readonly queueMax: number;
  readonly onTrouble: (trouble: SqliteTrouble) => void;
  /** Called before anybody hears what was read. */
  readonly onNews: () => void;
}

interface Waiting {
  readonly statement: Statement;
  readonly settle: (result: readonly Row[] | Error) => void;
  /** Set while a thread works on it. */
  thread: Worker | null;
}

export class LongReads {
  readonly #options: LongReadOptions;
  readonly #queue: Waiting[] = [];
  readonly #busy = new Map<Worker, Waiting>();
  readonly #idle: Worker[] = [];
  /**
   * Threads told to end that have not yet. node:sqlite cannot interrupt a statement: the thread ends when its statement next
   * returns to JavaScript. Until then it fills its place, so that no number of slow queries starts more threads.
   */
  readonly #ending = new Set<Worker>();

  constructor(options: LongReadOptions) {
    this.#options = options;
  }

  read(statement: Statement, timeoutMs: number): Promise<readonly Row[]> {
    if (this.#queue.length >= this.#options.queueMax)
      return Promise.reject(failDatabase("read_timeout", { fields: { timeoutMs } }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(waiting, timeoutMs), timeoutMs);
      const settle = (result: readonly Row[] | Error) => {
        clearTimeout(timer);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const waiting: Waiting = { statement, settle, thread: null };
      this.#queue.push(waiting);
      this.#dispatch();
    });
  }

  /** Ends the threads; reads still under way fail. Does not wait for a statement that cannot be interrupted. */
  async close(): Promise<void> {
    const closed = failDatabase("database_closed");
    for (const { settle } of [...this.#queue.splice(0), ...this.#busy.values()]) settle(closed);
    for (const thread of this.#busy.keys()) void this.#end(thread);
    await Promise.all([...this.#idle].map((thread) => this.#end(thread)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop() ?? this.#start();
      if (thread === null) return;
      const waiting = this.#queue.shift() as Waiting;
      waiting.thread = thread;
      this.#busy.set(thread, waiting);
      thread.ref();
      const { text, params } = waiting.statement;
      thread.postMessage({ text, params });
    }
  }

  #start(): Worker | null {
    const running = this.#busy.size + this.#idle.length + this.#ending.size;
    if (running >= this.#options.threadsMax) return null;
    const thread = this.#options.start();
    let cause = "a reader's thread ended by itself";
    thread.on("message", (answer: readonly [true, readonly Row[]] | readonly [false, Failure]) => {
      const waiting = this.#busy.get(thread);
      if (waiting === undefined) return;
      this.#busy.delete(thread);
      this.#idle.push(thread);
      thread.unref();
      this.#options.onNews();
      waiting.settle(answer[0] ? answer[1] : toError(answer[1]));
      this.#dispatch();
    });
    thread.on("error", (error: Error) => (cause = error.message));
    thread.on("exit", () => this.#mourn(thread, cause));
    return thread;
  }

  #mourn(thread: Worker, message: string): void {
    if (!this.#ending.delete(thread)) {
      this.#options.onTrouble({ kind: "worker_died", message });
      this.#busy.get(thread)?.settle(failDatabase("database_failed", { cause: new Error(message) }));
      this.#forget(thread);
    }
    this.#dispatch();
  }

  #expire(waiting: Waiting, timeoutMs: number): void {
    const place = this.#queue.indexOf(waiting);
    if (place >= 0) this.#queue.splice(place, 1);
    if (waiting.thread !== null) void this.#end(waiting.thread);
    waiting.settle(failDatabase("read_timeout", { fields: { timeoutMs } }));
  }

  async #end(thread: Worker): Promise<void> {
    this.#forget(thread);
    this.#ending.add(thread);
    thread.unref();
    await thread.terminate();
  }

  #forget(thread: Worker): void {
    this.#busy.delete(thread);
    const place = this.#idle.indexOf(thread);
    if (place >= 0) this.#idle.splice(place, 1);
  }
}
