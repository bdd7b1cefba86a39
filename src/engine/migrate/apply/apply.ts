/** Applies a plan: asks the data, then runs every statement and the journal's entry in one transaction, or none. */
import { AppError } from "../../../base/errors.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Database } from "../../../drivers/database.ts";
import type { Ddl } from "../../../drivers/ddl.ts";
import { findDrift } from "../journal/drift.ts";
import { failMigrate } from "../errors.ts";
import { type JournalEntry, type JournalHead, type Readable, readHead } from "../journal/journal.ts";
import { AlreadyThere, resumeMigration, runInPhases, runWhole } from "./phases.ts";
import { phrasesOf, type Plan } from "../plan/plan.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";
import { count, type Step } from "../steps/step.ts";

/** What every function here works with; the app puts it together once. */
export interface MigrateContext {
  readonly database: Database;
  readonly ddl: Ddl;
  readonly clock: Clock;
  /**
   * From so many rows on, by the database's estimate, a table is changed in phases that hold nobody up, where there are such ways.
   * @default 10000
   */
  readonly manyRowsMin?: number;
  /** What a command that is suggested says beside its phrases, such as `--backend shop.ts`: pasted, it must not meet another database. @default nothing */
  readonly places?: readonly string[];
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
  if (head !== null && head.next !== null) await resumeMigration(context);
  await ready(context, { steps: plan.steps, confirmations, action: "apply", head, snapshot: plan.from });
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
  readonly action: "apply" | "down";
  readonly head: JournalHead | null;
  /** What the journal says the database holds. */
  readonly snapshot: Snapshot;
}

/** Confirms a migration of a database that somebody changed by hand. */
export const driftPhrase = "drift";

/** Asks the data whether it stands in the way, and for what must be written out. */
export async function ready({ database, ddl, places }: MigrateContext, asked: Asked): Promise<void> {
  const { steps, head } = asked;
  const given = new Set(asked.confirmations.map((phrase) => phrase.trim()));
  const drift = head === null || head.untouched || head.next !== null ? [] : await findDrift(database, asked.snapshot, ddl);
  const phrases = [...phrasesOf(steps), ...(drift.length > 0 ? [driftPhrase] : [])];
  const command = commandOf(asked.action, phrases, places);
  if (drift.length > 0 && !given.has(driftPhrase))
    throw failMigrate("migration_drifted", { fields: { drift: indent(drift), command } });
  const refusals = await findRefusals(database, steps);
  if (refusals.length > 0) throw failMigrate("migration_refused", { fields: { reasons: indent(refusals) } });
  if (phrases.every((phrase) => given.has(phrase))) return;
  throw failMigrate("migration_unconfirmed", { fields: { losses: indent(steps.flatMap(({ loses }) => loses)), command } });
}

/** The command with every phrase written out. */
export function commandOf(action: "apply" | "down", phrases: readonly string[], places: readonly string[] = []): string {
  return [`holdfast migrate ${action}`, ...places, ...phrases.map((phrase) => `--confirm ${JSON.stringify(phrase)}`)].join(" ");
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

/** What stands against the steps: one sentence each, with the mend. */
export async function findRefusals(database: Readable, steps: readonly Step[]): Promise<readonly string[]> {
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

/** Runs a journal entry's steps, and whatever phases follow them; false when another process ran the same first. */
export async function runEntry(context: MigrateContext, entry: JournalEntry): Promise<boolean> {
  const { database } = context;
  try {
    if (database.migrator === undefined) await runWhole(context, entry, (statements) => database.migrate(statements));
    else await database.migrator((migrator) => runInPhases(context, entry, migrator));
    return true;
  } catch (error) {
    if (!(error instanceof AlreadyThere)) throw error;
    return sameAsTheirs(context, entry);
  }
}

async function sameAsTheirs(context: MigrateContext, entry: JournalEntry): Promise<boolean> {
  const head = await readHead(context.database, context.ddl);
  if (head?.checksum !== entry.checksum) throw failMigrate("migration_raced");
  await resumeMigration(context);
  return false;
}

/** Whether an error says that the database was locked for longer than the driver waits. */
export function isBusy(error: unknown): boolean {
  return error instanceof AppError && error.code === "database_busy";
}
