/** The journal: every migration that was applied or undone, in the database that it changed. */
import type { Database, Statement } from "../../../drivers/database.ts";
import type { Ddl, Reader } from "../../../drivers/ddl.ts";
import { failMigrate } from "../errors.ts";
import { emptySnapshot } from "../snapshot/snapshot.ts";
import { type Snapshot, snapshotFormat } from "../snapshot/snapshot-types.ts";
import { createStep, type Step } from "../steps/step.ts";
import { journalTable, systemShapes } from "./system-tables.ts";

/** The last entry, as far as a start needs it. */
export interface JournalHead {
  readonly number: number;
  /** The entry in force, which `migrate down` undoes; 0 when all are undone. */
  readonly current: number;
  readonly checksum: string;
  /** Whether the definitions in the database are, letter for letter, as the last migration left them. */
  readonly untouched: boolean;
  /** The phase that a migration goes on with, where it has not come to its end; else null. */
  readonly next: number | null;
}

/** What only reads: a database, a transaction, or a migration that is being rehearsed. */
export type Readable = Pick<Database, "read">;

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

export function readerOf(database: Readable): Reader {
  return async (text, params = []) => database.read({ text, params });
}

const columns = '"number", "kind", "current", "previous", "applied_at", "checksum", "up", "down", "snapshot"';

// Features may keep tables of their own beside ours; those are not the journal's business.
function fingerprintOf(ddl: Ddl): string {
  return ddl.fingerprint(systemShapes(ddl).tables.map(({ name }) => name));
}

/** The last entry, or null where the database has no journal. */
export async function readHead(database: Readable, ddl: Ddl): Promise<JournalHead | null> {
  const read = readerOf(database);
  const tables = await ddl.catalogue.readTables(read);
  if (!tables.includes(journalTable.name)) {
    if (tables.length > 0 && !ddl.manner.apart)
      throw failMigrate("database_not_ours", { fields: { tables: tables.slice(0, 5).join(", ") } });
    return null;
  }
  const text = `SELECT "number", "current", "checksum", "structure" = ${fingerprintOf(ddl)}, CASE WHEN "structure" LIKE '${nextWord} %' THEN "structure" END FROM ${ddl.quote(journalTable.name)} ORDER BY "number" DESC LIMIT 1`;
  const row = (await read(text))[0];
  if (row === undefined) return null;
  const next = /^\w+ (\d+)/.exec(String(row[4] ?? ""))?.[1];
  return {
    number: Number(row[0]),
    current: Number(row[1]),
    checksum: String(row[2]),
    untouched: Number(row[3]) === 1,
    next: next === undefined ? null : Number(next),
  };
}

/** How the journal is named: with its place, where that is apart. */
type Named = Pick<Ddl, "quote">;
const plain: Named = Object.freeze({ quote: (name: string) => `"${name}"` });

/** The structure that the last entry keeps; empty where there is none, or it is not done. */
export async function readStructure(database: Readable, named: Named = plain): Promise<string> {
  const text = `SELECT "structure" FROM ${named.quote(journalTable.name)} ORDER BY "number" DESC LIMIT 1`;
  const [row] = await database.read({ text, params: [] });
  return String(row?.[0] ?? "");
}

/** One entry whole, or null. */
export async function readEntry(database: Readable, number: number, named: Named = plain): Promise<JournalEntry | null> {
  const text = `SELECT ${columns} FROM ${named.quote(journalTable.name)} WHERE "number" = ?`;
  const [row] = await database.read({ text, params: [number] });
  return row ? toEntry(row) : null;
}

/** Every entry, the oldest first. */
export async function readEntries(database: Readable, named: Named = plain): Promise<readonly JournalEntry[]> {
  const text = `SELECT ${columns} FROM ${named.quote(journalTable.name)} ORDER BY "number"`;
  const rows = await database.read({ text, params: [] });
  return rows.map(toEntry);
}

/** What the database holds, by the journal. */
export async function readSnapshot(database: Readable, head: JournalHead | null, named: Named = plain): Promise<Snapshot> {
  return head === null ? emptySnapshot : ((await readEntry(database, head.number, named))?.snapshot ?? emptySnapshot);
}

