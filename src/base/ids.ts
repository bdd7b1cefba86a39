/** Identifiers: UUIDv7 (RFC 9562, section 5.7), strictly increasing within a process. */
import { randomFillSync } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Makes an identifier; each is greater than the last one from the same maker. */
export type IdMaker = () => string;

const poolBytes = 4096;
const idRandomBytes = 8;

/**
 * A maker of UUIDv7 as 36 lower-case characters. `rand_a` is a 12-bit counter within the millisecond
 * (RFC 9562, section 6.2, method 1); when it overflows, the timestamp runs ahead by one.
 */
export function createIdMaker(clock: Clock): IdMaker {
  const pool = Buffer.alloc(poolBytes);
  let used = poolBytes;
  let lastMs = 0;
  let counter = 0;
  return () => {
    const nowMs = clock();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    if (used + idRandomBytes > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    const random = pool.toString("hex", used, used + idRandomBytes);
    used += idRandomBytes;
    const time = lastMs.toString(16).padStart(12, "0");
    const variant = (8 + (Number.parseInt(random[0] as string, 16) & 3)).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
  };
}

/** A maker of ids that count up from one, for tests: `00000000-0000-7000-8000-000000000001`. */
export function createCountingIds(): IdMaker {
  let last = 0;
  return () => `00000000-0000-7000-8000-${(++last).toString(16).padStart(12, "0")}`;
}
