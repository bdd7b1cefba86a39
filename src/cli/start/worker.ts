/** One of several processes that serve: it migrates nothing, ends with the primary, and says why where it cannot start. */
import cluster from "node:cluster";
import type { App } from "../../app/app.ts";
import type { AppOptions, Settings } from "../../app/options.ts";
import { AppError } from "../../base/errors.ts";
import type { Registry } from "../../engine/typed.ts";
import { workerLines } from "../say/log-lines.ts";
import { exitCodes, type Terminal } from "../terminal.ts";
import { waitForSignal } from "./signals.ts";

/** What a worker tells the primary before it ends. */
export interface WorkerTold {
  /** Why it cannot serve, for a person. */
  readonly failed: string;
}

/** What the primary tells a worker. */
export interface WorkerOrder {
  readonly order: "stop";
}

/** Makes the app of the command line, with further options. */
export type OpenApp = (more: AppOptions) => Promise<App<Registry>>;

export interface Working {
  readonly terminal: Terminal;
  readonly open: OpenApp;
  readonly settings: Settings;
  /** Which of how many, counted from 1. */
  readonly number: number;
  readonly count: number;
}

export async function serveWorker(working: Working): Promise<number> {
  const stopped = waitForSignal(working.terminal);
  const ordered = new Promise<void>((resolve) => process.on("message", () => resolve()));
  // Without this a worker whose primary is gone would end in the middle of its answers.
  cluster.worker?.on("disconnect", endByItself);
  try {
    await work(working, Promise.race([stopped.signal, ordered]));
    return exitCodes.done;
  } catch (error) {
    await tell({ failed: say(error, working.terminal) });
    return exitCodes.failed;
  } finally {
    stopped.forget();
    endByItself();
    if (process.connected) process.disconnect();
  }
}

async function work({ terminal, open, settings, number, count }: Working, ending: Promise<void>): Promise<void> {
  const app = await open({
    log: workerLines(terminal, number),
    // What is behind now was changed since the primary looked, and the others would not know of it.
    migrate: false,
    // The limit is for all of them together.
    http: { ...settings.http, connectionsMax: Math.ceil(settings.http.connectionsMax / count) },
  });
  try {
    await app.start();
    await ending;
  } finally {
    await app.stop();
  }
}

function endByItself(): void {
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
}

function tell(told: WorkerTold): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) return resolve();
    process.send?.(told, undefined, undefined, () => resolve());
  });
}

function say(error: unknown, { debug }: Terminal): string {
  if (error instanceof AppError && !debug) return `${error.message}\n  → ${error.explanation}`;
  if (error instanceof Error) return debug ? (error.stack ?? error.message) : error.message;
  return String(error);
}
