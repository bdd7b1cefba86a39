/**
 * Puts a backup in the place of a database: copied beside it, checked, and renamed. Nothing is changed unless all of it is sound.
 * A backup of an adopted database is two files: somebody else's tables, and the product's own beside them.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { besideOf, syncPath } from "./backup.ts";
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
const logs = ["-wal", "-shm"];

export function restoreFrom({ from, to }: RestoreRequest): Restored {
  mkdirSync(dirname(to), { recursive: true });
  const parts = [from, ...(existsSync(besideOf(from)) ? [besideOf(from)] : [])];
  const copies = parts.map((_, index) => `${index === 0 ? to : besideOf(to)}.restoring`);
  const [main = "", beside] = copies;
  const clear = () => {
    for (const copy of copies) for (const suffix of ["", ...logs, "-journal"]) rmSync(`${copy}${suffix}`, { force: true });
  };
  clear();
  try {
    for (const [index, part] of parts.entries()) copyFileSync(part, copies[index] as string);
    const mode = beside === undefined ? "delete" : modeOf(main);
    const faults = [
      ...(beside === undefined ? findFaults(main, main) : [...findFaults(beside, beside), ...findFaults(main, beside)]),
    ];
    if (faults.length > 0) return { state: "unfit", faults };
    const taken = [to, besideOf(to)];
    if (taken.some((path) => existsSync(path) && !isFree(path))) return { state: "in-use" };
    // What the logs hold is in the old file by now, and must not be applied to the new one.
    for (const path of taken) for (const suffix of logs) rmSync(`${path}${suffix}`, { force: true });
    // No file of another time may stand beside the new one, were it the last thing that is done.
    rmSync(besideOf(to), { force: true });
    for (const [index, copy] of copies.entries()) {
      syncPath(copy);
      renameSync(copy, index === 0 ? to : besideOf(to));
    }
    syncPath(dirname(to));
    if (mode === "wal") setMode(to, mode);
    return { state: "restored" };
  } finally {
    clear();
  }
}

/** Of one file, whose journal stands in it or in the other. */
function findFaults(path: string, journal: string): readonly string[] {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    registerFunctions(db);
    const own = path === journal ? ownTables(db) : [];
    if (own === null) return ["It is no database of Holdfast: it has no journal."];
    const damage = db
      .prepare(`PRAGMA integrity_check(${faultsMax})`)
      .all()
      .map((row) => String(row["integrity_check"]));
    // Rows that somebody else has broken are his.
    const broken = db
      .prepare("PRAGMA foreign_key_check")
      .all()
      .filter((row) => own.includes(String(row["table"])))
      .slice(0, faultsMax);
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

/** The tables that migrations have made, by the journal's last entry; null where there is no journal. */
function ownTables(db: DatabaseSync): readonly string[] | null {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = '_journal'").all();
  if (tables.length === 0) return null;
  const [last] = db.prepare("SELECT snapshot FROM _journal ORDER BY number DESC LIMIT 1").all();
  const { models } = JSON.parse(String(last?.["snapshot"] ?? '{"models":[]}')) as {
    readonly models: readonly { readonly table: string; readonly adopted?: unknown }[];
  };
  return models.filter(({ adopted }) => adopted === undefined).map(({ table }) => table);
}

function modeOf(path: string): string {
  const db = new DatabaseSync(path);
  try {
    return String(Object.values(db.prepare("PRAGMA journal_mode").get() ?? {})[0]);
  } catch {
    return "delete";
  } finally {
    db.close();
  }
}

function setMode(path: string, mode: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA journal_mode = ${mode}`);
  } finally {
    db.close();
  }
}

/** Only the last connection to a database can take it out of WAL mode; that also empties its log. Without WAL only work can be seen. */
function isFree(path: string): boolean {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; ROLLBACK");
    return true;
  } catch (error) {
    // A damaged database is what is being replaced.
    return describe(error).code !== "database_busy";
  } finally {
    db.close();
  }
}
