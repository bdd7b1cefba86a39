/** Copies the database to a new file while it is in use: whole, of one moment, and on the disk before it has its name. */
import { existsSync, closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { assert } from "../../../base/errors.ts";
import { openReader } from "./connection.ts";
import { describe, toError } from "./failures.ts";
import type { ThreadSettings } from "./options.ts";

/** Where the tables that stand beside a database are. */
export function besideOf(file: string): string {
  return `${file}.holdfast.db`;
}

/** 16 MB at a time: enough for the disk, often enough for a progress bar. */
const pagesPerStep = 4096;

export async function backupTo(settings: ThreadSettings, path: string, onProgress: (done: number) => void): Promise<void> {
  assert(!existsSync(path), `a backup is written to a new file, and ${path} exists`);
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  const { db } = openReader(settings);
  try {
    // An open snapshot: without it every commit of the writer would start the copy from its beginning.
    const hold = () => db.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    const parts = settings.beside === null ? ["main"] : ["main", "holdfast"];
    if (settings.beside === null) hold();
    else
      betweenCommits(settings, () => {
        hold();
        db.exec("SELECT count(*) FROM holdfast.sqlite_schema");
      });
    for (const source of parts) {
      const progress = ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }) =>
        onProgress(source !== "main" || totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
      const target = source === "main" ? path : besideOf(path);
      await backup(db, partial, { source, rate: pagesPerStep, progress });
      syncPath(partial);
      renameSync(partial, target);
      syncPath(dirname(path));
    }
    onProgress(1);
  } catch (error) {
    rmSync(partial, { force: true });
    throw toError(describe(error));
  } finally {
    db.close();
  }
}

/** While nobody commits: the snapshots of two files are then of one moment. */
function betweenCommits({ file, busyTimeoutMs }: ThreadSettings, work: () => void): void {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    db.exec("BEGIN IMMEDIATE");
    work();
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
