/** Time as a value that is handed in, so that no test waits for it. */

/** Milliseconds since the Unix epoch, UTC. */
export type Clock = () => number;

/** Writes instants as ISO 8601; the last one is remembered, as many requests share a millisecond. */
export function createInstants(): (ms: number) => string {
  let lastMs = Number.NaN;
  let text = "";
  return (ms) => {
    if (ms !== lastMs) {
      lastMs = ms;
      text = new Date(ms).toISOString();
    }
    return text;
  };
}

/** A clock that stands still until told to move. Times are in milliseconds. */
export interface SteppedClock {
  (): number;
  advance(ms: number): void;
}

/** A stepped clock for tests. @default startMs 2026-01-01T00:00:00.000Z */
export function createSteppedClock(startMs = 1_767_225_600_000): SteppedClock {
  let nowMs = startMs;
  return Object.assign(() => nowMs, {
    advance(ms: number) {
      nowMs += ms;
    },
  });
}
