/** `holdfast start --workers`: brings the schema up to date, then serves by workers that share the port and the database. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { urlOf } from "../../app/address.ts";
import type { App } from "../../app/app.ts";
import type { AppOptions, Settings } from "../../app/options.ts";
import { isShared, openWriter, type WriterEvent } from "../../app/wire.ts";
import type { Registry } from "../../engine/typed.ts";
import { traitsOf } from "../dev/traits.ts";
import { failCli } from "../errors.ts";
import { announce } from "../say/announce.ts";
import { logLines } from "../say/log-lines.ts";
import { exitCodes, type Terminal } from "../terminal.ts";
import { type PoolEvent, WorkerPool } from "./pool.ts";
import { waitForSignal } from "./signals.ts";
import { isAgreed, tell } from "./told.ts";
import type { OpenApp } from "./worker.ts";

export interface Leading {
  readonly terminal: Terminal;
  readonly open: OpenApp;
  readonly options: AppOptions;
  readonly settings: Settings;
  readonly count: number;
  readonly brief: boolean;
}

/** What a worker may take beyond the time that its requests in flight have. */
const stopGraceMs = 1_500;

/** @throws database_unshared, port_taken, worker_failed, worker_dying */
export async function servePrimary(leading: Leading): Promise<number> {
  const { terminal, open, settings, count } = leading;
  const { database, host } = settings;
  if (!isShared(database)) throw failCli("database_unshared", { fields: { database, count } });
  const log = logLines(terminal);
  const app = await open({ log });
  // It has migrated, and mints; it never serves.
  await app.stop();
  if (!isAgreed(app, terminal)) return exitCodes.asked;
  const port = await takePort(settings.port, host);
  const onEvent = (event: PoolEvent | WriterEvent) => log(lineOf(event, terminal.clock()));
  const writer = await openWriter(database, settings.databaseLimits, onEvent);
  try {
    await writer?.ready;
    const pool = new WorkerPool({
      count,
      // Said last, this port is the one that counts: 0 would be another one for each worker that comes after all have died.
      args: [...process.argv.slice(2), "--port", String(port), ...(writer === null ? [] : ["--writer", writer.address])],
      stopTimeoutMs: settings.http.stopTimeoutMs + stopGraceMs,
      onEvent,
    });
    return await lead(pool, { ...leading, app, url: urlOf(host, port) });
  } finally {
    await writer?.stop();
  }
}

async function lead(
  pool: WorkerPool,
  { terminal, app, options, url, brief, count }: Leading & { readonly app: App<Registry>; readonly url: string },
): Promise<number> {
  const stopped = waitForSignal(terminal, () => pool.kill());
  const ended = Promise.race([stopped.signal, pool.failed]);
  try {
    await Promise.race([pool.ready.then(() => announce({ terminal, app, options, url, brief, workers: count })), ended]);
    tell({ traits: traitsOf(app.engine) });
    await ended;
    return exitCodes.done;
  } finally {
    await pool.stop();
    stopped.forget();
  }
}

/** The port that all workers will listen at: a free one for 0. @throws port_taken */
async function takePort(asked: number, host: string): Promise<number> {
  const server = createServer();
  try {
    server.listen(asked, host);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw failCli("port_taken", { fields: { port: asked }, cause: error });
  } finally {
    server.close();
  }
}

function lineOf({ level, event, pid, detail, ...place }: PoolEvent | WriterEvent, timeMs: number): string {
  return `${JSON.stringify({ time: timeMs, level, msg: event, pid, detail, ...place })}\n`;
}
