/** The journal: every migration that was applied or undone, in the database that it changed. */
import type { Database, Statement } from "../../drivers/database.ts";
import type { Ddl, Reader } from "../../drivers/ddl.ts";
import { failMigrate } from "./errors.ts";
import { emptySnapshot } from "./snapshot.ts";
import { type Snapshot, snapshotFormat } from "./snapshot-types.ts";
import type { Step } from "./steps/step.ts";
import { journalTable, systemTables } from "./system-tables.ts";

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
  return ddl.fingerprint(systemTables.map(({ name }) => name));
}

/** The last entry, or null where the database has no journal. */
export async function readHead(database: Database, ddl: Ddl): Promise<JournalHead | null> {
  const read = readerOf(database);
  const tables = await ddl.catalogue.readTables(read);
  if (!tables.includes(journalTable.name)) {
    if (tables.length > 0 && !ddl.apart)
      throw failMigrate("database_not_ours", { fields: { tables: tables.slice(0, 5).join(", ") } });
    return null;
  }
  const text = `SELECT "number", "current", "checksum", "structure" = ${fingerprintOf(ddl)} FROM ${ddl.quote(journalTable.name)} ORDER BY "number" DESC LIMIT 1`;
  const row = (await read(text))[0];
  return row
    ? { number: Number(row[0]), current: Number(row[1]), checksum: String(row[2]), untouched: Number(row[3]) === 1 }
    : null;
}

/** Where a journal is kept. */
interface Kept {
  readonly database: Database;
  readonly ddl: Ddl;
}

/** One entry whole, or null. */
export async function readEntry({ database, ddl }: Kept, number: number): Promise<JournalEntry | null> {
  const text = `SELECT ${columns} FROM ${ddl.quote(journalTable.name)} WHERE "number" = ?`;
  const [row] = await database.read({ text, params: [number] });
  return row ? toEntry(row) : null;
}

/** Every entry, the oldest first. */
export async function readEntries({ database, ddl }: Kept): Promise<readonly JournalEntry[]> {
  const text = `SELECT ${columns} FROM ${ddl.quote(journalTable.name)} ORDER BY "number"`;
  const rows = await database.read({ text, params: [] });
  return rows.map(toEntry);
}

/** What the database holds, by the journal. */
export async function readSnapshot(kept: Kept, head: JournalHead | null): Promise<Snapshot> {
  return head === null ? emptySnapshot : ((await readEntry(kept, head.number))?.snapshot ?? emptySnapshot);
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
  const insert = `INSERT INTO ${ddl.quote(journalTable.name)} (${columns}) VALUES (${values.map(() => "?").join(", ")})`;
  return [...(entry.number === 1 ? [{ text: create, params: [] }] : []), { text: insert, params: values }];
}

/** The statement that comes after them: keeps what the definitions are now, so that a start sees whether anyone else touched them. */
export function closeEntry(entry: JournalEntry, ddl: Ddl): Statement {
  return {
    text: `UPDATE ${ddl.quote(journalTable.name)} SET "structure" = ${fingerprintOf(ddl)} WHERE "number" = ?`,
    params: [entry.number],
  };
}
