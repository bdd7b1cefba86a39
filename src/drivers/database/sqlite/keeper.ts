/** Keeps a process that writes for several: starts it, starts another when it dies, and ends it after those who write. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { assert } from "../../../base/errors.ts";
import type { Failure } from "./failures.ts";
import { type Pulse, startPulse } from "./link/pulse.ts";
import { resolveOptions, silenceMsOf, type SqliteOptions, type ThreadSettings } from "./options.ts";

export interface WriterKeeper {
  /** What `openSqlite` takes as `writer`. Only this user can reach it. */
  readonly address: string;
  /** Resolves when it first serves; rejects when it cannot. */
  readonly ready: Promise<void>;
  /** Ends it, once nobody is joined to it. */
  stop(): Promise<void>;
}

export interface WriterEvent {
  readonly level: "info" | "error";
  readonly event: "writer_ready" | "writer_died" | "writer_silent";
  readonly pid: number;
  readonly detail: string;
}

export interface KeeperOptions {
  /** How its database is opened. */
  readonly database: SqliteOptions;
  readonly onEvent: (event: WriterEvent) => void;
}

/** What the process is told. */
export type KeeperOrder =
  | {
      readonly serve: {
        readonly settings: ThreadSettings;
        readonly address: string;
        /** Goes with the process. */
        readonly folder: string;
        readonly broken: Failure | null;
      };
    }
  /** Whether it is still there. */
  | { readonly ask: true }
  | { readonly end: true };

/** What the process tells. */
export type WriterTold = { readonly serves: true } | { readonly isThere: true } | { readonly broken: Failure };

/** The first one that dies is replaced at once; the next wait twice as long each time. */
const firstDelayMs = 200;
const doublingsMax = 5;
/** Who has served this long was no failed start. */
const steadyMs = 10_000;
/** One that was silent may only have been slow: the next is waited for twice as long, until one has served for an hour. */
const patienceDoublingsMax = 3;
const calmMs = 3_600_000;
/** A process that nobody is joined to has a database to close, and no more. */
const stopTimeoutMs = 5_000;
/** The kernel's 104 to 108 bytes for the path of a socket, and its closing zero. */
const pathBytesMax = 103;
const nothing = (): undefined => undefined;

export function keepWriter({ database, onEvent }: KeeperOptions): WriterKeeper {
  const { onTrouble: _, writer: __, ...rest } = resolveOptions(database);
  const settings: ThreadSettings = Object.freeze({ ...rest, temporary: false });
  const folder = makeFolder(settings.file);
  const address = addressIn(folder);
  const ready = Promise.withResolvers<void>();
  // Whoever waits hears of it; until somebody does, it is not unhandled.
  ready.promise.catch(nothing);
  let broken: Failure | null = null;
  let deaths = 0;
  let hasServed = false;
  let isStopping = false;
  let timer: NodeJS.Timeout | undefined;
  let silences = 0;
  let calm: NodeJS.Timeout | undefined;
  let child = start();

  function start(): ChildProcess {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const started = fork(new URL(`./writer-process.${extension}`, import.meta.url), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const pid = started.pid ?? 0;
    const order: KeeperOrder = { serve: { settings, address, folder, broken } };
    started.send(order, nothing);
    let serves = false;
    const pulse = watch(started, pid, () => serves);
    started.on("message", (told: WriterTold) => {
      pulse.heard();
      if ("isThere" in told) return;
      if ("broken" in told) return void (broken = told.broken);
      hasServed = true;
      serves = true;
      timer = setTimeout(() => (deaths = 0), steadyMs).unref();
      calm = setTimeout(() => (silences = 0), calmMs).unref();
      onEvent({ level: "info", event: "writer_ready", pid, detail: "it writes for all workers" });
      ready.resolve();
    });
    started.on("exit", (code, signal) => {
      pulse.stop();
      mourn(pid, signal ? `it was ended by ${signal}` : `it ended with code ${code}`);
    });
    started.on("error", (error) => {
      // One that was started ends with an event of its own.
      if (started.pid === undefined) mourn(pid, error.message);
    });
    return started;
  }

  /** Kills it where it says nothing: stopped, or with a disk that does not answer. Until it is gone it holds the lock, and there is no other. */
  function watch(started: ChildProcess, pid: number, isDue: () => boolean): Pulse {
    const silenceMs = silenceMsOf(settings) * 2 ** Math.min(silences, patienceDoublingsMax);
    const ask: KeeperOrder = { ask: true };
    return startPulse({
      silenceMs,
      isDue,
      ask: () => void (started.connected && started.send(ask, nothing)),
      onSilence() {
        if (isStopping) return;
        silences++;
        onEvent({
          level: "error",
          event: "writer_silent",
          pid,
          detail: `it has said nothing for ${silenceMs} ms, and is killed`,
        });
        started.kill("SIGKILL");
      },
    });
  }

  function mourn(pid: number, detail: string): void {
    clearTimeout(timer);
    clearTimeout(calm);
    if (isStopping) return;
    onEvent({ level: "error", event: "writer_died", pid, detail });
    if (!hasServed) return ready.reject(new Error(`the writer could not be started: ${detail}`));
    const delayMs = deaths === 0 ? 0 : firstDelayMs * 2 ** Math.min(deaths - 1, doublingsMax);
    deaths++;
    timer = setTimeout(() => (child = start()), delayMs);
  }

  return {
    address,
    ready: ready.promise,
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      clearTimeout(calm);
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        const killing = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
        const order: KeeperOrder = { end: true };
        child.send(order, nothing);
        await gone;
        clearTimeout(killing);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A new folder that only this user may enter: of the system, or else beside the database. */
function makeFolder(file: string): string {
  const folder = folderIn(tmpdir()) ?? folderIn(dirname(file));
  assert(
    folder !== null,
    `neither ${tmpdir()} nor the database's folder takes a socket: set TMPDIR to a short path that can be written to`,
  );
  return folder;
}

function folderIn(parent: string): string | null {
  try {
    const folder = mkdtempSync(join(parent, "holdfast-"));
    if (Buffer.byteLength(addressIn(folder)) <= pathBytesMax) return folder;
    rmSync(folder, { recursive: true });
    return null;
  } catch {
    return null;
  }
}

/** Windows has pipes by name, which only this user may write to; the folder's name makes it one of its own. */
function addressIn(folder: string): string {
  return process.platform === "win32" ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, "writer");
}
