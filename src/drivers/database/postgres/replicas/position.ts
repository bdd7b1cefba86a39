/** Positions in the primary's log of changes (WAL): how they are asked for, and their form in which texts compare as they do. */
import type { Position, Row } from "../../../database.ts";
import { type Landed, type Query, words } from "../flight.ts";

/** Behind a commit: a position that includes it, whether its flush was waited for or not. */
export const reachedQuery: Query = words("select pg_current_wal_insert_lsn()::text");

/** On a replica: how far it has come; null on one that follows nobody any more. What was committed until there, every later statement sees. */
export const replayedQuery: Query = words("select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end");

/** The position that a query answered; null where there is none. */
export function toPosition(rows: readonly Row[] | undefined): Position | null {
  const parts = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(String(rows?.[0]?.[0]));
  return parts === null ? null : `${parts[1]?.padStart(8, "0")}${parts[2]?.padStart(8, "0")}`;
}

/** The same of what landed at a place of a flight. */
export function positionAt(landed: readonly Landed[], index: number): Position | null {
  return toPosition(landed[index]?.rows);
}
