/** The tables that the engine keeps beside the models': journal, changes and idempotency keys, and how they came to be as they are. */
import { changesTable as changesName, commitColumn } from "../../write/change.ts";
import { idempotencyTable as idempotencyName, idempotencyTextMax } from "../../write/once.ts";
import type { ColumnShape, Ddl, IndexShape, TableShape } from "../../../drivers/ddl.ts";

/**
 * Raised with any change below: the next migration then brings the tables up to date.
 * - 2: `_changes` has the column by which transactions are ordered, where the database needs one.
 */
export const systemVersion = 2;

/** The version from which on changes are in the order of their transactions. */
export const orderedSince = 2;

const column = (name: string, storage: ColumnShape["storage"] = "text"): ColumnShape => ({
  name,
  storage,
  optional: false,
  serial: false,
  references: null,
});
const optional = (name: string, storage: ColumnShape["storage"] = "text"): ColumnShape => ({
  ...column(name, storage),
  optional: true,
});

/** Append-only. `current` is the entry in force after this one (0: none), `previous` the one that its undoing leads to. */
export const journalTable: TableShape = Object.freeze({
  name: "_journal",
  columns: [
    column("number", "integer"),
    column("kind"),
    column("current", "integer"),
    column("previous", "integer"),
    column("applied_at", "datetime"),
    column("checksum"),
    column("up", "json"),
    column("down", "json"),
    column("snapshot", "json"),
    optional("structure"),
  ],
  key: ["number"],
});

/** What a key holds has a bound in some databases. */
const bounded = (name: string): ColumnShape => ({ ...column(name), length: idempotencyTextMax });

/** One row for each committed change of a row of a model; `before` and `after` are JSON. */
const changesTable: TableShape = Object.freeze({
  name: changesName,
  columns: [
    { ...column("seq", "integer"), serial: true },
    column("model"),
    column("row_id"),
    column("kind"),
    column("version", "integer"),
    optional("before"),
    optional("after"),
    optional("actor"),
    optional("request_id"),
    column("at"),
  ],
  key: ["seq"],
});

/** The stored answer of each keyed request; `created_at` in milliseconds since the epoch. */
const idempotencyTable: TableShape = Object.freeze({
  name: idempotencyName,
  columns: [
    bounded("scope"),
    bounded("key"),
    column("fingerprint"),
    column("status", "integer"),
    column("headers"),
    column("body"),
    column("created_at", "integer"),
  ],
  key: ["scope", "key"],
});

const indexOn = (table: TableShape, ...columns: readonly string[]): IndexShape => ({
  name: `${table.name}_${columns.join("_")}_idx`,
  table: table.name,
  columns: columns.map((name) => ({ column: name, descending: false })),
  unique: false,
  where: null,
});

/** What the engine keeps in a database of that kind. */
export interface SystemShapes {
  readonly tables: readonly TableShape[];
  readonly indexes: readonly IndexShape[];
}

/** The tables as a version has them; none in version 0. */
export function systemShapes({ catalogue: { commits } }: Pick<Ddl, "catalogue">, version: number = systemVersion): SystemShapes {
  if (version === 0) return { tables: [], indexes: [] };
  const indexes = [indexOn(idempotencyTable, "created_at")];
  if (version < orderedSince || commits === null) return { tables: [journalTable, changesTable, idempotencyTable], indexes };
  const ordering: ColumnShape = { ...column(commitColumn, "bigint"), native: commits.column };
  const ordered: TableShape = { ...changesTable, columns: [...changesTable.columns, ordering] };
  return {
    tables: [journalTable, ordered, idempotencyTable, ...commits.tables],
    indexes: [...indexes, indexOn(ordered, commitColumn, "seq")],
  };
}
