/** What both servers hold up while they change a table. They take the lightest of their ways by themselves; which that is, they were asked with LOCK = NONE. */
import { isUnbounded } from "./shapes.ts";
import type { Variant } from "../variants/variant.ts";
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
  "drop-index": moment,
  alter: moment,
  rewrite: copied,
  require: beside,
  index: beside,
  refer: beside,
  key: beside,
};

const never: ReadonlySet<Deed> = new Set(["create", "drop"]);

/**
 * A unique index over long texts is kept by a hash. Where that is MariaDB's own, nearly every change copies the table; where it is a
 * part of the index, the making and dropping of the index alone.
 */
export const createLockOf =
  ({ longParts }: Variant["tables"]) =>
  (deed: Deed, on?: Altered): Lock => {
    if (never.has(deed) || on === undefined) return lightest[deed];
    const { table, indexes } = on;
    const isMade = deed === "index";
    const last = isMade || deed === "drop-index" ? indexes.at(-1) : undefined;
    // The condition of the one that is made is stored in every row.
    if (isMade && last?.unique && last.where !== null) return copied;
    if (longParts !== null) return last !== undefined && isLong(last, table) ? copied : lightest[deed];
    return deed !== "drop-index" && indexes.some((index) => isHashed(index, table)) ? copied : lightest[deed];
  };

function isLong({ unique, columns }: IndexShape, table: TableShape): boolean {
  return unique && columns.some((part) => isUnbounded(part, table));
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
