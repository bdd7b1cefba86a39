/** Cursors: the sort values of a row, signed together with the query and actor they are good for. Opaque to callers. */
import { hash } from "node:crypto";
import type { Value } from "../schema/value.ts";
import { fail } from "./errors.ts";

/** The key's bytes as hexadecimal digits. */
export type CursorKey = string;

/** What cursors are good for, behind the key: what is signed of each of them before its own values. */
export type Seal = string;

// 132 bits of the hash, as base64url.
const tagLength = 22;
// Neither a URL nor JSON escapes it, and base64url lacks it.
const turnedMark = "~";
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
  const text = Buffer.from(body).toString("base64url");
  return sign(seal, text) + text;
}

/**
 * The same place from its other side: what comes after a row ends where the row and what comes before it begin. It needs no signature of
 * its own, as whoever holds the cursor may ask for either side of the row.
 */
export function turnCursor(cursor: string): string {
  return isTurned(cursor) ? cursor.slice(0, -turnedMark.length) : cursor + turnedMark;
}

/** Whether the cursor's row stands on the side that is asked for. */
export function isTurned(cursor: unknown): boolean {
  return typeof cursor === "string" && cursor.endsWith(turnedMark);
}

/** Reads a cursor. @throws invalid_cursor where it was not made under this seal. */
export function decodeCursor(seal: Seal, cursor: unknown): readonly Value[] {
  if (typeof cursor !== "string" || cursor.length <= tagLength || cursor.length > cursorLengthMax) throw fail("invalid_cursor");
  const text = isTurned(cursor) ? cursor.slice(tagLength, -turnedMark.length) : cursor.slice(tagLength);
  if (!beginsWith(cursor, sign(seal, text))) throw fail("invalid_cursor");
  const values = JSON.parse(Buffer.from(text, "base64url").toString()) as readonly (Value | { readonly n: string })[];
  return values.map((value) => (typeof value === "object" && value !== null && "n" in value ? BigInt(value.n) : value) as Value);
}

// Takes as long wherever they differ, so that nobody finds a tag by trying one character after the other.
function beginsWith(cursor: string, tag: string): boolean {
  let difference = 0;
  for (let index = 0; index < tagLength; index++) difference |= cursor.charCodeAt(index) ^ tag.charCodeAt(index);
  return difference === 0;
}

// A key before the message authenticates without HMAC's second pass where the tag hides so much of the hash's state that nobody can go
// on with it: 124 of SHA-256's bits (chop-MD; Coron et al., "Merkle-Damgård Revisited", 2005).
function sign(seal: Seal, text: string): string {
  return hash("sha256", seal + text, "base64url").slice(0, tagLength);
}
