/** A writer that is a thread of this process. */
import type { Worker } from "node:worker_threads";
import type { Reply } from "../messages.ts";
import type { Link, LinkEvents } from "./link.ts";

export function linkThread(thread: Worker, { hear, lose }: LinkEvents): Link {
  let isOver = false;
  let cause = "the writer's thread ended by itself";
  thread.on("message", (reply: Reply) => hear(reply));
  // An error is always followed by the exit, which knows what is left to do; the listener keeps it from being thrown.
  thread.on("error", (error: Error) => (cause = error.message));
  thread.on("exit", () => {
    if (!isOver) lose({ kind: "worker_died", message: cause, wasReached: true, isSilent: false });
  });
  return {
    post: (batch) => thread.postMessage(batch),
    hold: (isHeld) => (isHeld ? thread.ref() : thread.unref()),
    async end(last) {
      await last();
      isOver = true;
      await thread.terminate();
    },
  };
}
