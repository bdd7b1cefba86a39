/** The SQL functions that every connection offers to compiled statements: deterministic, and null for null. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import { foldText } from "../../../base/fold.ts";

type SqlFunction = (value: SQLOutputValue) => SQLInputValue;

/**
 * - `hf_base64(blob)` → text (RFC 4648, padded); `hf_unbase64(text)` → blob.
 * - `hf_fold(text)` → text for comparing without case or accents: NFKD, marks removed, lower-case.
 * - `hf_real(double)` → the shortest text that reads back as the same double; SQLite itself writes 17 digits.
 * - `hf_glob(text)` → a LIKE pattern (escape: backslash) as the GLOB pattern that matches the same, case-sensitively.
 */
const functions: Readonly<Record<string, SqlFunction>> = {
  hf_base64: (value) => {
    if (value === null) return null;
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    return Buffer.from(String(value), "utf8").toString("base64");
  },
  hf_unbase64: (value) => (value === null ? null : new Uint8Array(Buffer.from(String(value), "base64"))),
  hf_fold: (value) => (value === null ? null : foldText(String(value))),
  hf_real: (value) => (value === null ? null : String(value)),
  hf_glob: (value) => (value === null ? null : globOf(String(value))),
};

// GLOB compares case-sensitively, as LIKE does everywhere but in SQLite.
function globOf(pattern: string): string {
  return pattern.replace(/\\([\s\S])|[%_*?[]/g, (part, escaped: string | undefined) => {
    if (escaped !== undefined) return inGlob(escaped);
    return part === "%" ? "*" : part === "_" ? "?" : inGlob(part);
  });
}

function inGlob(character: string): string {
  return "*?[".includes(character) ? `[${character}]` : character;
}

export function registerFunctions(db: DatabaseSync): void {
  for (const [name, run] of Object.entries(functions)) db.function(name, { deterministic: true }, run);
}
