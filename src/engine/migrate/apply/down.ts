/** Undoes the migration in force, by the way back that was stored when it was applied. */
import { type Applied, type MigrateContext, ready, runEntry } from "./apply.ts";
import { failMigrate } from "../errors.ts";
import { type JournalEntry, type JournalHead, readEntry, readHead, readSnapshot } from "../journal/journal.ts";
import { resumeMigration } from "./phases.ts";
import { downSnapshot } from "../plan/plan.ts";
import { checksumOf, emptySnapshot } from "../snapshot/snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";
import type { Step } from "../steps/step.ts";

/** The undoing of one migration, not yet run. */
export interface DownPlan {
  readonly head: JournalHead;
  /** The migration that is undone. */
  readonly undone: JournalEntry;
  /** The one that is in force afterwards; null where none is. */
  readonly previous: JournalEntry | null;
  readonly steps: readonly Step[];
  /** What the database holds before. */
  readonly snapshot: Snapshot;
}

/** One that is under way is brought to its end first. @throws AppError `migration_unfinished`, `migration_nothing_to_undo`, `migration_irreversible` */
export async function planDown({ database, ddl }: Pick<MigrateContext, "database" | "ddl">): Promise<DownPlan> {
  await resumeMigration({ database, ddl });
  const head = await readHead(database, ddl);
  const undone = head === null || head.current === 0 ? null : await readEntry(database, head.current, ddl);
  if (head === null || undone === null) throw failMigrate("migration_nothing_to_undo");
  if ("refusal" in undone.down) throw failMigrate("migration_irreversible", { fields: { reason: undone.down.refusal } });
  const previous = undone.previous === 0 ? null : await readEntry(database, undone.previous, ddl);
  const snapshot = await readSnapshot(database, head, ddl);
  return Object.freeze({ head, undone, previous, steps: undone.down, snapshot });
}

/**
 * Undoes the migration in force. The journal keeps both: it gets an entry that says so.
 * @throws AppError `migration_unconfirmed` naming what is lost, `migration_refused`, `migration_raced`
 */
export async function migrateDown(
  context: MigrateContext,
  plan: DownPlan,
  confirmations: readonly string[] = [],
): Promise<Applied> {
  const { steps, head, snapshot } = plan;
  await ready(context, { steps, confirmations, action: "down", head, snapshot });
  return { number: plan.head.number + 1, applied: await runEntry(context, downEntry(context, plan)) };
}

/** The journal's entry for an undoing. */
export function downEntry({ ddl, clock }: MigrateContext, { head, undone, previous, steps }: DownPlan): JournalEntry {
  const nothing = checksumOf({ models: new Map(), roles: [] }, ddl);
  return {
    number: head.number + 1,
    kind: "down",
    current: previous?.number ?? 0,
    previous: previous?.previous ?? 0,
    appliedAt: new Date(clock()).toISOString(),
    checksum: previous?.checksum ?? nothing,
    up: steps,
    down: { refusal: "It is an undoing itself: migrate apply leads forward again." },
    snapshot: downSnapshot(previous?.snapshot ?? emptySnapshot, undone.snapshot),
  };
}
