/** What MariaDB holds up while it changes a table. It takes the lightest of its ways by itself; which that is, it was asked with LOCK = NONE. */
import type { Altered, ColumnShape, Deed, IndexShape, Lock, TableShape } from "../../../ddl.ts";

const nothing: Lock = { waits: "nobody", rows: false };
/** Everybody, until those are done who were at the table before. */
const moment: Lock = { waits: "everyone", rows: false };
/** The rows are passed over or copied while others write. */
const beside: Lock = { waits: "nobody", rows: true };
const copied: Lock = { waits: "writers", rows: true };

const lightest: Readonly<Record<Deed, Lock>> = {
  create: nothing,
  drop: moment,
  "drop-column": moment,
  alter: moment,
  rewrite: copied,
  require: beside,
  index: beside,
  refer: beside,
  key: beside,
};

/** A table with a unique index over long texts, which is kept by a hash, is copied by nearly every change. */
export function lockOf(deed: Deed, on?: Altered): Lock {
  if (deed === "create" || deed === "drop" || on === undefined) return lightest[deed];
  const { table, indexes } = on;
  if (indexes.some((index) => isHashed(index, table))) return copied;
  // The condition of the one that is made is stored in every row.
  const made = deed === "index" ? indexes.at(-1) : undefined;
  return made?.unique && made.where !== null ? copied : lightest[deed];
}

/** What InnoDB's index entries hold, in bytes. */
const entryBytesMax = 3072;
const characterBytes = 4;
const otherBytes = 8;

function isHashed({ unique, columns }: IndexShape, table: TableShape): boolean {
  const bytes = columns.map(({ column }) => bytesOf(table.columns.find(({ name }) => name === column)));
  return unique && bytes.reduce((sum, one) => sum + one, 0) > entryBytesMax;
}

function bytesOf(column: ColumnShape | undefined): number {
  if (column === undefined) return otherBytes;
  if (column.storage === "text") return typeof column.length === "number" ? column.length * characterBytes : Infinity;
  if (column.storage === "uuid") return 36 * characterBytes;
  return column.storage === "json" || column.storage === "bytes" ? Infinity : otherBytes;
}
