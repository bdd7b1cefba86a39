/** What the steps of a plan are made from: two snapshots, and the models that are in both. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { Snapshot, SnapshotModel } from "../snapshot-types.ts";

export interface DiffContext {
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly ddl: Ddl;
  /** What rows that exist get where a default says `now`. */
  readonly nowMs: number;
}

/** A model that is in both snapshots. */
export interface Kept {
  readonly before: SnapshotModel;
  readonly after: SnapshotModel;
}
