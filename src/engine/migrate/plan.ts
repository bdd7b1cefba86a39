/** Plans a migration: what turns the journal's last snapshot into the schema, what undoes it, and what looks like a mistake. */
import type { Ddl } from "../../drivers/ddl.ts";
import type { Schema } from "../../schema/schema.ts";
import { diffSnapshots } from "./steps/diff.ts";
import { findHints } from "./hints.ts";
import { checksumOf, emptySnapshot, takeSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot-types.ts";
import type { DiffContext } from "./steps/kept.ts";
import { isDestructive, type Step } from "./steps/step.ts";

export interface Plan {
  readonly from: Snapshot;
  readonly to: Snapshot;
  /** Of the schema that it leads to. */
  readonly checksum: string;
  readonly steps: readonly Step[];
  /** The way back, or why there is none. */
  readonly down: readonly Step[] | { readonly refusal: string };
  /** What the author may have meant instead, such as a rename. */
  readonly hints: readonly string[];
}

export interface PlanOptions {
  readonly schema: Schema;
  readonly ddl: Ddl;
  /** What rows that exist get where a default says `now`. */
  readonly nowMs: number;
  /** Tables with many rows, by name: what can be done without holding anyone up is done so. @default none */
  readonly large?: ReadonlySet<string>;
}

/**
 * Pure: reads no database. The same snapshot and schema give the same plan, ids included.
 * @param from the journal's last snapshot; null for an empty database
 */
export function planMigration(from: Snapshot | null, { schema, ddl, nowMs, large = new Set() }: PlanOptions): Plan {
  const before = from ?? emptySnapshot;
  const to = takeSnapshot(schema, before, ddl);
  const steps = diffSnapshots({ from: before, to, ddl, nowMs, large });
  return Object.freeze({
    from: before,
    to,
    checksum: checksumOf(schema, ddl),
    steps,
    hints: Object.freeze(findHints(before, to)),
    down: planDown({ from: before, to, ddl, nowMs, large }),
  });
}

// The engine's own tables stay, and so does the journal: only models go back.
function planDown({ from, to, ddl, nowMs, large }: DiffContext): Plan["down"] {
  const grown = to.models.filter(({ id }) => from.models.some((before) => before.id === id && large.has(before.table)));
  const stillLarge = new Set(grown.map(({ table }) => table));
  const steps = diffSnapshots({ from: to, to: downSnapshot(from, to), ddl, nowMs, large: stillLarge });
  const refusal = steps.find((step) => step.refusal !== null)?.refusal;
  return refusal ? { refusal } : steps;
}

/** The snapshot after a migration is undone. Ids that it gave are never given again. */
export function downSnapshot(from: Snapshot, to: Snapshot): Snapshot {
  return Object.freeze({ ...from, system: to.system, lastId: to.lastId });
}

/** The phrases that must be written out before these steps run. */
export function phrasesOf(steps: readonly Step[]): readonly string[] {
  return steps.filter(isDestructive).flatMap(({ confirm }) => confirm);
}
