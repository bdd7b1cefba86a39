/** Cursors: the sort values of a row, signed together with the query and actor they are good for. Opaque to callers. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Value } from "../schema/value.ts";
import { fail } from "./errors.ts";

/** The key's bytes as hexadecimal digits. */
export type CursorKey = string;

/** What cursors are good for, behind the key: what is signed of each of them before its own values. */
export type Seal = string;

// 132 bits of the hash, as base64url.
const tagLength = 22;
/** Longest cursor that is looked at, in characters. */
export const cursorLengthMax = 4096;

export function createCursorKey(bytes: Uint8Array): CursorKey {
  return Buffer.from(bytes).toString("hex");
}

/** Seals cursors for a query and an actor, which `bound` names. Its length keeps it apart from what follows. */
export function createSeal(key: CursorKey, bound: string): Seal {
  return `${key}${bound.length}:${bound}`;
}

/** A text in few characters, for what a seal names: what is signed of every cursor shall be short. */
export function digest(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Writes the cursor of a row. */
export function encodeCursor(seal: Seal, values: readonly Value[]): string {
  const body = JSON.stringify(values.map((value) => (typeof value === "bigint" ? { n: value.toString() } : value)));
  return sign(seal, body) + Buffer.from(body).toString("base64url");
}

/** Reads a cursor. @throws invalid_cursor where it was not made under this seal. */
export function decodeCursor(seal: Seal, cursor: unknown): readonly Value[] {
  if (typeof cursor !== "string" || cursor.length <= tagLength || cursor.length > cursorLengthMax) throw fail("invalid_cursor");
  if (!/^[\w-]+$/.test(cursor)) throw fail("invalid_cursor");
  const body = Buffer.from(cursor.slice(tagLength), "base64url").toString();
  const given = Buffer.from(cursor.slice(0, tagLength), "latin1");
  if (!timingSafeEqual(given, Buffer.from(sign(seal, body), "latin1"))) throw fail("invalid_cursor");
  const values = JSON.parse(body) as readonly (Value | { readonly n: string })[];
  return values.map((value) => (typeof value === "object" && value !== null && "n" in value ? BigInt(value.n) : value) as Value);
}

// A key before the message authenticates without HMAC's second pass where the tag hides so much of the hash's state that nobody can go
// on with it: 124 of SHA-256's bits (chop-MD; Coron et al., "Merkle-Damgård Revisited", 2005).
function sign(seal: Seal, body: string): string {
  return hash("sha256", seal + body, "base64url").slice(0, tagLength);
}
