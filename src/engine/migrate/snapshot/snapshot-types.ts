/** What a snapshot is: data that the journal keeps, and that identities and plans are made from. */
import type { ColumnShape, IndexShape, NativeType, ReferenceShape, TieDetails } from "../../../drivers/ddl.ts";

/** Raised when older versions could not read it. */
export const snapshotFormat = 1;

export interface SnapshotField {
  /** Stays the same through renames, as in `f12`. */
  readonly id: string;
  readonly name: string;
  readonly column: string;
  /** The field type's name; different types may share a storage. */
  readonly type: string;
  readonly storage: ColumnShape["storage"];
  readonly precision: number | null;
  readonly scale: number | null;
  /** Code points, where the database bounds texts and a key or an index holds this one; left out elsewhere. */
  readonly length?: number;
  readonly serial: boolean;
  readonly optional: boolean;
  /** The column's own type, where it is not of the product's own making; left out elsewhere. */
  readonly native?: NativeType;
  /** The database fills it in, and the file does not say how; left out elsewhere. */
  readonly fromDatabase?: true;
  /** Ids of the model and its key field, or the names of a table that is not migrated, and of its key. */
  readonly references: SnapshotTarget | null;
  /** What rows that exist already get, as SQL or the time of the migration. Not part of the structure. */
  readonly fill: { readonly literal: string } | "now" | null;
  /** Not part of the structure. */
  readonly choices: readonly string[] | null;
}

export type SnapshotTarget = TieDetails &
  ({ readonly model: string; readonly field: string } | { readonly table: string; readonly column: string });

/** A reference to a key of several columns. */
export interface SnapshotReference extends TieDetails {
  /** The relation's name. */
  readonly name: string;
  /** Ids of the fields that hold it, in the key's order. */
  readonly fields: readonly string[];
  /** Ids of the model that it leads to, and of its key's fields; or, where the table is not migrated, their names. */
  readonly model: string;
  readonly key: readonly string[];
  readonly isOutside?: true;
}

/** What a table has, beyond the fields of its model, that was adopted. */
export interface SnapshotAdopted {
  readonly traits: readonly string[];
  /** What copying the table would lose. */
  readonly beyond: readonly string[];
  /** Columns and indexes that stand for nothing in the model, and are left alone. */
  readonly others: readonly string[];
  /** References that are no relation. */
  readonly ties: readonly ReferenceShape[];
}

export interface SnapshotModel {
  /** Stays the same through renames, as in `m3`. */
  readonly id: string;
  readonly name: string;
  readonly table: string;
  /** Ids of the key's fields, in order. */
  readonly key: readonly string[];
  /** References of several columns; left out where there are none. */
  readonly references?: readonly SnapshotReference[];
  /** Left out where the table is of the product's own making. */
  readonly adopted?: SnapshotAdopted;
  readonly fields: readonly SnapshotField[];
  readonly indexes: readonly IndexShape[];
}

export interface Snapshot {
  readonly format: number;
  /** The version of the engine's own tables. */
  readonly system: number;
  /** Ids are counted, and never given twice. */
  readonly lastId: number;
  readonly models: readonly SnapshotModel[];
}
