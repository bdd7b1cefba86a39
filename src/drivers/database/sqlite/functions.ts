/** The SQL functions that every connection offers to compiled statements: deterministic, and null for null. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";

type SqlFunction = (value: SQLOutputValue) => SQLInputValue;

const marks = /\p{M}+/gu;

/**
 * - `hf_base64(blob)` → text (RFC 4648, padded); `hf_unbase64(text)` → blob.
 * - `hf_fold(text)` → text for comparing without case or accents: NFKD, marks removed, lower-case.
 */
const functions: Readonly<Record<string, SqlFunction>> = {
  hf_base64: (value) => {
    if (value === null) return null;
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    return Buffer.from(String(value), "utf8").toString("base64");
  },
  hf_unbase64: (value) => (value === null ? null : new Uint8Array(Buffer.from(String(value), "base64"))),
  hf_fold: (value) => (value === null ? null : foldText(String(value))),
};

/** What `hf_fold` answers, for those who must compare in the same way outside the database. */
export function foldText(text: string): string {
  return text.normalize("NFKD").replace(marks, "").toLowerCase();
}

export function registerFunctions(db: DatabaseSync): void {
  for (const [name, run] of Object.entries(functions)) db.function(name, { deterministic: true }, run);
}
