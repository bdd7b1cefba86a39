/** Databases that several nodes share, and readers of their feed that know nothing of the nodes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/app/wire.ts";
import type { Row } from "../../src/drivers/database.ts";
import type { CommitOrder } from "../../src/drivers/ddl.ts";
import { createFeed, type ReadFeed } from "../../src/engine/feed.ts";
import { type LimitsOptions, limitDefaults } from "../../src/engine/limits.ts";
import { createTestApp } from "../../src/testing/test-app.ts";
import { freshDatabase } from "../servers/databases.ts";
import { type NotesApp, notesBackend } from "./notes.ts";

export interface Place extends AsyncDisposable {
  readonly url: string;
  /** Another node on it. */
  openNode(limits?: LimitsOptions): Promise<NotesApp>;
  /** A reader with connections of its own; `commits` plants a fault. */
  openFeed(options?: { readonly commits?: CommitOrder | null; readonly limits?: LimitsOptions }): Promise<ReadFeed>;
  /** What the table itself holds. */
  query(text: string): Promise<readonly Row[]>;
}

/** An empty database on the server of that URL; without one, a file of SQLite. */
export async function openPlace(server: string | null): Promise<Place> {
  const { url, drop } = server === null ? freshFile() : await freshDatabase(server);
  const closing: (() => Promise<void>)[] = [];
  const opened = await openDatabase(url, () => {});
  closing.push(() => opened.database.close());
  return {
    url,
    async openNode(limits = {}) {
      const app = (await createTestApp(notesBackend, { database: url, limits })) as NotesApp;
      closing.push(() => app.close());
      return app;
    },
    async openFeed({ commits = opened.ddl.catalogue.commits, limits = {} } = {}) {
      const { database, dialect } = await openDatabase(url, () => {});
      closing.push(() => database.close());
      return createFeed({ database, dialect, commits, limits: { ...limitDefaults, ...limits } });
    },
    query: async (text) => opened.database.read({ text, params: [] }),
    async [Symbol.asyncDispose]() {
      for (const close of closing.toReversed()) await close();
      await drop();
    },
  };
}

function freshFile(): { readonly url: string; readonly drop: () => Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-feed-"));
  return { url: `sqlite:${join(folder, "notes.db")}`, drop: async () => rmSync(folder, { recursive: true }) };
}
