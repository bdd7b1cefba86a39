/**
 * Streaming replicas: each answers reads that need nothing newer than it has; whatever else comes, the primary answers. What a
 * replica has is known from asking it now and then, and proved anew in the packet of every read.
 */
import type { Database, Position, ReadOptions, Row, Statement } from "../../../database.ts";
import type { Connections, PgModule } from "../connections.ts";
import { fly } from "../flight.ts";
import type { PostgresSettings } from "../options.ts";
import { createAdmission } from "./kinship.ts";
import { positionAt, reachedQuery } from "./position.ts";
import { Replica } from "./replica.ts";

export interface Replicas {
  /** Null where no replica may answer, or the one that was asked could not: then the primary does. */
  read(statement: Statement, options: ReadOptions): Promise<readonly Row[] | null>;
  /** From now on nobody reads what was before the primary's position of now. */
  raise(): Promise<void>;
  readonly following: Required<Pick<Database, "replicas" | "position">>;
  close(): void;
  destroy(): void;
}

/** Greater than every position. */
const neverReached = "~";

/** Asks each how far it has come before it resolves, so that reads may begin with them. */
export async function createReplicas(pg: PgModule, primary: Connections, settings: PostgresSettings): Promise<Replicas> {
  const admit = createAdmission(primary, settings.silenceTimeoutMs);
  const replicas = settings.replicas.map((url) => new Replica(pg, { ...settings, url }, admit));
  const timers = new Map<Replica, NodeJS.Timeout>();
  const now = { floor: neverReached, turn: 0, closed: false };
  const position = () => askPrimary(primary);

  async function follow(replica: Replica): Promise<void> {
    await replica.look(await position().catch(() => null));
    if (now.floor === neverReached) await raise();
    if (!now.closed) timers.set(replica, setTimeout(() => void follow(replica), settings.replicaPollMs).unref());
  }

  /** Those that may answer take turns. */
  function pick(since: Position): Replica | null {
    for (let tries = 0; tries < replicas.length; tries++) {
      const replica = replicas[now.turn++ % replicas.length] as Replica;
      if (replica.has(since)) return replica;
    }
    return null;
  }

  async function raise(): Promise<void> {
    // Until it is known, no replica has it.
    now.floor = neverReached;
    now.floor = await position().catch(() => neverReached);
  }

  function end(act: (replica: Replica) => void): void {
    now.closed = true;
    for (const timer of timers.values()) clearTimeout(timer);
    replicas.forEach(act);
  }

  await raise();
  await Promise.all(replicas.map(follow));
  return {
    async read(statement, options) {
      const since = options.since ?? "";
      const replica = pick(since > now.floor ? since : now.floor);
      return replica === null ? null : replica.read(statement, options);
    },
    raise,
    following: { position, replicas: () => replicas.map(({ state }) => state) },
    close: () => end((replica) => replica.close()),
    destroy: () => end((replica) => replica.destroy()),
  };
}

async function askPrimary(primary: Connections): Promise<Position> {
  return primary.use("read", async (client) => {
    const { landed, failure } = await fly(client, [reachedQuery], primary);
    if (failure !== null) throw failure.error;
    return positionAt(landed, 0) ?? neverReached;
  });
}
