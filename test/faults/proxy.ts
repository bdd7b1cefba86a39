/** A TCP proxy before a PostgreSQL server that loses connections at chosen moments, in the ways in which networks do. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** `reset`: both sides hear of it. `close`: an orderly end. `silence`: nobody hears anything any more, and nothing is closed. */
export type Way = "reset" | "close" | "silence";

/**
 * `before`: the message does not reach the server. `after`: it does, the server does what it says, and its answer is lost.
 */
export interface Fault {
  /** The first message of a client that holds this text is meant. */
  readonly on: string;
  /** What the server's answer to it holds. */
  readonly answer: string;
  readonly when: "before" | "after";
  readonly way: Way;
}

export interface Proxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  /** Plants a fault for the next message that fits; resolves when it has struck. */
  readonly plant: (fault: Fault) => Promise<void>;
  /** From now on nothing passes, on old connections and on new ones, and nothing is closed. */
  readonly silence: () => void;
  /** Resets every connection, and those that come. */
  readonly refuse: () => void;
  /** Holds back what servers answer. */
  readonly delay: (ms: number) => void;
  /** Lets new connections through again. */
  readonly heal: () => void;
  /** Connections that were opened until now. */
  readonly opened: () => number;
  /** Connections that are open now. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

const strikeMsMax = 20_000;

interface Planted extends Fault {
  readonly struck: () => void;
}

interface State {
  mode: "open" | "silent" | "refusing";
  delayMs: number;
  planted: Planted | null;
  readonly pairs: Set<Pair>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSilent: boolean;
  /** Strikes once the server has given its answer; until then nothing it says is passed on. */
  afterAnswer: Planted | null;
  held: Buffer;
}

export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const state: State = { mode: "open", delayMs: 0, planted: null, pairs: new Set() };
  let opened = 0;
  const listener = createServer((client) => {
    opened++;
    if (state.mode === "refusing") return void client.resetAndDestroy();
    const server = connect(Number(port), hostname);
    join({ client, server, isSilent: state.mode === "silent", afterAnswer: null, held: Buffer.alloc(0) }, state);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as AddressInfo).port);
  const each = (act: (pair: Pair) => void) => state.pairs.forEach(act);
  return {
    url: url.href,
    plant: (fault) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing ever held ${JSON.stringify(fault.on)}`)), strikeMsMax);
        const struck = () => {
          clearTimeout(timer);
          resolve();
        };
        state.planted = { ...fault, struck };
      }),
    silence() {
      state.mode = "silent";
      each((pair) => void (pair.isSilent = true));
    },
    refuse() {
      state.mode = "refusing";
      each((pair) => lose(pair, "reset"));
    },
    delay: (ms) => void (state.delayMs = ms),
    heal: () => void (state.mode = "open"),
    opened: () => opened,
    count: () => state.pairs.size,
    async close() {
      each((pair) => lose(pair, "reset"));
      listener.close();
      await once(listener, "close");
    },
  };
}

function join(pair: Pair, state: State): void {
  const { client, server } = pair;
  state.pairs.add(pair);
  client.on("data", (bytes) => {
    if (pair.isSilent) return;
    const at = placeOf(bytes, state.planted);
    if (at < 0) return void server.write(bytes);
    strike(pair, { bytes, at }, state);
  });
  server.on("data", (bytes) => {
    if (pair.isSilent) return;
    if (pair.afterAnswer !== null) {
      pair.held = Buffer.concat([pair.held, bytes]);
      if (pair.held.includes(pair.afterAnswer.answer)) finish(pair, pair.afterAnswer);
      return;
    }
    if (state.delayMs === 0) client.write(bytes);
    else setTimeout(() => client.write(bytes), state.delayMs);
  });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => {
      // A silent network does not say that the other side is gone.
      if (!(pair.isSilent && one === server)) other.destroy();
      if (client.destroyed) state.pairs.delete(pair);
    });
  }
}

/** Where in what the client sends the message begins that is meant, or -1. */
function placeOf(bytes: Buffer, planted: Planted | null): number {
  if (planted === null) return -1;
  const found = bytes.indexOf(planted.on);
  // A simple query is Q, four bytes of length, and its text; of other messages what comes before the text is of no use.
  return found < 0 ? -1 : Math.max(0, found - 5);
}

function strike(pair: Pair, { bytes, at }: { readonly bytes: Buffer; readonly at: number }, state: State): void {
  const planted = state.planted as Planted;
  state.planted = null;
  if (planted.when === "before") {
    pair.server.write(bytes.subarray(0, at));
    return finish(pair, planted);
  }
  pair.afterAnswer = planted;
  pair.server.write(bytes);
}

function finish(pair: Pair, { way, struck }: Planted): void {
  lose(pair, way);
  struck();
}

function lose(pair: Pair, way: Way): void {
  if (way === "silence") pair.isSilent = true;
  else if (way === "close") pair.client.end();
  else pair.client.resetAndDestroy();
  if (way !== "silence") pair.server.destroy();
}
