/** Conditional requests (RFC 9110, section 13) over the row's version, and the key of an idempotent request. */
import { badHeader } from "../errors.ts";

/** What If-Match or If-None-Match names. */
export type Tags = "*" | readonly Tag[];

export interface Tag {
  readonly value: string;
  readonly weak: boolean;
}

/** The entity tag of a row of that version. */
export function toEtag(version: number): string {
  return `"${version}"`;
}

/** Reads a list of entity tags. @throws invalid_header */
export function readTags(header: string, value: string): Tags {
  if (value.trim() === "*") return "*";
  const tags: Tag[] = [];
  const form = /\s*(W\/)?"([\x21\x23-\x7e\x80-\uffff]*)"\s*(?:,|$)|\s*,/y;
  while (form.lastIndex < value.length) {
    const found = form.exec(value);
    if (found === null) throw badHeader(header, 'it is * or a list of tags such as "3"');
    if (found[2] !== undefined) tags.push({ value: found[2], weak: found[1] !== undefined });
  }
  if (tags.length === 0) throw badHeader(header, 'it is * or a list of tags such as "3"');
  return tags;
}

/** The versions that If-Match may mean: weak tags and those we never gave match nothing (strong comparison). */
export function versionsOf(tags: readonly Tag[]): readonly number[] {
  return tags.filter(({ value, weak }) => !weak && /^[1-9]\d{0,14}$/.test(value)).map(({ value }) => Number(value));
}

/** If-None-Match against a row's version, by weak comparison: true where the caller has it already. */
export function isKnown(tags: Tags, version: number): boolean {
  return tags === "*" || tags.some(({ value }) => value === String(version));
}

const keyForm = /^[\x21-\x7e]{1,255}$/;

/** The key of the request, or null. @throws invalid_header */
export function readKey(value: string | undefined): string | null {
  if (value === undefined) return null;
  if (!keyForm.test(value)) throw badHeader("Idempotency-Key", "it is 1 to 255 visible ASCII characters");
  return value;
}
