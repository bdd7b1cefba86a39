/** The connection that hears notifications: opened anew for as long as it is wanted, and honest about what it may have missed. */
import type { Client } from "pg";
import type { Connections } from "../connections.ts";
import { fly, words } from "../flight.ts";
import type { PostgresSettings } from "../options.ts";
import { streamOf } from "../pool/stream.ts";

export const channel = "holdfast_changes";

const backoffMs = { min: 100, max: 5_000 } as const;

/** An idle connection that is cut off without a word would never know; asked, it does. */
const heartbeatMs = 30_000;

/** Calls `onHeard` for each notification of another process, and whenever it hears again. */
export function createEar(connections: Connections, settings: PostgresSettings, onHeard: () => void) {
  const state = { wanted: false, waitMs: backoffMs.min as number, client: null as Client | null };
  let timer: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;

  async function ask(client: Client, text: string): Promise<void> {
    const { failure } = await fly(client, [words(text)], { ...connections, silenceMs: settings.silenceTimeoutMs });
    if (failure !== null) throw failure.error;
  }

  async function connect(): Promise<void> {
    const client = await connections.openApart();
    if (!state.wanted || state.client !== null) return streamOf(client).destroy();
    state.client = client;
    client.on("notification", ({ payload }) => {
      if (payload === "" || payload !== nameOf(client)) onHeard();
    });
    client.once("end", () => lose(client));
    try {
      await ask(client, `listen ${channel}`);
    } catch (error) {
      state.client = null;
      streamOf(client).destroy();
      throw error;
    }
    state.waitMs = backoffMs.min;
    // One that fails ends the connection, and that is heard.
    heartbeat = setInterval(() => void ask(client, "select 1").catch(ignore), heartbeatMs).unref();
    // What was said while nobody listened is lost.
    onHeard();
  }

  function lose(client: Client): void {
    if (state.client !== client) return;
    state.client = null;
    clearInterval(heartbeat);
    tryLater();
  }

  function tryLater(): void {
    clearTimeout(timer);
    if (!state.wanted) return;
    timer = setTimeout(open, state.waitMs).unref();
    state.waitMs = Math.min(2 * state.waitMs, backoffMs.max);
  }

  function open(): void {
    state.wanted = true;
    if (state.client !== null) return;
    connect().catch(() => {
      if (state.client === null) tryLater();
    });
  }

  return {
    open,
    /** What notifications of this process bear, which needs none of its own; empty while it does not listen. */
    name: () => nameOf(state.client),
    close() {
      state.wanted = false;
      clearTimeout(timer);
      clearInterval(heartbeat);
      const { client } = state;
      state.client = null;
      if (client !== null) streamOf(client).destroy();
    },
  };
}

/** The number that the server knows it by. */
function nameOf(client: Client | null): string {
  const { processID } = (client ?? {}) as { readonly processID?: number | null };
  return processID ? String(processID) : "";
}

// The end of the connection is heard of.
function ignore(): void {}
