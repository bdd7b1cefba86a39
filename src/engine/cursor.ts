/** Cursors: the sort values of a row, signed together with the query and actor they are good for. Opaque to callers. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Value } from "../schema/value.ts";
import { fail } from "./errors.ts";

/** Signs cursors: the key's bytes as hexadecimal digits. */
export type CursorKey = string;

// 132 bits of the hash, as base64url.
const tagLength = 22;
/** Longest cursor that is looked at, in characters. */
export const cursorLengthMax = 4096;

export function createCursorKey(bytes: Uint8Array): CursorKey {
  return Buffer.from(bytes).toString("hex");
}

/** Writes the cursor of a row. `bound` names the query and the actor. */
export function encodeCursor(key: CursorKey, bound: string, values: readonly Value[]): string {
  const body = JSON.stringify(values, (_, value: unknown) => (typeof value === "bigint" ? { n: value.toString() } : value));
  return sign(key, bound, body) + Buffer.from(body).toString("base64url");
}

/** Reads a cursor. @throws invalid_cursor where it was not made for this query and actor. */
export function decodeCursor(key: CursorKey, bound: string, cursor: unknown): readonly Value[] {
  if (typeof cursor !== "string" || cursor.length <= tagLength || cursor.length > cursorLengthMax) throw fail("invalid_cursor");
  if (!/^[\w-]+$/.test(cursor)) throw fail("invalid_cursor");
  const body = Buffer.from(cursor.slice(tagLength), "base64url").toString();
  const given = Buffer.from(cursor.slice(0, tagLength), "latin1");
  if (!timingSafeEqual(given, Buffer.from(sign(key, bound, body), "latin1"))) throw fail("invalid_cursor");
  const values = JSON.parse(body) as readonly (Value | { readonly n: string })[];
  return values.map((value) => (typeof value === "object" && value !== null && "n" in value ? BigInt(value.n) : value) as Value);
}

// SHA-3 over key and message authenticates without HMAC's second pass (NIST SP 800-185, as KMAC does); lengths keep parts apart.
function sign(key: CursorKey, bound: string, body: string): string {
  return hash("sha3-256", `${key}${bound.length}:${bound}${body}`, "base64url").slice(0, tagLength);
}
