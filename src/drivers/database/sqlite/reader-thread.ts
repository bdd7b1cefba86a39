/** Entry of a thread for long reads: one statement at a time on a read-only connection. Stays an entry of its own when bundled. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../../base/errors.ts";
import type { Statement } from "../../database.ts";
import { openReader } from "./connection.ts";
import { describe } from "./failures.ts";
import type { ThreadSettings } from "./options.ts";

const port = parentPort;
assert(port !== null, "reader-thread.ts runs only as a thread of the SQLite driver");

const { statements } = openReader(workerData as ThreadSettings);

port.on("message", ({ text, params }: Statement) => {
  try {
    port.postMessage([true, statements.all(text, params)]);
  } catch (error) {
    port.postMessage([false, describe(error)]);
  }
});
