/** Keeps a process that writes for several: starts it, starts another when it dies, and ends it after those who write. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { assert } from "../../../base/errors.ts";
import type { Failure } from "./failures.ts";
import { resolveOptions, silenceMsOf, type SqliteOptions, type ThreadSettings } from "./options.ts";
import { endWriter, startWriter } from "./writer-child.ts";

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

/** The first one that dies is replaced at once; the next wait twice as long each time. */
const firstDelayMs = 200;
const doublingsMax = 5;
/** Who has served this long was no failed start. */
const steadyMs = 10_000;
/** One that was silent may only have been slow: the next is waited for twice as long, until one has served for an hour. */
const patienceDoublingsMax = 3;
const calmMs = 3_600_000;
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
    return startWriter({
      serve: { settings, address, folder, broken },
      silenceMs: silenceMsOf(settings) * 2 ** Math.min(silences, patienceDoublingsMax),
      isWatched: () => !isStopping,
      onBroken: (failure) => (broken = failure),
      onServing(pid) {
        hasServed = true;
        timer = setTimeout(() => (deaths = 0), steadyMs).unref();
        calm = setTimeout(() => (silences = 0), calmMs).unref();
        onEvent({ level: "info", event: "writer_ready", pid, detail: "it writes for all workers" });
        ready.resolve();
      },
      onSilence(pid, detail) {
        silences++;
        onEvent({ level: "error", event: "writer_silent", pid, detail });
      },
      onEnd: mourn,
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
      await endWriter(child);
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
