/** What the benches on a database server share: its cases by the product's name, and ours beside the hand-written one on one server. */
import type { Server as DatabaseServer } from "../test/servers/server.ts";
import { filmPaths, type LoadCase, notesTo, streamTo } from "./cases.ts";
import { type Server, startOurs } from "./processes.ts";
import { idOf } from "./seed.ts";

const connections = 32;
type Named = Pick<LoadCase, "case" | "title">;

/** One row by its key. */
export function getCase(named: Named): LoadCase {
  return {
    ...named,
    connections,
    ratio: "share",
    bar: 1.3,
    ours: (servers) => streamTo(servers.ours, filmPaths(servers)),
    baseline: (servers) => streamTo(servers.baseline, filmPaths(servers)),
    call: { op: "get", model: "films", id: idOf(0) },
  };
}

/** Rows that are made, each for sure. */
export function createCase(named: Named): LoadCase {
  return {
    ...named,
    connections,
    ratio: "share",
    bar: 0.9,
    ours: ({ ours }) => notesTo(ours),
    baseline: ({ baseline }) => notesTo(baseline),
    call: null,
  };
}

export interface Sides {
  readonly ours: Server;
  readonly baseline: Server;
  /** Ends both, and the server that they are on. */
  stop(): Promise<void>;
}

export interface Siding {
  readonly server: DatabaseServer;
  readonly bundle: string;
  /** Where our log goes. */
  readonly log: string;
  /** The URL of our database. */
  readonly url: string;
  readonly startBaseline: () => Promise<Server>;
}

export async function startBoth({ server, bundle, log, url, startBaseline }: Siding): Promise<Sides> {
  const ours = await startOurs(bundle, url, log);
  const baseline = await startBaseline();
  return {
    ours,
    baseline,
    async stop() {
      await ours.stop();
      await baseline.stop();
      await server.stop();
    },
  };
}
