/** Entry of the writer's thread: joins the writer to its message port. Must stay an entry of its own when bundled. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../../base/errors.ts";
import { openWriter } from "./connection.ts";
import type { Batch } from "./messages.ts";
import type { ThreadSettings } from "./options.ts";
import { Writer } from "./writer/writer.ts";

const port = parentPort;
assert(port !== null, "writer-thread.ts runs only as a thread of the SQLite driver");

const settings = workerData as ThreadSettings;
const writer = new Writer({ connection: openWriter(settings), settings, broken: null, now: () => performance.now() });
const client = writer.join((reply) => port.postMessage(reply));

port.on("message", (batch: Batch) => writer.receive(client, batch));
