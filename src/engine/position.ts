/**
 * Who must see what: how far an actor's own writes reach, so that no replica answers them with less. Remembered by this process, and
 * handed to the caller as a token that any process takes. Decides for every read whether a replica may answer it.
 */
import type { Database, Position } from "../drivers/database.ts";
import type { Actor } from "./actor.ts";
import type { Origin } from "./call.ts";
import { createSeal, type CursorKey, decodeCursor, encodeCursor, type Seal } from "./cursor.ts";

/**
 * Which reads without a token a replica may answer. `token`: those of strangers, since a signed-in caller may have written by way of
 * another process. `process`: those of signed-in callers too, since all that they write goes through this process.
 */
export type ReplicaReads = "token" | "process";

export interface Positions {
  /** What a replica must have to answer this read; null: anything; undefined: the primary alone may answer. */
  needOf(origin: Origin): Position | null | undefined;
  /** Takes down what a write has reached, null where that is unknown, and gives the caller's token. */
  note(actor: Actor, reached: Position | null): Promise<string | null>;
  /** Whether there are replicas at all. */
  readonly isOn: boolean;
}

/** Actors whose last write is remembered; the writes of those who are forgotten are then asked of replicas for everybody. */
const actorsMax = 10_000;
/** Longest token that is looked at. */
const tokenLengthMax = 128;

export function createPositions(database: Database, key: CursorKey, mode: ReplicaReads): Positions {
  if (database.position === undefined) return { isOn: false, needOf: () => undefined, note: async () => null };
  const ask = () => database.position?.() ?? Promise.reject(new Error("a database has lost its replicas"));
  return createKnown(ask, createSeal(key, "position"), mode);
}

function createKnown(ask: () => Promise<Position>, seal: Seal, mode: ReplicaReads): Positions {
  const known = new Map<string, Position>();
  // Writes that have reached nobody knows where: until the primary has been asked afterwards, it alone answers.
  const lost = { count: 0, found: 0 };
  let floor: Position | null = null;

  /** Null where the primary does not say. */
  async function find(): Promise<Position | null> {
    const { count } = lost;
    const position = await ask().catch(() => null);
    if (position === null) return null;
    floor = later(floor, position);
    lost.found = Math.max(lost.found, count);
    return position;
  }

  function remember(who: string, reached: Position): void {
    known.delete(who);
    known.set(who, reached);
    const [oldest] = known;
    if (known.size <= actorsMax || oldest === undefined) return;
    known.delete(oldest[0]);
    floor = later(floor, oldest[1]);
  }

  function readToken(token: string): Position | undefined {
    if (token.length > tokenLengthMax) return undefined;
    try {
      return String(decodeCursor(seal, token)[0]);
    } catch {
      // One of another time or secret says nothing, and whoever says nothing is answered by the primary.
      return undefined;
    }
  }

  return {
    isOn: true,
    needOf({ actor, since }) {
      const who = nameOf(actor);
      if (since === undefined || actor.kind === "system") return undefined;
      if (lost.count > lost.found) {
        void find();
        return undefined;
      }
      const remembered = later(known.get(who) ?? null, floor);
      if (since === null) return mode === "process" || actor.kind === "anonymous" ? remembered : undefined;
      const given = readToken(since);
      return given === undefined ? undefined : later(given, remembered);
    },
    async note(actor, reached) {
      const who = nameOf(actor);
      if (reached === null) lost.count++;
      const position = reached ?? (await find());
      if (position === null) return null;
      remember(who, later(known.get(who) ?? null, position));
      return encodeCursor(seal, [position]);
    },
  };
}

function nameOf({ kind, id }: Actor): string {
  return `${kind}:${id ?? ""}`;
}

function later(one: Position | null, other: Position): Position;
function later(one: Position | null, other: Position | null): Position | null;
function later(one: Position | null, other: Position | null): Position | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}
