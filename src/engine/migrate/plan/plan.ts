/** Plans a migration: what turns the journal's last snapshot into the schema, what undoes it, and what looks like a mistake. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { FoundTable } from "../../../drivers/found.ts";
import type { Schema } from "../../../schema/schema.ts";
import { groundSnapshot } from "../adopted/take-over.ts";
import { findUnheld } from "../adopted/unheld.ts";
import { diffSnapshots } from "../steps/diff.ts";
import { findHints } from "./hints.ts";
import { checksumOf, emptySnapshot, takeSnapshot } from "../snapshot/snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";
import type { DiffContext } from "../steps/kept.ts";
import { isDestructive, type Step } from "../steps/step.ts";

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
  /** Tables that are there and not in the journal, and that the schema takes over, by name. @default none */
  readonly found?: ReadonlyMap<string, FoundTable>;
}

/**
 * Pure: reads no database. The same snapshot and schema give the same plan, ids included.
 * @param from the journal's last snapshot; null for an empty database
 */
export function planMigration(
  from: Snapshot | null,
  { schema, ddl, nowMs, large = new Set(), found = new Map() }: PlanOptions,
): Plan {
  const before = from ?? emptySnapshot;
  const grounded = groundSnapshot(before, { schema, ddl, found });
  const to = takeSnapshot(schema, grounded.snapshot, ddl);
  const context = { from: grounded.snapshot, to, ddl, nowMs, large };
  const steps = diffSnapshots(context).filter(({ model }) => !grounded.refused.has(model));
  return Object.freeze({
    from: before,
    to,
    checksum: checksumOf(schema, ddl),
    steps: Object.freeze([...grounded.steps, ...steps]),
    hints: Object.freeze([...findHints(grounded.snapshot, to), ...findUnheld(schema, grounded.snapshot, to)]),
    down: planDown(context, grounded.steps),
  });
}

// The engine's own tables stay, and so does the journal: only models go back.
function planDown({ from, to, ddl, nowMs, large }: DiffContext, taken: readonly Step[]): Plan["down"] {
  const grown = to.models.filter(({ id }) => from.models.some((before) => before.id === id && large.has(before.table)));
  const stillLarge = new Set(grown.map(({ table }) => table));
  const steps = diffSnapshots({ from: to, to: downSnapshot(from, to), ddl, nowMs, large: stillLarge });
  const refusal = steps.find((step) => step.refusal !== null)?.refusal;
  return refusal ? { refusal } : [...steps, ...taken.map(turnBack)];
}

function turnBack(step: Step): Step {
  const told =
    step.kind === "leave" ? "Takes the table {} over again, as it is." : "Leaves the table {} to others again, as it is.";
  const kind = step.kind === "leave" ? "take-over" : "leave";
  return Object.freeze({ ...step, kind, refusal: null, does: [told.replace("{}", () => step.table ?? "")] });
}

/** The snapshot after a migration is undone. Ids that it gave are never given again. */
export function downSnapshot(from: Snapshot, to: Snapshot): Snapshot {
  return Object.freeze({ ...from, system: to.system, lastId: to.lastId });
}

/** The phrases that must be written out before these steps run. */
export function phrasesOf(steps: readonly Step[]): readonly string[] {
  return steps.filter(isDestructive).flatMap(({ confirm }) => confirm);
}
