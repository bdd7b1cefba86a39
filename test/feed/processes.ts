/** Starts the processes that write and read the notes of one database. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PlacedChange } from "../../src/engine/feed.ts";

function start(file: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: ["--conditions=holdfast-source"] });
}

/** Processes that write at the same time; resolves once all of them have begun. */
export async function startWriters(url: string, names: readonly string[], rounds: number): Promise<{ done: Promise<void> }> {
  const writers = names.map((name) => start("./writer.ts", [url, name, String(rounds)]));
  const ended = writers.map(async (writer) => {
    const [code] = await once(writer, "exit");
    if (code !== 0) throw new Error(`a writer ended with ${String(code)}`);
  });
  await Promise.all(writers.map((writer, index) => Promise.race([once(writer, "message"), ended[index]])));
  for (const writer of writers) writer.send("go");
  return { done: Promise.all(ended).then(() => undefined) };
}

/** What a reader had told when it was killed, which was when it had told so many. */
export async function readAndKill(url: string, after: string | null, count: number): Promise<readonly PlacedChange[]> {
  const reader = start("./reader.ts", [url, after ?? ""]);
  const told: PlacedChange[] = [];
  reader.on("message", (record) => {
    // What comes later is lost on the way.
    if (told.length < count) told.push(record as PlacedChange);
    if (told.length === count) reader.kill("SIGKILL");
  });
  await once(reader, "close");
  return told;
}
