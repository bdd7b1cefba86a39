/** How many processes serve: what the flag or the environment says, as a number. */
import { failCli } from "../errors.ts";

export interface WorkersOptions {
  /** Processes that share the port and the database; `"auto"` is one for each core. @default 1 */
  readonly workers?: number | "auto";
}

export const workersMax = 256;

/** @throws usage for what is neither a number within the bound nor `auto` */
export function countWorkers(asked: string | null, cores: number): number {
  if (asked === null) return 1;
  if (asked === "auto") return Math.min(Math.max(cores, 1), workersMax);
  const count = Number(asked);
  if (/^\d{1,4}$/.test(asked) && count >= 1 && count <= workersMax) return count;
  const fault = `--workers (or HOLDFAST_WORKERS) takes a whole number from 1 to ${workersMax}, or auto for one for each core, not ${JSON.stringify(asked)}.`;
  throw failCli("usage", { fields: { fault } });
}
