/** What the steps of a plan are made from: two snapshots, and the models that are in both. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { Snapshot, SnapshotModel } from "../snapshot/snapshot-types.ts";

export interface DiffContext {
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly ddl: Ddl;
  /** What rows that exist get where a default says `now`. */
  readonly nowMs: number;
  /** Tables with many rows, by their names before: what can be done without holding anyone up is done so. */
  readonly large: ReadonlySet<string>;
}

/** A model that is in both snapshots. */
export interface Kept {
  readonly before: SnapshotModel;
  readonly after: SnapshotModel;
}
