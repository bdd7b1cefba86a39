/** The tables that the engine keeps beside the models': journal, changes and idempotency keys. */
import { changesTable as changesName } from "../write/change.ts";
import { idempotencyTable as idempotencyName, idempotencyTextMax } from "../write/once.ts";
import type { ColumnShape, IndexShape, TableShape } from "../../drivers/ddl.ts";

/** Raised with any change below: the next migration then brings the tables up to date. */
export const systemVersion = 1;

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
export const changesTable: TableShape = Object.freeze({
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
export const idempotencyTable: TableShape = Object.freeze({
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

export const systemTables: readonly TableShape[] = Object.freeze([journalTable, changesTable, idempotencyTable]);

export const systemIndexes: readonly IndexShape[] = Object.freeze([
  {
    name: "_idempotency_created_at_idx",
    table: idempotencyTable.name,
    columns: [{ column: "created_at", descending: false }],
    unique: false,
    where: null,
  },
]);
