/** Cursors: the sort values of a row, signed together with the query and actor they are good for. Opaque to callers. */
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Value } from "../schema/value.ts";
import { fail } from "./errors.ts";

// 128 bits of the HMAC.
const tagBytes = 16;
/** Longest cursor that is looked at, in characters. */
export const cursorLengthMax = 4096;

/** Writes the cursor of a row. `bound` names the query and the actor. */
export function encodeCursor(key: KeyObject, bound: string, values: readonly Value[]): string {
  const body = Buffer.from(JSON.stringify(values.map((value) => (typeof value === "bigint" ? { n: value.toString() } : value))));
  return Buffer.concat([sign(key, bound, body), body]).toString("base64url");
}

/** Reads a cursor. @throws invalid_cursor where it was not made for this query and actor. */
export function decodeCursor(key: KeyObject, bound: string, cursor: unknown): readonly Value[] {
  if (typeof cursor !== "string" || cursor.length > cursorLengthMax || !/^[\w-]+$/.test(cursor)) throw fail("invalid_cursor");
  const bytes = Buffer.from(cursor, "base64url");
  const body = bytes.subarray(tagBytes);
  const tag = bytes.subarray(0, tagBytes);
  if (tag.length !== tagBytes || !timingSafeEqual(tag, sign(key, bound, body))) throw fail("invalid_cursor");
  const values = JSON.parse(body.toString()) as readonly (Value | { readonly n: string })[];
  return values.map((value) => (typeof value === "object" && value !== null && "n" in value ? BigInt(value.n) : value) as Value);
}

// A key as bytes would be imported anew each time, which costs five times what the HMAC does.
function sign(key: KeyObject, bound: string, body: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`${bound.length}:${bound}`).update(body).digest().subarray(0, tagBytes);
}
