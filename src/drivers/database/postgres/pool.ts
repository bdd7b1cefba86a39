/** A bounded pool of connections: who waits does so for a limited time, and what is lost or given up is closed at once. */
import type { Client } from "pg";
import { failDatabase } from "../../database.ts";
import { streamOf } from "./stream.ts";

export interface Pool {
  /** @throws database_busy where none gets free in time or too many wait, database_closed, and what opening one fails with */
  acquire(): Promise<Client>;
  /** One that is not sound is closed at once, whatever it is doing. */
  release(client: Client, isSound: boolean): void;
  /** Closes those that nobody uses. */
  clear(): void;
  /** Closes those that nobody uses now, and the others when they are given back. */
  end(): void;
  /** Closes all at once, and refuses those who wait. */
  destroy(): void;
}

export interface PoolSpec {
  readonly open: () => Promise<Client>;
  readonly max: number;
  readonly waitersMax: number;
  /** How long somebody waits for a free one. */
  readonly waitMs: number;
  /** Hears of one that ended while nobody used it. */
  readonly onIdleLoss: (error: Error) => void;
}

interface Waiter {
  readonly resolve: (client: Client) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** One that nobody has used for so long is closed. */
const idleMs = 30_000;

export function createPool(spec: PoolSpec): Pool {
  const all = new Set<Client>();
  const idle = new Map<Client, NodeJS.Timeout>();
  const waiters = new Set<Waiter>();
  // Those that are being opened count, though there is no client yet.
  const state = { opening: 0, ended: false };

  function drop(client: Client): void {
    all.delete(client);
    clearTimeout(idle.get(client));
    idle.delete(client);
    streamOf(client).destroy();
    serveNext();
  }

  async function open(): Promise<Client> {
    state.opening++;
    try {
      const client = await spec.open();
      all.add(client);
      // Without a listener the loss of a connection would be the end of the process.
      client.on("error", (error) => {
        const wasIdle = idle.has(client);
        drop(client);
        if (wasIdle && !state.ended) spec.onIdleLoss(error);
      });
      return client;
    } finally {
      state.opening--;
    }
  }

  /** Opens connections for those who wait, as far as there is room. */
  function serveNext(): void {
    if (waiters.size <= state.opening || all.size + state.opening >= spec.max) return;
    open().then(hand, (error: unknown) => {
      const [first] = waiters;
      if (first) settle(first).reject(error);
      serveNext();
    });
  }

  /** Gives a connection to who waits longest, or keeps it. */
  function hand(client: Client): void {
    const [first] = waiters;
    if (first) return settle(first).resolve(client);
    if (state.ended) return close(client);
    idle.set(client, setTimeout(() => close(client), idleMs).unref());
  }

  function settle(waiter: Waiter): Waiter {
    clearTimeout(waiter.timer);
    waiters.delete(waiter);
    return waiter;
  }

  /** Says goodbye; a server that does not hear it is not waited for. */
  function close(client: Client): void {
    all.delete(client);
    clearTimeout(idle.get(client));
    idle.delete(client);
    const giveUp = setTimeout(() => streamOf(client).destroy(), goodbyeMs).unref();
    client.once("end", () => clearTimeout(giveUp));
    // Nothing but the goodbye is left to be done on it.
    streamOf(client).unref();
    void client.end();
  }

  function wait(): Promise<Client> {
    if (waiters.size >= spec.waitersMax) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(waiter).reject(busy()), spec.waitMs);
      const waiter: Waiter = { resolve, reject, timer };
      waiters.add(waiter);
      serveNext();
    });
  }

  return {
    async acquire() {
      if (state.ended) throw failDatabase("database_closed");
      const last = [...idle.keys()].at(-1);
      if (last === undefined) return wait();
      clearTimeout(idle.get(last));
      idle.delete(last);
      return last;
    },
    release(client, isSound) {
      // It may be gone already.
      if (!all.has(client)) return;
      if (isSound && streamOf(client).writable) hand(client);
      else drop(client);
    },
    clear() {
      for (const client of idle.keys()) drop(client);
    },
    end() {
      state.ended = true;
      for (const client of idle.keys()) close(client);
    },
    destroy() {
      state.ended = true;
      for (const waiter of waiters) settle(waiter).reject(failDatabase("database_closed"));
      for (const client of all) drop(client);
    },
  };
}

const goodbyeMs = 500;

function busy(): Error {
  return failDatabase("database_busy", { headers: { "retry-after": "1" } });
}
