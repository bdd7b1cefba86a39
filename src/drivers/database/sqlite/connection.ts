/** Opens connections to one SQLite file with the settings that every connection of the driver shares. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { registerFunctions } from "./functions.ts";
import type { ThreadSettings } from "./options.ts";
import { createStatements, type Statements } from "./statements.ts";

export interface Connection {
  readonly db: DatabaseSync;
  readonly statements: Statements;
}

const logBytesKept = 67_108_864;

/** A connection that can only read: it never waits for a commit, and never writes or removes the log. */
export function openReader(settings: ThreadSettings): Connection {
  const db = open(settings, true);
  return { db, statements: createStatements(db, { max: settings.statementsMax, repeatable: true }) };
}

/** The one connection that writes. Checkpoints are run by hand (`checkpoint.ts`), so that none holds up an answer. */
export function openWriter(settings: ThreadSettings): Connection {
  const db = open(settings, false);
  db.exec("PRAGMA journal_mode = WAL");
  db.exec(`PRAGMA synchronous = ${settings.temporary ? "OFF" : "FULL"}`);
  db.exec("PRAGMA wal_autocheckpoint = 0");
  db.exec(`PRAGMA journal_size_limit = ${logBytesKept}`);
  // How the writer waits for its turn is its own affair (`turns.ts`).
  db.exec("PRAGMA busy_timeout = 0");
  return { db, statements: createStatements(db, { max: settings.statementsMax, repeatable: false }) };
}

/** Lets the writer's connection wait for a lock, for the time of one piece of work. */
export function withBusyTimeout({ db }: Connection, ms: number, work: () => unknown): void {
  try {
    db.exec(`PRAGMA busy_timeout = ${ms}`);
    work();
  } finally {
    db.exec("PRAGMA busy_timeout = 0");
  }
}

/** Makes the file when it is missing and puts it into WAL mode, without which a reader would wait for the writer. */
export function prepareFile(settings: ThreadSettings): void {
  if (!settings.readOnly) mkdirSync(dirname(settings.file), { recursive: true });
  const db = open(settings, settings.readOnly);
  try {
    if (!settings.readOnly) db.exec("PRAGMA journal_mode = WAL");
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
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
