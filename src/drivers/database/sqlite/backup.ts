/** Copies the database to a new file while it is in use: whole, of one moment, and on the disk before it has its name. */
import { existsSync, closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { backup } from "node:sqlite";
import { assert } from "../../../base/errors.ts";
import { openReader } from "./connection.ts";
import { describe, toError } from "./failures.ts";
import type { ThreadSettings } from "./options.ts";

/** 16 MB at a time: enough for the disk, often enough for a progress bar. */
const pagesPerStep = 4096;

export async function backupTo(settings: ThreadSettings, path: string, onProgress: (done: number) => void): Promise<void> {
  assert(!existsSync(path), `a backup is written to a new file, and ${path} exists`);
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  const { db } = openReader(settings);
  try {
    // An open snapshot: without it every commit of the writer would start the copy from its beginning.
    db.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    await backup(db, partial, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages),
    });
    syncPath(partial);
    renameSync(partial, path);
    syncPath(dirname(path));
    onProgress(1);
  } catch (error) {
    rmSync(partial, { force: true });
    throw toError(describe(error));
  } finally {
    db.close();
  }
}

/** Syncs a file or a folder to disk. */
export function syncPath(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
