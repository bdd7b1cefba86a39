/** How PostgreSQL puts transactions in an order in which none turns up behind a reader: by their numbers, once all below have ended. */
import type { CommitOrder } from "../../../ddl.ts";

/**
 * Transactions are numbered when they first write, and end in any order. Those below the snapshot's xmin have all ended, so none
 * of them can turn up any more (postgresql.org/docs/current/functions-info.html, pg_snapshot). A row that two of them write is
 * written in the order of their numbers: both are serializable, so the one that began first does not see what the other has
 * changed, and is run anew with a number of its own. `ahead` is added to every number of this server: its records come after those
 * that were written on another one, whose numbers were higher.
 */
export function createCommits(ahead: bigint): CommitOrder {
  const counted = (number: string) => (ahead === 0n ? number : `(((${number})::text::bigint + ${ahead})::text)::xid8`);
  return Object.freeze<CommitOrder>({
    column: { type: "xid8", fill: counted("pg_current_xact_id()") },
    bind: (parameter) => `(${parameter})::xid8`,
    settled: (column) => `${column} < ${counted("pg_snapshot_xmin(pg_current_snapshot())")}`,
    seal: () => [],
    settle: () => [],
    tables: [],
  });
}

/** Of a database whose records were all written on its own server. */
export const postgresCommits: CommitOrder = createCommits(0n);
