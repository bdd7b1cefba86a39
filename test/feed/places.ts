/** Databases that several nodes share, and readers of their feed that know nothing of the nodes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/app/wire.ts";
import type { Database, Row } from "../../src/drivers/database.ts";
import type { CommitOrder } from "../../src/drivers/ddl.ts";
import { createFeed, type ReadFeed } from "../../src/engine/feed.ts";
import { createWatch, type WatchFeed } from "../../src/engine/watch.ts";
import { type LimitsOptions, limitDefaults } from "../../src/engine/limits.ts";
import { createTestApp } from "../../src/testing/test-app.ts";
import { type FreshDatabase, freshDatabase } from "../servers/databases.ts";
import { type NotesApp, notesBackend } from "./notes.ts";

export interface Place extends AsyncDisposable {
  readonly url: string;
  /** Another node on it. */
  openNode(limits?: LimitsOptions): Promise<NotesApp>;
  /** A reader with connections of its own; `commits` plants a fault. */
  openFeed(options?: { readonly commits?: CommitOrder | null; readonly limits?: LimitsOptions }): Promise<ReadFeed>;
  /** A watcher with connections of its own, and what it has asked the feed; `wrap` plants a fault. */
  openWatch(wrap?: (database: Database) => Pick<Database, "listen">): Promise<Watcher>;
  /** What the table itself holds. */
  query(text: string): Promise<readonly Row[]>;
}

export interface Watcher {
  readonly watch: WatchFeed;
  /** Pages that it was given since it was last asked, but for those that said that a transaction of anybody is open. */
  readonly pages: () => number;
}

/** An empty database on the server of that URL; without one, a file of SQLite. */
export async function openPlace(server: string | null): Promise<Place> {
  return openPlaceAt(server === null ? freshFile() : await freshDatabase(server));
}

/** A database that is there, and filled before it is opened; it is dropped in the end. */
export async function openPlaceAt({ url, drop }: FreshDatabase, fill: (url: string) => void = () => {}): Promise<Place> {
  fill(url);
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
    async openWatch(wrap = (database) => database) {
      const { database, dialect, ddl } = await openDatabase(url, () => {});
      closing.push(() => database.close());
      const { commits } = ddl.catalogue;
      const read = createFeed({ database, dialect, commits, limits: limitDefaults });
      const state = { pages: 0 };
      const readChanges: ReadFeed = async (query) => {
        const page = await read(query);
        if (page.state !== "waiting") state.pages++;
        return page;
      };
      const pages = () => {
        const { pages: count } = state;
        state.pages = 0;
        return count;
      };
      return { watch: createWatch({ database: wrap(database), dialect, commits, readChanges }), pages };
    },
    query: async (text) => opened.database.read({ text, params: [] }),
    async [Symbol.asyncDispose]() {
      for (const close of closing.toReversed()) await close();
      await drop();
    },
  };
}

function freshFile(): FreshDatabase {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-feed-"));
  return { url: `sqlite:${join(folder, "notes.db")}`, drop: async () => rmSync(folder, { recursive: true }) };
}
