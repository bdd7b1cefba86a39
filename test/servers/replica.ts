/**
 * A streaming replica of a PostgreSQL test server, whose replay can be held back. It is copied while the primary runs, over the
 * backup functions: pg_basebackup is not in the npm package, and Debian's refuses a newer server.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { appendFile, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { run } from "../../scripts/run.ts";
import { findUser, giveTo, type User } from "./folders.ts";
import { launchPostgres, makePostgresFolder, type PostgresServer, queryOnce } from "./postgres.ts";
import { waitUntil } from "./wait.ts";

export interface PostgresReplica extends PostgresServer {
  /** Holds replay back: the replica answers queries, and stays in the past. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Ends it, keeps a copy of what it has, and starts it again. */
  readonly keep: () => Promise<void>;
  /** Kills it and starts it on the copy that was kept, where it stays: what was committed after that is not replayed. */
  readonly rewind: () => Promise<void>;
  /** Resolves when everything that the primary has committed until now can be read here. @throws while it is held back */
  readonly catchUp: () => Promise<void>;
}

/** What a backup leaves out: the running server's own, and what it makes anew. */
const leftOut = new Set(["postmaster.pid", "postmaster.opts", "pg_internal.init"]);
const emptied = new Set("pg_wal pg_replslot pg_dynshmem pg_notify pg_serial pg_snapshots pg_stat_tmp pg_subtrans".split(" "));

/** Starts a replica that follows the primary, through restarts and kills of either. */
export async function startReplica(primary: PostgresServer): Promise<PostgresReplica> {
  const { version, settings } = primary;
  const user = findUser("postgres", "nobody");
  const folder = makePostgresFolder(version, user);
  const slot = `replica_${randomBytes(4).toString("hex")}`;
  const { hostname, port, password } = new URL(primary.url);
  try {
    await copyData(primary, { to: join(folder, "data"), user, slot });
    const following = {
      primary_conninfo: `host=${hostname} port=${port} user=postgres password=${password}`,
      primary_slot_name: slot,
    };
    const server = await launchPostgres({ folder, version, user, password, settings: { ...settings, ...following } });
    return {
      ...server,
      settings,
      stop: () => server.stop().then(() => dropSlot(primary.url, slot)),
      pause: () => queryOnce(server.url, "select pg_wal_replay_pause()").then(() => waitForPause(server.url)),
      resume: () => queryOnce(server.url, "select pg_wal_replay_resume()").then(() => undefined),
      async keep() {
        // What is before a checkpoint of both is not replayed anew.
        await queryOnce(primary.url, "checkpoint");
        await catchUp(primary.url, server.url);
        await queryOnce(server.url, "checkpoint");
        await server.kill();
        await copyAll(join(folder, "data"), join(folder, "kept"));
        await server.restart();
      },
      async rewind() {
        await server.kill();
        rmSync(join(folder, "data"), { recursive: true });
        await copyAll(join(folder, "kept"), join(folder, "data"));
        await appendFile(join(folder, "data", "postgresql.auto.conf"), "recovery_min_apply_delay = '1h'\n");
        await server.restart();
      },
      catchUp: () => catchUp(primary.url, server.url),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    await dropSlot(primary.url, slot);
    throw error;
  }
}

/** With owners and rights, as a server insists on them. */
async function copyAll(from: string, to: string): Promise<void> {
  const { code, output } = await run("cp", ["-a", from, to], { quiet: true });
  if (code !== 0) throw new Error(output);
}

interface Copy {
  readonly to: string;
  readonly user: User | null;
  readonly slot: string;
}

/** Copies between the start and the end of a backup; the slot keeps what is written from before its start. */
async function copyData({ url, dataFolder }: PostgresServer, { to, user, slot }: Copy): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_create_physical_replication_slot($1, true)", [slot]);
    await client.query("select pg_backup_start($1, true)", [slot]);
    await copyFolder(dataFolder, to, user);
    const { rows } = await client.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    for (const [name, text] of Object.entries({ backup_label: rows[0]?.labelfile ?? "", "standby.signal": "" })) {
      await writeFile(join(to, name), text, { mode: 0o600 });
      giveTo(user, join(to, name));
    }
  } finally {
    await client.end();
  }
}

async function copyFolder(from: string, to: string, user: User | null): Promise<void> {
  await makeFolderFor(user, to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const { name } = entry;
    if (leftOut.has(name) || name.startsWith("pgsql_tmp")) continue;
    const [source, target] = [join(from, name), join(to, name)];
    if (entry.isDirectory() && emptied.has(name)) await makeFolderFor(user, target);
    else if (entry.isDirectory()) await copyFolder(source, target, user);
    else await copyOne(source, target, user);
  }
}

async function makeFolderFor(user: User | null, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  giveTo(user, path);
}

/** A file may go while the folder is copied: the log of changes has what it was. */
async function copyOne(from: string, to: string, user: User | null): Promise<void> {
  try {
    await copyFile(from, to);
    giveTo(user, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** A slot that nobody reads keeps every change for ever; a primary that is gone has taken it along. */
async function dropSlot(primaryUrl: string, slot: string): Promise<void> {
  try {
    await queryOnce(
      primaryUrl,
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}'`,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
  }
}

async function waitForPause(url: string): Promise<void> {
  await waitUntil(async () => {
    const [row] = await queryOnce(url, "select pg_get_wal_replay_pause_state() as state");
    return row?.["state"] === "paused";
  }, "the replica does not pause");
}

async function catchUp(primaryUrl: string, url: string): Promise<void> {
  const [primary] = await queryOnce(primaryUrl, "select pg_current_wal_lsn()::text as lsn");
  const [state] = await queryOnce(url, "select pg_is_wal_replay_paused() as held");
  if (state?.["held"] === true) throw new Error("the replica is held back: resume() it first");
  await waitUntil(async () => {
    const [row] = await queryOnce(url, `select pg_last_wal_replay_lsn() >= '${String(primary?.["lsn"])}'::pg_lsn as there`);
    return row?.["there"] === true;
  }, "the replica does not catch up");
}
