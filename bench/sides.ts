/** What the benches on a database server share: ours beside the hand-written one, on one server. */
import type { Server as DatabaseServer } from "../test/servers/server.ts";
import { type Server, startOurs } from "./processes.ts";

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
