/** Times the stages of a pipeline, for Server-Timing. */
import type { Timings } from "../engine.ts";

export interface Stages {
  /** Ends a stage: what passed since the last end is its time. */
  end(stage: keyof Timings): void;
  readonly taken: Timings;
}

export function startStages(): Stages {
  const taken = { plan: 0, guard: 0, compile: 0, run: 0, shape: 0 };
  // A monotonic measure of durations, not a clock: it tells no time of day.
  let last = performance.now();
  return {
    taken,
    end(stage) {
      const at = performance.now();
      taken[stage] += at - last;
      last = at;
    },
  };
}
