/** Request ids and W3C trace contexts, in and out. */

const safeId = /^[\w.-]{1,128}$/;

/** The caller's request id where it is harmless, otherwise a new one. */
export function requestIdOf(given: string | undefined, newId: () => string): string {
  return given !== undefined && safeId.test(given) ? given : newId();
}

export interface Trace {
  readonly traceId: string;
  /** What the answer says: the same trace, and our own span. */
  readonly traceparent: string;
}

const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})(-.*)?$/;

/** Reads `traceparent` (W3C Trace Context, section 3.2); null where there is none or it is not well-formed, as the standard asks. */
export function readTrace(given: string | undefined, newId: () => string): Trace | null {
  if (given === undefined) return null;
  const parts = form.exec(given);
  if (parts === null) return null;
  // The second half of a UUIDv7 is random but for its variant bits.
  const span = newId().replaceAll("-", "").slice(16);
  return { traceId: parts[1] as string, traceparent: `00-${parts[1]}-${span}-${parts[2]}` };
}
