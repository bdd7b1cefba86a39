/** Opens connections to one SQLite file with the settings that every connection of the driver shares. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { registerFunctions } from "./functions.ts";
import type { ThreadSettings } from "./options.ts";
import { createStatements, type Statements } from "./statements.ts";

export interface Connection {
  readonly db: DatabaseSync;
  readonly statements: Statements;
  /** How long it waits for a lock by itself. */
  readonly waitMs: number;
}

const logBytesKept = 67_108_864;

/** A connection that can only read: it never waits for a commit, and never writes or removes the log. */
export function openReader(settings: ThreadSettings): Connection {
  const db = open(settings, true);
  return {
    db,
    statements: createStatements(db, { max: settings.statementsMax, repeatable: true }),
    waitMs: settings.busyTimeoutMs,
  };
}

/** The one connection that writes. Checkpoints are run by hand (`checkpoint.ts`), so that none holds up an answer. */
export function openWriter(settings: ThreadSettings): Connection {
  const db = open(settings, false);
  if (settings.beside === null) db.exec("PRAGMA journal_mode = WAL");
  db.exec(`PRAGMA synchronous = ${settings.temporary ? "OFF" : "FULL"}`);
  db.exec("PRAGMA wal_autocheckpoint = 0");
  db.exec(`PRAGMA journal_size_limit = ${logBytesKept}`);
  // How the writer waits for its turn is its own affair (`turns.ts`), but that it also waits for readers where there is no log.
  const waitMs = modeOf(db) === "wal" ? 0 : settings.busyTimeoutMs;
  db.exec(`PRAGMA busy_timeout = ${waitMs}`);
  // Without a log, pages that are written before the commit would lock readers out for as long as the transaction is held.
  if (waitMs > 0) db.exec("PRAGMA cache_spill = OFF");
  return {
    db,
    statements: createStatements(db, { max: settings.statementsMax, repeatable: false }),
    waitMs,
  };
}

function modeOf(db: DatabaseSync): string {
  return String(Object.values(db.prepare("PRAGMA main.journal_mode").get() ?? {})[0]);
}

/** Lets the writer's connection wait for a lock, for the time of one piece of work. */
export function withBusyTimeout({ db, waitMs }: Connection, ms: number, work: () => unknown): void {
  try {
    db.exec(`PRAGMA busy_timeout = ${ms}`);
    work();
  } finally {
    db.exec(`PRAGMA busy_timeout = ${waitMs}`);
  }
}

/**
 * Makes the file when it is missing and puts it into WAL mode, without which a reader would wait for the writer. A database
 * that others own keeps its mode, and the file beside it takes the same: only then are transactions over both atomic.
 */
export function prepareFile(settings: ThreadSettings): void {
  if (!settings.readOnly) mkdirSync(dirname(settings.file), { recursive: true });
  const db = open(settings, settings.readOnly);
  try {
    if (settings.readOnly) return;
    const mode = settings.beside === null || modeOf(db) === "wal" ? "WAL" : "DELETE";
    db.exec(`PRAGMA ${settings.beside === null ? "" : "holdfast."}journal_mode = ${mode}`);
  } finally {
    db.close();
  }
}

function open(settings: ThreadSettings, readOnly: boolean): DatabaseSync {
  const options: DatabaseSyncOptions & { defensive: boolean } = {
    readOnly,
    timeout: settings.busyTimeoutMs,
    enableForeignKeyConstraints: true,
    defensive: true,
  };
  const db = new DatabaseSync(settings.file, options);
  try {
    db.exec(`PRAGMA cache_size = -${Math.ceil(settings.cacheBytes / 1024)}`);
    registerFunctions(db);
    attach(db, settings);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function attach(db: DatabaseSync, { beside, readOnly }: ThreadSettings): void {
  // Whoever only reads makes no file.
  if (beside === null || (readOnly && !existsSync(beside))) return;
  db.prepare("ATTACH ? AS holdfast").run(beside);
  db.exec("PRAGMA holdfast.synchronous = FULL");
}
