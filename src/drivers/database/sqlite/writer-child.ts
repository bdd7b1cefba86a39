/** The process that writes for several, as who keeps it sees it: it is started, told, heard, and killed where it says nothing. */
import { type ChildProcess, fork } from "node:child_process";
import type { Failure } from "./failures.ts";
import { startPulse } from "./link/pulse.ts";
import type { ThreadSettings } from "./options.ts";

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

/** A process that nobody is joined to has a database to close, and no more. */
const stopTimeoutMs = 5_000;
const nothing = (): undefined => undefined;

export interface WriterStart extends Pick<Extract<KeeperOrder, { serve: unknown }>, "serve"> {
  /** How long it may say nothing once it serves. */
  readonly silenceMs: number;
  /** Whether it has to answer at the moment. */
  readonly isWatched: () => boolean;
  readonly onServing: (pid: number) => void;
  readonly onBroken: (failure: Failure) => void;
  readonly onSilence: (pid: number, detail: string) => void;
  /** It is gone, or could not be started. */
  readonly onEnd: (pid: number, detail: string) => void;
}

export function startWriter({ serve, silenceMs, isWatched, ...on }: WriterStart): ChildProcess {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const child = fork(new URL(`./writer-process.${extension}`, import.meta.url), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const pid = child.pid ?? 0;
  const send = (order: KeeperOrder) => child.connected && child.send(order, nothing);
  let serves = false;
  // Stopped, or with a disk that does not answer: until it is gone it holds the file's lock, and there is to be no other.
  const pulse = startPulse({
    silenceMs,
    isDue: () => serves && isWatched(),
    ask: () => void send({ ask: true }),
    onSilence() {
      on.onSilence(pid, `it has said nothing for ${silenceMs} ms, and is killed`);
      child.kill("SIGKILL");
    },
  });
  const end = (detail: string) => {
    pulse.stop();
    on.onEnd(pid, detail);
  };
  send({ serve });
  child.on("message", (told: WriterTold) => {
    pulse.heard();
    if ("broken" in told) on.onBroken(told.broken);
    if (!("serves" in told)) return;
    serves = true;
    on.onServing(pid);
  });
  child.on("exit", (code, signal) => end(signal ? `it was ended by ${signal}` : `it ended with code ${code}`));
  child.on("error", (error) => {
    // One that was started ends with an event of its own.
    if (child.pid === undefined) end(error.message);
  });
  return child;
}

/** Lets it close its database. */
export async function endWriter(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const killing = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  const order: KeeperOrder = { end: true };
  child.send(order, nothing);
  await gone;
  clearTimeout(killing);
}
