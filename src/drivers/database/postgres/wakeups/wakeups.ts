/** Who waits for commits is told by NOTIFY: sent after commits, never in them, and heard on one connection of its own. */
import { setTimeout as pause } from "node:timers/promises";
import { createBell, type Wakeups } from "../../wakeups.ts";
import type { Connections } from "../connections.ts";
import { fly, words } from "../flight.ts";
import type { PostgresSettings } from "../options.ts";
import { channel, createEar } from "./ear.ts";

/** Between two notifications of one process: what is committed meanwhile shares the next one. */
const gapMs = 20;

/**
 * A NOTIFY within a transaction takes a lock of the whole server at its commit, so it goes out afterwards, on a connection for reads.
 * It is a hint: where it fails, or the process ends before it, whoever waits looks by itself in the end.
 */
export function createWakeups(connections: Connections, settings: PostgresSettings): Wakeups {
  const ear = createEar(connections, settings, () => bell.ring());
  const bell = createBell({ onFirst: () => ear.open(), onLast: () => ear.close() });
  const state = { isToldAll: true, closed: false, telling: null as Promise<void> | null };

  async function tell(): Promise<void> {
    // What is committed in the same turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (!state.isToldAll) {
      state.isToldAll = true;
      bell.ring();
      await connections
        .use("read", (client) => fly(client, [words(`notify ${channel}, '${ear.name()}'`)], connections))
        .catch(ignore);
      if (!state.closed) await pause(gapMs);
    }
    state.telling = null;
  }

  return {
    listen: (wake) => bell.add(wake),
    committed() {
      state.isToldAll = false;
      state.telling ??= tell();
    },
    async close() {
      state.closed = true;
      // A server that does not answer is not waited for: nobody would hear it.
      await Promise.race([state.telling, pause(settings.closeTimeoutMs, undefined, { ref: false })]);
      if (state.telling !== null) connections.destroy();
      ear.close();
      bell.ring();
    },
  };
}

// Who waits looks by itself in the end.
function ignore(): void {}
