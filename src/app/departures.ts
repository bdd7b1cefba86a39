/**
 * Lets the answers of one turn of the event loop leave together. Most of what writing to a socket costs is to wake who reads
 * it, often one proxy or one program for many sockets: it is woken once for all that it finds, and not for each of them.
 */

/** Puts the sending of an answer off to the end of the turn, or does it sooner. */
export type Depart = (send: () => void) => void;

/** Beyond it an answer waits for one more of its turn at most, however much the turn has taken in. */
const waitMsMax = 1;

/** `nowMs` measures durations and tells no time of day. */
export function createDepartures(nowMs: () => number): Depart {
  let waiting: (() => void)[] = [];
  let sinceMs = 0;
  let isWatched = false;

  function leave(): void {
    const leaving = waiting;
    waiting = [];
    for (const send of leaving) send();
  }

  return (send) => {
    const atMs = nowMs();
    if (waiting.push(send) === 1) sinceMs = atMs;
    else if (atMs - sinceMs >= waitMsMax) return leave();
    if (isWatched) return;
    isWatched = true;
    // The loop's check phase comes after everything that one poll has found, and before the next one.
    setImmediate(() => {
      isWatched = false;
      leave();
    });
  };
}
