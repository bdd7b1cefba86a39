/** The primary's hold on its workers: starts them, replaces who dies, gives up when that does not help, and ends them all. */
import cluster, { type Worker } from "node:cluster";
import { failCli } from "../errors.ts";
import { watchHanded } from "./handed.ts";
import type { WorkerOrder, WorkerTold } from "./worker.ts";

export interface PoolOptions {
  readonly count: number;
  /** The command line of a worker, without its number. */
  readonly args: readonly string[];
  /** Workers may take this long to end before they are killed. */
  readonly stopTimeoutMs: number;
  readonly onEvent: (event: PoolEvent) => void;
}

export interface PoolEvent {
  readonly level: "info" | "error";
  readonly event: "worker_ready" | "worker_died";
  readonly worker: number;
  readonly pid: number;
  readonly detail: string;
}

/** A worker's place: who has it, and how those before fared. */
interface Place {
  readonly number: number;
  worker: Worker | null;
  /** When it began to serve. */
  servesSinceMs: number | null;
  /** What it said of why it cannot serve. */
  fault: string | null;
  /** Ends in a row that came soon after the start. */
  deaths: number;
  timer: NodeJS.Timeout | null;
}

/** Who has served this long was no failed start. */
const steadyMs = 10_000;
const deathsMax = 6;
/** The first one who dies is replaced at once; the next wait twice as long each time. */
const firstDelayMs = 200;

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #places: readonly Place[];
  readonly #ready = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #empty = Promise.withResolvers<void>();
  #isReady = false;
  #isStopping = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, index) => {
      return { number: index + 1, worker: null, servesSinceMs: null, fault: null, deaths: 0, timer: null };
    });
    // Whoever waits hears of it; until somebody does, it is not unhandled.
    this.#failed.promise.catch(() => null);
    for (const place of this.#places) this.#fork(place);
  }

  /** Resolves when all serve. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Rejects when a worker cannot be started or kept. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Lets all finish what is in flight; who takes too long is killed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { worker, timer, servesSinceMs } of this.#places) {
      if (timer !== null) clearTimeout(timer);
      // Who does not serve yet has nothing to finish, and might not hear.
      if (servesSinceMs === null) worker?.process.kill("SIGKILL");
      else if (worker?.isConnected()) worker.send({ order: "stop" } satisfies WorkerOrder, () => null);
    }
    const killing = setTimeout(() => this.kill(), this.#options.stopTimeoutMs);
    this.#leave();
    await this.#empty.promise;
    clearTimeout(killing);
  }

  /** Ends all at once. */
  kill(): void {
    for (const { worker } of this.#places) worker?.process.kill("SIGKILL");
  }

  #fork(place: Place): void {
    cluster.setupPrimary({ args: [...this.#options.args, "--worker", String(place.number)] });
    const worker = cluster.fork();
    Object.assign(place, { worker, servesSinceMs: null, fault: null, timer: null });
    worker.on("message", ({ failed }: WorkerTold) => (place.fault = failed));
    worker.on("listening", () => this.#welcome(place));
    const closeHanded = watchHanded(worker);
    worker.on("exit", (code, signal) => {
      closeHanded();
      this.#mourn(place, signal ? `it was ended by ${signal}` : `it ended with code ${code}`);
    });
    worker.on("error", (error: Error) => {
      // One that was started ends with an event of its own.
      if (worker.process.pid === undefined) this.#mourn(place, error.message);
    });
  }

  #welcome(place: Place): void {
    if (this.#isStopping || place.servesSinceMs !== null) return;
    place.servesSinceMs = performance.now();
    this.#tell(place, { level: "info", event: "worker_ready", detail: "it serves" });
    if (this.#isReady || this.#places.some(({ servesSinceMs }) => servesSinceMs === null)) return;
    this.#isReady = true;
    this.#ready.resolve();
  }

  #mourn(place: Place, end: string): void {
    const { number, servesSinceMs, fault } = place;
    const detail = fault ?? end;
    if (!this.#isStopping) this.#tell(place, { level: "error", event: "worker_died", detail });
    const wasSteady = servesSinceMs !== null && performance.now() - servesSinceMs >= steadyMs;
    Object.assign(place, { worker: null, servesSinceMs: null, deaths: wasSteady ? 0 : place.deaths + 1 });
    if (this.#isStopping) return this.#leave();
    if (!this.#isReady) return this.#failed.reject(failCli("worker_failed", { fields: { number, fault: detail } }));
    const { deaths } = place;
    if (deaths >= deathsMax)
      return this.#failed.reject(failCli("worker_dying", { fields: { number, count: deaths, fault: detail } }));
    if (deaths <= 1) return this.#fork(place);
    place.timer = setTimeout(() => this.#fork(place), firstDelayMs * 2 ** (deaths - 2));
  }

  #tell({ number, worker }: Place, event: Pick<PoolEvent, "level" | "event" | "detail">): void {
    this.#options.onEvent({ ...event, worker: number, pid: worker?.process.pid ?? 0 });
  }

  #leave(): void {
    if (this.#places.every(({ worker }) => worker === null)) this.#empty.resolve();
  }
}
