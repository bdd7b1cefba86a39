/** Reads the change records of a test app: what every committed write appended. */
import type { Database, Row } from "../drivers/database.ts";
import { changesTable } from "../engine/write/change.ts";

/** One committed change to one row, as audit, realtime and cache see it. */
export interface ChangeRecord {
  readonly model: string;
  readonly kind: "insert" | "update" | "delete";
  readonly id: string;
  /** The row's version after the change. */
  readonly version: number;
  /** Every stored field in wire form, before; null for an insert. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** The same after; null for a delete. */
  readonly after: Readonly<Record<string, unknown>> | null;
  /** The actor's id; null for anonymous and system. */
  readonly actor: string | null;
  readonly requestId: string | null;
  /** The instant of the request, ISO 8601. */
  readonly at: string;
}

/** Gives the records since it was last asked, the oldest first. */
export type ReadChanges = () => Promise<readonly ChangeRecord[]>;

export function createChangeReader(database: Database): ReadChanges {
  const state = { seq: 0 };
  return async () => {
    const text = `select "seq", "model", "kind", "row_id", "version", "before", "after", "actor", "request_id", "at" from "${changesTable}" where "seq" > ? order by "seq"`;
    const rows = await database.read({ text, params: [state.seq] });
    state.seq = Number(rows.at(-1)?.[0] ?? state.seq);
    return rows.map(toRecord);
  };
}

function toRecord([_, model, kind, id, version, before, after, actor, requestId, at]: Row): ChangeRecord {
  return {
    model: String(model),
    kind: kind as ChangeRecord["kind"],
    id: String(id),
    version: Number(version),
    before: toImage(before),
    after: toImage(after),
    actor: actor as string | null,
    requestId: requestId as string | null,
    at: String(at),
  };
}

function toImage(text: Row[number] | undefined): ChangeRecord["after"] {
  return typeof text === "string" ? (JSON.parse(text) as NonNullable<ChangeRecord["after"]>) : null;
}
