/** Brings the database to the schema when the app starts: at once where nothing is to do, and never further than it may. */
import type { Schema } from "../../schema/schema.ts";
import { applyMigration, commandOf, driftPhrase, findRefusals, isBusy, type MigrateContext } from "./apply/apply.ts";
import { findDrift } from "./journal/drift.ts";
import { findTakenOver } from "./adopted/find.ts";
import { failMigrate } from "./errors.ts";
import { type JournalHead, readHead, readSnapshot } from "./journal/journal.ts";
import { findLarge } from "./plan/large.ts";
import { resumeMigration } from "./apply/phases.ts";
import { phrasesOf, type Plan, planMigration } from "./plan/plan.ts";
import { checksumOf } from "./snapshot/snapshot.ts";

export interface EnsureOptions {
  /** `development` applies what loses nothing; `production` applies only to an empty database, or with `migrate`. */
  readonly mode: "development" | "production";
  /** In production: apply what is pending (`--migrate`). @default false */
  readonly migrate?: boolean;
  /** Phrases written out by a person. @default none */
  readonly confirmations?: readonly string[];
}

export interface Ensured {
  /**
   * - `unchanged`: there was nothing to do;
   * - `created`: the database was empty;
   * - `migrated`: it was behind, and is not any more;
   * - `asking`: it is behind, and `command` would bring it up to date once somebody has agreed to what is lost, or mended what is refused.
   */
  readonly status: "unchanged" | "created" | "migrated" | "asking";
  /** What was applied, or waits; null when there was nothing to do. */
  readonly plan: Plan | null;
  /** What stands against the plan on this data. */
  readonly refusals: readonly string[];
  readonly command: string | null;
  /** Differences between the database and the journal that nobody planned. */
  readonly drift: readonly string[];
}

const unchanged: Ensured = Object.freeze({ status: "unchanged", plan: null, refusals: [], command: null, drift: [] });
// Each try waits for as long as the driver waits for a lock: a minute in all, with its defaults.
const triesMax = 12;

/**
 * Brings the database to the schema. Processes that start at once migrate once.
 * @throws AppError `migration_pending` in production, and whatever `applyMigration` refuses
 */
export async function ensureSchema(
  context: MigrateContext & { readonly schema: Schema },
  options: EnsureOptions,
): Promise<Ensured> {
  for (let tries = 1; ; tries++) {
    try {
      return await ensureOnce(context, options);
    } catch (error) {
      if (!isBusy(error) || tries >= triesMax) throw error;
    }
  }
}

async function ensureOnce(context: MigrateContext & { readonly schema: Schema }, options: EnsureOptions): Promise<Ensured> {
  const { database, ddl, schema, clock } = context;
  const head = await readFinished(context);
  const isCurrent = head?.checksum === checksumOf(schema, ddl);
  if (isCurrent && head?.untouched) return unchanged;
  const snapshot = await readSnapshot(database, head, ddl);
  const drift = head === null || head.untouched ? [] : await findDrift(database, snapshot, ddl);
  if (isCurrent) return { ...unchanged, drift };
  const large = await findLarge(context, snapshot);
  const found = await findTakenOver(context, schema, snapshot);
  const plan = planMigration(snapshot, { schema, ddl, nowMs: clock(), large, found });
  const phrases = [...phrasesOf(plan.steps), ...(drift.length > 0 ? [driftPhrase] : [])];
  const command = commandOf("apply", phrases, context.places);
  if (head !== null && options.mode === "production" && !options.migrate) throw pending(plan, command);
  const confirmed = new Set(options.confirmations);
  // Where the tables are not what the plan was made for, its questions cannot be asked.
  const refusals = (head === null && found.size === 0) || drift.length > 0 ? [] : await findRefusals(database, plan.steps);
  const mayApply = refusals.length === 0 && phrases.every((phrase) => confirmed.has(phrase));
  if (!mayApply && options.mode === "development") return { status: "asking", plan, refusals, command, drift };
  return finish(context, { plan, head, confirmations: options.confirmations ?? [], drift });
}

/** The last entry; one that was begun, by this process or another, is brought to its end first, for that was agreed to. */
async function readFinished(context: MigrateContext): Promise<JournalHead | null> {
  const head = await readHead(context.database, context.ddl);
  if (head === null || head.next === null) return head;
  await resumeMigration(context);
  return readHead(context.database, context.ddl);
}

interface Ready {
  readonly plan: Plan;
  readonly head: JournalHead | null;
  readonly confirmations: readonly string[];
  readonly drift: readonly string[];
}

async function finish(context: MigrateContext, { plan, head, confirmations, drift }: Ready): Promise<Ensured> {
  const { applied } = await applyMigration(context, plan, { head, confirmations });
  if (!applied) return { ...unchanged, drift };
  return { status: head === null ? "created" : "migrated", plan, refusals: [], command: null, drift };
}

function pending(plan: Plan, command: string) {
  const steps = plan.steps.flatMap(({ does }) => does.map((line) => `  ${line}`));
  return failMigrate("migration_pending", { fields: { count: plan.steps.length, steps: steps.join("\n"), command } });
}
