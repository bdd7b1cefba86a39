/** Tells where a database stands: what was applied, what waits, and what somebody changed by hand. */
import type { Schema } from "../../schema/schema.ts";
import { findRefusals, type MigrateContext } from "./apply/apply.ts";
import { findTakenOver } from "./adopted/find.ts";
import { findLarge } from "./plan/large.ts";
import { findDrift } from "./journal/drift.ts";
import { type JournalEntry, type JournalHead, readEntries, readHead } from "./journal/journal.ts";
import { type Plan, planMigration } from "./plan/plan.ts";
import { emptySnapshot } from "./snapshot/snapshot.ts";

export interface MigrationStatus {
  /** `empty`: nothing was ever made in the database. */
  readonly state: "empty" | "current" | "pending";
  readonly head: JournalHead | null;
  /** Every entry, the oldest first. */
  readonly entries: readonly JournalEntry[];
  /** What would bring the database up to date; without steps where it is. */
  readonly plan: Plan;
  /** What stands against the plan on this data. */
  readonly refusals: readonly string[];
  readonly drift: readonly string[];
}

/** Reads all of it; unlike `ensureSchema` it compares the whole database with the journal every time. */
export async function migrationStatus(context: MigrateContext & { readonly schema: Schema }): Promise<MigrationStatus> {
  const { database, ddl, schema, clock } = context;
  const head = await readHead(database, ddl);
  const entries = head === null ? [] : await readEntries(database, ddl);
  const snapshot = entries.at(-1)?.snapshot ?? emptySnapshot;
  const large = await findLarge(context, snapshot);
  const found = await findTakenOver(context, schema, snapshot);
  const plan = planMigration(snapshot, { schema, ddl, nowMs: clock(), large, found });
  const isCurrent = head?.checksum === plan.checksum && head.next === null;
  const state = head === null ? "empty" : isCurrent ? "current" : "pending";
  const drift = head === null || head.next !== null ? [] : await findDrift(database, snapshot, ddl);
  // Where the tables are not what the plan was made for, its questions cannot be asked.
  const mayAsk = (head !== null || found.size > 0) && drift.length === 0;
  return {
    state,
    head,
    entries,
    plan,
    refusals: mayAsk ? await findRefusals(database, plan.steps) : [],
    drift,
  };
}
