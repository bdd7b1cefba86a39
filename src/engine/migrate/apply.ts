/** Applies a plan: asks the data, then runs every statement and the journal's entry in one transaction, or none. */
import { AppError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { type Database, type Statement, UnitRefused } from "../../drivers/database.ts";
import type { Ddl } from "../../drivers/ddl.ts";
import { findDrift } from "./drift.ts";
import { failMigrate } from "./errors.ts";
import { closeEntry, type JournalEntry, type JournalHead, openEntry, readHead } from "./journal.ts";
import { phrasesOf, type Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot-types.ts";
import { count, type Step } from "./steps/step.ts";
import { journalTable } from "./system-tables.ts";

/** What every function here works with; the app puts it together once. */
export interface MigrateContext {
  readonly database: Database;
  readonly ddl: Ddl;
  readonly clock: Clock;
}

export interface ApplyOptions {
  /** Phrases written out by a person, such as `drop films.title`. @default none */
  readonly confirmations?: readonly string[];
  /** The journal's last entry that the plan was made from; null for an empty database. */
  readonly head: JournalHead | null;
}

export interface Applied {
  readonly number: number;
  /** False when another process had done the same already. */
  readonly applied: boolean;
}

/**
 * Applies a plan. Killed at any moment, the database has the old schema or the new one.
 * @throws AppError `migration_unconfirmed`, `migration_refused`, `migration_drifted`, `migration_raced`, or an error of the database
 */
export async function applyMigration(context: MigrateContext, plan: Plan, options: ApplyOptions): Promise<Applied> {
  const { head, confirmations = [] } = options;
  await ready(context, { steps: plan.steps, confirmations, command: "holdfast migrate apply", head, snapshot: plan.from });
  const entry = planEntry(context, plan, head);
  return { number: entry.number, applied: await runEntry(context, entry) };
}

/** The journal's entry for a plan that was made from `head`. */
export function planEntry({ clock }: MigrateContext, plan: Plan, head: JournalHead | null): JournalEntry {
  const number = (head?.number ?? 0) + 1;
  return {
    number,
    kind: "up",
    current: number,
    previous: head?.current ?? 0,
    appliedAt: new Date(clock()).toISOString(),
    checksum: plan.checksum,
    up: plan.steps,
    down: plan.down,
    snapshot: plan.to,
  };
}

/** What is about to run, and what somebody said to it. */
interface Asked {
  readonly steps: readonly Step[];
  readonly confirmations: readonly string[];
  readonly command: string;
  readonly head: JournalHead | null;
  /** What the journal says the database holds. */
  readonly snapshot: Snapshot;
}

/** Confirms a migration of a database that somebody changed by hand. */
export const driftPhrase = "drift";

/** Asks the data whether it stands in the way, and for what must be written out. */
export async function ready({ database, ddl }: MigrateContext, asked: Asked): Promise<void> {
  const { steps, head } = asked;
  const given = new Set(asked.confirmations.map((phrase) => phrase.trim()));
  const drift = head === null || head.untouched ? [] : await findDrift(database, asked.snapshot, ddl);
  const phrases = [...phrasesOf(steps), ...(drift.length > 0 ? [driftPhrase] : [])];
  const command = commandOf(asked.command, phrases);
  if (drift.length > 0 && !given.has(driftPhrase))
    throw failMigrate("migration_drifted", { fields: { drift: indent(drift), command } });
  const refusals = await findRefusals(database, steps);
  if (refusals.length > 0) throw failMigrate("migration_refused", { fields: { reasons: indent(refusals) } });
  if (phrases.every((phrase) => given.has(phrase))) return;
  throw failMigrate("migration_unconfirmed", { fields: { losses: indent(steps.flatMap(({ loses }) => loses)), command } });
}

/** The command with every phrase written out. */
export function commandOf(command: string, phrases: readonly string[]): string {
  return [command, ...phrases.map((phrase) => `--confirm ${JSON.stringify(phrase)}`)].join(" ");
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

/** What stands against the steps: one sentence each, with the mend. */
export async function findRefusals(database: Database, steps: readonly Step[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const step of steps) {
    if (step.refusal !== null) found.push(step.refusal);
    for (const { query, counted, why, mend } of step.checks) {
      const [row] = await database.read({ text: query, params: [] }, { long: true });
      const rows = Number(row?.[0] ?? 0);
      if (rows > 0) found.push(`${why} ${mend}${counted ? ` (${count(rows, "row")})` : ""}`);
    }
  }
  return found;
}

/** A statement, and what to say when it is refused. */
interface Spoken {
  readonly text: string;
  readonly says: (reason: string) => string;
}

/** Runs a journal entry's steps; false when another process ran the same first. */
export async function runEntry(context: MigrateContext, entry: JournalEntry): Promise<boolean> {
  const { database, ddl } = context;
  const opening = openEntry(entry, ddl);
  const journal = ddl.quote(journalTable.name);
  const spoken = [...entry.up.flatMap((step) => guardsOf(step, journal)), ...entry.up.flatMap(statementsOf)];
  const statements = spoken.map(({ text }): Statement => ({ text, params: [] }));
  try {
    await database.migrate([...opening, ...statements, closeEntry(entry, ddl)]);
    return true;
  } catch (error) {
    if (!(error instanceof UnitRefused)) throw error;
    if (error.step < opening.length) return sameAsTheirs(context, entry);
    // References are checked once, at the end, whatever step broke them.
    const said = error.reason === "foreign_key" ? undefined : spoken[error.step - opening.length];
    throw failMigrate("migration_refused", {
      fields: { reasons: `  ${said?.says(error.reason) ?? reasonOf(error.reason)}` },
      cause: error,
    });
  }
}

/**
 * The checks once more, inside the transaction: a writer may have been faster. Where rows do not fit, the statement would write
 * a journal entry without a number, which is refused; else it writes nothing.
 */
function guardsOf({ checks }: Step, journal: string): readonly Spoken[] {
  return checks.map(({ query, why, mend }) => ({
    text: `INSERT INTO ${journal} ("number") SELECT NULL WHERE (${query}) > 0`,
    says: () => `${why} ${mend}`,
  }));
}

function statementsOf({ sql, does }: Step): readonly Spoken[] {
  return sql.map((text) => ({ text, says: (reason) => `${does[0] ?? ""} ${reasonOf(reason)}` }));
}

async function sameAsTheirs({ database, ddl }: MigrateContext, entry: JournalEntry): Promise<boolean> {
  const head = await readHead(database, ddl);
  if (head?.checksum === entry.checksum) return false;
  throw failMigrate("migration_raced");
}

const reasons: Readonly<Record<string, string>> = {
  unique: "Two rows have the same values. Make them differ first.",
  not_null: "Some rows hold null where a value is required. Fill them first, or give the field a default().",
  foreign_key: "Some rows refer to rows that do not exist. Mend or remove them first.",
  check: "Some rows hold a value that the new type does not have. Change them first.",
};

function reasonOf(reason: string): string {
  return reasons[reason] ?? "The database refused it.";
}

/** Whether an error says that the database was locked for longer than the driver waits. */
export function isBusy(error: unknown): boolean {
  return error instanceof AppError && error.code === "database_busy";
}
