/** A primary with a real streaming replica, and apps that read from both. */
import { type AppOptions, createApp } from "holdfast";
import type { Database, ReplicaState } from "../../src/drivers/database.ts";
import { faultBackend } from "../faults/backend.ts";
import { startPostgres } from "../servers/postgres.ts";
import { startReplica } from "../servers/replica.ts";
import { waitUntil } from "../servers/wait.ts";

const secret = "the same for all processes, 32 characters";

export interface Asked {
  readonly as?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Values of the rows, of a list. */
  readonly values: readonly number[];
  readonly position: string | null;
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>;
export type Node = Awaited<ReturnType<Cluster["openNode"]>>;

export async function startCluster() {
  const primary = await startPostgres();
  const replica = await startReplica(primary);
  const closing: (() => Promise<unknown>)[] = [];

  /** A process of the app, as far as it matters here. */
  async function openNode(options: Partial<AppOptions> = {}) {
    const held: { database: Database | null } = { database: null };
    const logged: string[] = [];
    const app = await createApp(faultBackend, {
      database: primary.url,
      replicas: [replica.url],
      secret,
      log: (text) => void logged.push(text),
      wrapDatabase: (database) => (held.database = database),
      ...options,
      databaseLimits: { replicaPollMs: 20, replicaLagMaxMs: 3_600_000, ...options.databaseLimits },
    });
    closing.push(() => app.stop());
    const tokens = new Map<string, string>();

    async function ask(method: string, path: string, { as = null, body, headers = {} }: Asked = {}): Promise<Reply> {
      const given: Record<string, string> = { ...headers };
      if (as !== null) {
        if (!tokens.has(as)) tokens.set(as, await app.mint({ sub: as }));
        given["authorization"] = `Bearer ${tokens.get(as)}`;
      }
      if (body !== undefined) given["content-type"] = "application/json";
      const init = { method, headers: given, body: body === undefined ? null : JSON.stringify(body) };
      const response = await app.fetch(new Request(`http://app${path}`, init));
      const text = await response.text();
      const { data } = (text.startsWith("{") ? JSON.parse(text) : {}) as { data?: { value: number }[] };
      const values = Array.isArray(data) ? data.map(({ value }) => value) : [];
      return { status: response.status, body: text, values, position: response.headers.get("holdfast-position") };
    }

    const follower = (): ReplicaState => held.database?.replicas?.()[0] as ReplicaState;
    return {
      app,
      ask,
      logged,
      follower,
      list: (tag: string, asked: Asked = {}) => ask("GET", `/api/entries?filter[tag]=${tag}`, asked),
      write: (tag: string, value: number, asked: Asked = {}) => ask("POST", "/api/entries", { ...asked, body: { tag, value } }),
      /** Runs, and says how many reads the replica has answered of it. */
      async countReads<T>(run: () => Promise<T>): Promise<{ result: T; reads: number }> {
        const before = follower().reads;
        const result = await run();
        return { result, reads: follower().reads - before };
      },
      becomes: (state: ReplicaState["state"]) =>
        waitUntil(() => follower().state === state, `the replica does not become ${state}, and is ${follower().state}`),
    };
  }

  async function stop(): Promise<void> {
    for (const close of closing) await close();
    await replica.stop();
    await primary.stop();
  }
  return { primary, replica, openNode, stop };
}
