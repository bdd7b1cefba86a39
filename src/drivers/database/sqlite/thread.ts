/** Starts the driver's threads from wherever its code lies: from source as .ts, from the bundle as .js. */
import { Worker } from "node:worker_threads";
import type { ThreadSettings } from "./options.ts";

export type ThreadName = "writer-thread" | "reader-thread";

/** Starts a thread; one that does nothing keeps no process alive. Its file lies beside the file that this code is in. */
export function startThread(name: ThreadName, settings: ThreadSettings): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData: settings });
  worker.unref();
  return worker;
}
