/** Identifiers: UUIDv7 (RFC 9562, section 5.7), strictly increasing within a process. */
import { randomFillSync } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Makes an identifier; each is greater than the last one from the same maker. */
export type IdMaker = () => string;

// Random bytes are drawn and written as hexadecimal digits for many ids at once.
const poolBytes = 4096;
const poolDigits = poolBytes * 2;
const idDigits = 16;
const counterMax = 0xfff;
const counters: readonly string[] = Array.from({ length: counterMax + 1 }, (_, counter) => counter.toString(16).padStart(3, "0"));
const variants = ["8", "9", "a", "b"] as const;

/**
 * A maker of UUIDv7 as 36 lower-case characters. `rand_a` is a 12-bit counter within the millisecond
 * (RFC 9562, section 6.2, method 1); when it overflows, the timestamp runs ahead by one.
 */
export function createIdMaker(clock: Clock): IdMaker {
  const bytes = Buffer.alloc(poolBytes);
  let pool = "";
  let used = poolDigits;
  let lastMs = 0;
  let prefix = "";
  let counter = 0;
  return () => {
    const nowMs = clock();
    if (nowMs > lastMs || ++counter > counterMax) {
      lastMs = Math.max(nowMs, lastMs + 1);
      counter = 0;
      const time = lastMs.toString(16).padStart(12, "0");
      prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    }
    if (used === poolDigits) {
      pool = randomFillSync(bytes).toString("hex");
      used = 0;
    }
    const at = used;
    used += idDigits;
    const variant = variants[pool.charCodeAt(at) & 3] as string;
    return `${prefix}${counters[counter]}-${variant}${pool.slice(at + 1, at + 4)}-${pool.slice(at + 4, at + idDigits)}`;
  };
}

/** A maker of ids that count up from one, for tests: `00000000-0000-7000-8000-000000000001`. */
export function createCountingIds(): IdMaker {
  let last = 0;
  return () => `00000000-0000-7000-8000-${(++last).toString(16).padStart(12, "0")}`;
}
