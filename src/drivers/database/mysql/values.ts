/** Values on their way to MariaDB and back: what the library reads becomes the values of the contract. */
import type { FieldPacket } from "mysql2";
import type { Row, Value } from "../../database.ts";
import { toInteger } from "../texts.ts";

/** A value as it is sent: whole numbers as their digits, which no comparison rounds, and other numbers as doubles. */
export function toSent(value: Value): string | number | Buffer | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === "number" && !Number.isSafeInteger(value) ? value : String(value);
}

// Types of columns (mariadb.com/kb/en/result-set-packets).
const typeBigint = 8;
const typeBit = 16;
const typeDecimal = 246;

/** Rows as the contract has them: what arrives as digits and has no fraction is a number. */
export function toRows(rows: readonly unknown[][], fields: readonly FieldPacket[]): readonly Row[] {
  const whole = fields.flatMap(({ columnType, decimals }, index) =>
    columnType === typeBigint || (columnType === typeDecimal && decimals === 0) ? [index] : [],
  );
  if (whole.length > 0)
    for (const row of rows) for (const index of whole) if (typeof row[index] === "string") row[index] = toInteger(row[index]);
  for (const [index, { columnType }] of fields.entries())
    if (columnType === typeBit) for (const row of rows) row[index] = fromBits(row[index]);
  return rows as unknown as readonly Row[];
}

function fromBits(value: unknown): unknown {
  return value instanceof Uint8Array ? toInteger(String(BigInt(`0x${Buffer.from(value).toString("hex") || "0"}`))) : value;
}
