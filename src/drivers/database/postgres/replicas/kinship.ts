/** Whether a server is what a replica has to be: a standby of the primary's own cluster, and not just anything at that address. */
import type { Client } from "pg";
import { AppError, reasonOf } from "../../../../base/errors.ts";
import type { Admit, Connections } from "../connections.ts";
import { fly, words } from "../flight.ts";

/** Why nothing that this server says may be used. */
export class Foreign extends Error {
  override readonly name = "Foreign";
}

/** The error, or what it was caused by, where that is so. */
export function foreignOf(error: unknown): Foreign | null {
  if (error instanceof Foreign) return error;
  return error instanceof AppError && error.cause instanceof Foreign ? error.cause : null;
}

/** Every cluster is given a number when it is made, which its standbys share and a restored dump does not. */
const clusterQuery = words("select system_identifier::text from pg_control_system()");
const standbyQuery = words("select pg_is_in_recovery()");

/** Fails with `Foreign`. */
export function createAdmission(primary: Connections, silenceMs: number): Admit {
  let known: string | null = null;

  async function askPrimary(): Promise<string> {
    return (known = await primary.use("read", (client) => clusterOf(client, primary, silenceMs)));
  }

  return async (client) => {
    const { landed, failure } = await fly(client, [standbyQuery], { ...primary, silenceMs });
    if (failure !== null) throw failure.error;
    if (landed[0]?.rows[0]?.[0] !== 1) throw new Foreign("it is no standby: it follows no other server");
    const cluster = await clusterOf(client, primary, silenceMs);
    if (cluster === known) return;
    // Another primary may have taken the place of the one that was asked.
    if (cluster !== (await askPrimary())) throw new Foreign("it is a standby of another cluster than the database's");
  };
}

async function clusterOf(client: Client, primary: Connections, silenceMs: number): Promise<string> {
  const { landed, failure } = await fly(client, [clusterQuery], { ...primary, silenceMs });
  if (failure === null) return String(landed[0]?.rows[0]?.[0]);
  if (failure.error.code !== "42501") throw failure.error;
  throw new Foreign(`nobody can prove whose standby it is: grant execute on pg_control_system() (${reasonOf(failure.error)})`);
}
