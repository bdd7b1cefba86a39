/** Waits for the signals that end a server. */
import { exitCodes, type Terminal } from "../terminal.ts";

export interface StopSignal {
  /** Resolves at the first signal to stop, and when whoever started this process over a channel is gone. */
  readonly signal: Promise<void>;
  /** Leaves signals to their defaults again. */
  readonly forget: () => void;
}

/** The second signal does not wait for what is in flight; `atOnce` is what must be done even then. */
export function waitForSignal({ note }: Terminal, atOnce: () => void = () => undefined): StopSignal {
  const { promise, resolve } = Promise.withResolvers<void>();
  const counted = { signals: 0 };
  const onSignal = (name: NodeJS.Signals) => {
    counted.signals++;
    if (counted.signals > 1) {
      atOnce();
      process.exit(exitCodes.failed);
    }
    if (process.send === undefined) note(`${name}: finishing what is in flight; once more stops at once.`);
    resolve();
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, onSignal);
  // Nobody could stop this one any more.
  process.once("disconnect", resolve);
  const forget = () => {
    process.off("disconnect", resolve);
    for (const name of names) process.off(name, onSignal);
  };
  return { signal: promise, forget };
}
