/** The journal: every migration that was applied or undone, in the database that it changed. */
import type { Database, Statement } from "../../drivers/database.ts";
import type { Ddl, Reader } from "../../drivers/ddl.ts";
import { failMigrate } from "./errors.ts";
import { emptySnapshot } from "./snapshot.ts";
import { type Snapshot, snapshotFormat } from "./snapshot-types.ts";
import type { Step } from "./steps/step.ts";
import { journalTable, systemShapes } from "./system-tables.ts";

/** The last entry, as far as a start needs it. */
export interface JournalHead {
  readonly number: number;
  /** The entry in force, which `migrate down` undoes; 0 when all are undone. */
  readonly current: number;
  readonly checksum: string;
  /** Whether the definitions in the database are, letter for letter, as the last migration left them. */
  readonly untouched: boolean;
}

export interface JournalEntry {
  readonly number: number;
  readonly kind: "up" | "down";
  readonly current: number;
  readonly previous: number;
  readonly appliedAt: string;
  readonly checksum: string;
  readonly up: readonly Step[];
  /** Null where there is no exact way back, with the reason in its place. */
  readonly down: readonly Step[] | { readonly refusal: string };
  readonly snapshot: Snapshot;
}

export function readerOf(database: Database): Reader {
  return async (text, params = []) => database.read({ text, params });
}

const columns = '"number", "kind", "current", "previous", "applied_at", "checksum", "up", "down", "snapshot"';

// Features may keep tables of their own beside ours; those are not the journal's business.
function fingerprintOf(ddl: Ddl): string {
  return ddl.fingerprint(systemShapes(ddl).tables.map(({ name }) => name));
}

/** The last entry, or null where the database has no journal. */
export async function readHead(database: Database, ddl: Ddl): Promise<JournalHead | null> {
  const read = readerOf(database);
  const tables = await ddl.catalogue.readTables(read);
  if (!tables.includes(journalTable.name)) {
    if (tables.length > 0) throw failMigrate("database_not_ours", { fields: { tables: tables.slice(0, 5).join(", ") } });
    return null;
  }
  const text = `SELECT "number", "current", "checksum", "structure" = ${fingerprintOf(ddl)} FROM "_journal" ORDER BY "number" DESC LIMIT 1`;
  const row = (await read(text))[0];
  return row
    ? { number: Number(row[0]), current: Number(row[1]), checksum: String(row[2]), untouched: Number(row[3]) === 1 }
    : null;
}

/** One entry whole, or null. */
export async function readEntry(database: Database, number: number): Promise<JournalEntry | null> {
  const [row] = await database.read({ text: `SELECT ${columns} FROM "_journal" WHERE "number" = ?`, params: [number] });
  return row ? toEntry(row) : null;
}

/** Every entry, the oldest first. */
export async function readEntries(database: Database): Promise<readonly JournalEntry[]> {
  const rows = await database.read({ text: `SELECT ${columns} FROM "_journal" ORDER BY "number"`, params: [] });
  return rows.map(toEntry);
}

/** What the database holds, by the journal. */
export async function readSnapshot(database: Database, head: JournalHead | null): Promise<Snapshot> {
  return head === null ? emptySnapshot : ((await readEntry(database, head.number))?.snapshot ?? emptySnapshot);
}

function toEntry([number, kind, current, previous, appliedAt, checksum, up, down, snapshot]: readonly unknown[]): JournalEntry {
  const kept = JSON.parse(String(snapshot)) as Snapshot;
  if (kept.format > snapshotFormat) throw failMigrate("migration_journal_unreadable", { fields: { format: kept.format } });
  return {
    number: Number(number),
    kind: kind as JournalEntry["kind"],
    current: Number(current),
    previous: Number(previous),
    appliedAt: String(appliedAt),
    checksum: String(checksum),
    up: JSON.parse(String(up)) as Step[],
    down: JSON.parse(String(down)) as JournalEntry["down"],
    snapshot: kept,
  };
}

/**
 * The statements that come before a migration's own. The number is the key, so of two processes that planned from one state
 * the second is refused here, before it has changed anything.
 */
export function openEntry(entry: JournalEntry, ddl: Ddl): readonly Statement[] {
  const create = ddl.createTable(journalTable).replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
  const values = [
    entry.number,
    entry.kind,
    entry.current,
    entry.previous,
    entry.appliedAt,
    entry.checksum,
    JSON.stringify(entry.up),
    JSON.stringify(entry.down),
    JSON.stringify(entry.snapshot),
  ];
  const insert = `INSERT INTO "_journal" (${columns}) VALUES (${values.map(() => "?").join(", ")})`;
  return [...(entry.number === 1 ? [{ text: create, params: [] }] : []), { text: insert, params: values }];
}

/** The statement that comes after them: keeps what the definitions are now, so that a start sees whether anyone else touched them. */
export function closeEntry(entry: JournalEntry, ddl: Ddl): Statement {
  return { text: `UPDATE "_journal" SET "structure" = ${fingerprintOf(ddl)} WHERE "number" = ?`, params: [entry.number] };
}
