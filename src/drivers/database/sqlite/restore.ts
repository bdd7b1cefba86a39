/** Puts a backup in the place of a database: copied beside it, checked, and renamed. Nothing is changed unless all of it is sound. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { syncPath } from "./backup.ts";
import { describe } from "./failures.ts";
import { registerFunctions } from "./functions.ts";

/** Paths: an existing backup, and where the database is or shall be. */
export interface RestoreRequest {
  readonly from: string;
  readonly to: string;
}

export type Restored =
  | { readonly state: "restored" }
  /** The backup is not sound. */
  | { readonly state: "unfit"; readonly faults: readonly string[] }
  /** Another connection has the database open. */
  | { readonly state: "in-use" };

const faultsMax = 5;

export function restoreFrom({ from, to }: RestoreRequest): Restored {
  mkdirSync(dirname(to), { recursive: true });
  const copy = `${to}.restoring`;
  rmSync(copy, { force: true });
  try {
    copyFileSync(from, copy);
    const faults = findFaults(copy);
    if (faults.length > 0) return { state: "unfit", faults };
    if (existsSync(to) && !isFree(to)) return { state: "in-use" };
    // What they hold is in the old file by now, and must not be applied to the new one.
    for (const suffix of ["-wal", "-shm"]) rmSync(`${to}${suffix}`, { force: true });
    syncPath(copy);
    renameSync(copy, to);
    syncPath(dirname(to));
    return { state: "restored" };
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${copy}${suffix}`, { force: true });
  }
}

function findFaults(path: string): readonly string[] {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    registerFunctions(db);
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = '_journal'").all();
    if (tables.length === 0) return ["It is no database of Holdfast: it has no journal."];
    const damage = db
      .prepare(`PRAGMA integrity_check(${faultsMax})`)
      .all()
      .map((row) => String(row["integrity_check"]));
    const broken = db.prepare("PRAGMA foreign_key_check").all().slice(0, faultsMax);
    const faults = [
      ...damage.filter((line) => line !== "ok").map((line) => `It is damaged: ${line}.`),
      ...broken.map((row) => `A row of ${String(row["table"])} refers to a row of ${String(row["parent"])} that does not exist.`),
    ];
    // One file, without a log beside it, so that a rename moves all of it.
    if (faults.length === 0) db.exec("PRAGMA journal_mode = DELETE");
    return faults;
  } catch {
    return ["It is damaged, or no database."];
  } finally {
    db.close();
  }
}

/** Only the last connection to a database can take it out of WAL mode; that also empties its log. */
function isFree(path: string): boolean {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA journal_mode = DELETE");
    return true;
  } catch (error) {
    // A damaged database is what is being replaced.
    return describe(error).code !== "database_busy";
  } finally {
    db.close();
  }
}