function toEntry([number, kind, current, previous, appliedAt, checksum, up, down, snapshot]: readonly unknown[]): JournalEntry {
  const kept = JSON.parse(String(snapshot)) as Snapshot;
  if (kept.format > snapshotFormat) throw failMigrate("migration_journal_unreadable", { fields: { format: kept.format } });
  const back = JSON.parse(String(down)) as JournalEntry["down"];
  return {
    number: Number(number),
    kind: kind as JournalEntry["kind"],
    current: Number(current),
    previous: Number(previous),
    appliedAt: toIso(String(appliedAt)),
    checksum: String(checksum),
    up: toSteps(JSON.parse(String(up)) as Step[]),
    down: Array.isArray(back) ? toSteps(back as Step[]) : (back as { readonly refusal: string }),
    snapshot: kept,
  };
}

/** Databases that have instants write them each in its own way; under our settings all are UTC. */
function toIso(instant: string): string {
  return new Date(`${instant.replace(" ", "T").replace(/(\+00|Z)$/, "")}Z`).toISOString();
}

// Steps of earlier versions have fewer properties.
function toSteps(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => createStep(step));
}

/**
 * The statements that come before a migration's own. The number is the key, so of two processes that planned from one state
 * the second is refused here, before it has changed anything.
 */
export function openEntry(entry: JournalEntry, ddl: Ddl): readonly Statement[] {
  const create = ddl.createTable(journalTable).replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
  // An instant stands as each database writes it.
  const appliedAt = ddl.literal(entry.appliedAt, { storage: "datetime" });
  const insert = `INSERT INTO ${ddl.quote(journalTable.name)} (${columns}) VALUES (?, ?, ?, ?, ${appliedAt}, ?, ?, ?, ?)`;
  const values = [
    entry.number,
    entry.kind,
    entry.current,
    entry.previous,
    entry.checksum,
    JSON.stringify(entry.up),
    JSON.stringify(entry.down),
    JSON.stringify(entry.snapshot),
  ];
  return [...(entry.number === 1 ? [{ text: create, params: [] }] : []), { text: insert, params: values }];
}

/** The statement that comes after them: keeps what the definitions are now, so that a start sees whether anyone else touched them. */
export function closeEntry(entry: JournalEntry, ddl: Ddl): Statement {
  return {
    text: `UPDATE ${ddl.quote(journalTable.name)} SET "structure" = ${fingerprintOf(ddl)} WHERE "number" = ?`,
    params: [entry.number],
  };
}

/**
 * A statement that is refused where the query's one value is above 0, for no entry is without a number; else it writes nothing.
 * Every column is named, since some databases look for missing ones before they look for rows.
 */
export function guardEntry(query: string, ddl: Ddl): string {
  const nulls = columns.split(", ").map(() => "NULL");
  return `INSERT INTO ${ddl.quote(journalTable.name)} (${columns}) SELECT ${nulls.join(", ")} WHERE (${query}) > 0`;
}

const nextWord = "next";

/** What the journal keeps while phase `next` is about to run: its number, and what the definitions are before it. */
function marked(next: number, ddl: Ddl): string {
  return `concat('${nextWord} ${next}\n', ${fingerprintOf(ddl)})`;
}

/** The statement that says that all phases before this one are done. */
export function markEntry(entry: JournalEntry, next: number, ddl: Ddl): Statement {
  return {
    text: `UPDATE ${ddl.quote(journalTable.name)} SET "structure" = ${marked(next, ddl)} WHERE "number" = ?`,
    params: [entry.number],
  };
}

/** Whether the definitions are what they were when this phase was about to run: then it has not run. */
export async function isAsMarked(database: Readable, next: number, ddl: Ddl): Promise<boolean> {
  const text = `SELECT count(*) FROM ${ddl.quote(journalTable.name)} WHERE "structure" = ${marked(next, ddl)}`;
  const [row] = await database.read({ text, params: [] });
  return Number(row?.[0]) > 0;
}
