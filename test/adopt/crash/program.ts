/** A program that writes rows to an adopted database and prints the id of each when it is acknowledged; for killing. */
import { createApp } from "holdfast";
import { adoptedBackend } from "./backend.ts";

const [file = "", lanesText = "8", most = "1000000"] = process.argv.slice(2);
const lanes = Number(lanesText);
const app = await createApp(adoptedBackend, { database: `sqlite:${file}`, log: false, migrate: true });
const notes = app.system.notes;
const { data } = await notes.list({ orderBy: "-id", limit: 1 });
const first = (data[0]?.id ?? 0) + 1;
// From here on it may be killed.
await say("ready");

async function say(line: string): Promise<void> {
  await new Promise((resolve) => process.stdout.write(`${line}\n`, resolve));
}

/** Each lane writes every eighth number: a new row, which it then changes. */
async function writeOn(lane: number): Promise<void> {
  for (let id = first + lane; id < first + Number(most); id += lanes) {
    await notes.create({ id, body: "first" });
    await notes.update(id, { body: "second" });
    await say(String(id));
  }
}

await Promise.all(Array.from({ length: lanes }, async (_, lane) => writeOn(lane)));
await app.stop();
