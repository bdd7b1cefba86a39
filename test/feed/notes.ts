/** A small backend for tests with several writers: notes, and an action that runs a test's own steps in one transaction. */
import { backend, type Db, everyone, integer, model, text } from "holdfast";
import type { TestApp } from "holdfast/testing";

const notes = model("notes", { id: text().max(60), body: text().max(200), count: integer() })
  .key("id")
  .access(() => ({ read: everyone, write: everyone }));

type Notes = { readonly notes: typeof notes };
export type NotesDb = Db<Notes>;

/** What runs in one transaction; it may be run anew. */
export type Work<T = unknown> = (tx: NotesDb) => Promise<T>;

const works = new Map<string, Work>();

export const notesBackend = backend({ notes }).action("perform", {
  input: { work: text().max(60) },
  access: everyone,
  run: async ({ input, transaction }) => (await transaction((tx) => (works.get(input.work) as Work)(tx))) ?? null,
});

export type NotesApp = TestApp<Notes, NonNullable<typeof notesBackend.actions>>;

const numbers = { next: 1 };

/** Runs work in one transaction of that app, through the engine's own write path. */
export async function perform<T>(app: NotesApp, work: Work<T>): Promise<T> {
  const name = `work ${numbers.next++}`;
  works.set(name, work);
  try {
    return (await app.call(null, "perform", { work: name })) as T;
  } finally {
    works.delete(name);
  }
}
