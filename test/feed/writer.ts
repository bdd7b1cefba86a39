/** One of several processes that write notes at once: rows of its own, and counts and transactions on rows that all of them want. */
import { createTestApp } from "../../src/testing/test-app.ts";
import { type NotesApp, notesBackend, perform } from "./notes.ts";

const [, , url = "", name = "", rounds = "0"] = process.argv;
const lanes = 4;
const rowsShared = 3;
/** What loses against another writer may lose again; so often is enough. */
const triesMax = 50;

const app = (await createTestApp(notesBackend, { database: url })) as NotesApp;
process.send?.("ready");
process.once("message", () => void write());

/** Runs work until no other writer stands in its way. */
async function persist(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return void (await work());
    } catch (error) {
      if ((error as { code?: string }).code !== "database_conflict" || tries >= triesMax) throw error;
    }
  }
}

async function writeRound(lane: number, round: number): Promise<void> {
  const own = `${name}-${lane}-${round}`;
  const shared = `shared-${(lane + round) % rowsShared}`;
  await persist(() => app.system.notes.create({ id: own, body: name, count: 0 }));
  await persist(() => app.system.notes.update(shared, { body: own }));
  await persist(() =>
    perform(app, async (tx) => {
      const { count } = await tx.notes.get(shared);
      await tx.notes.update(own, { count: count + 1 });
      await tx.notes.update(shared, { count: count + 1 });
    }),
  );
  if (round % 2 === 0) await persist(() => app.system.notes.delete(own));
}

async function write(): Promise<void> {
  const all = Array.from({ length: lanes }, async (_, lane) => {
    for (let round = 0; round < Number(rounds); round++) await writeRound(lane, round);
  });
  await Promise.all(all);
  await app.close();
  process.disconnect();
}
