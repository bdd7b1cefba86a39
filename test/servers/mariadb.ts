/** MariaDB for tests, from the system: a server of its own in a temporary folder, durable and strict. */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { run } from "../../scripts/run.ts";
import { findCommand } from "../needs.ts";
import { findPort, findUser, giveTo, makeFolder, type User } from "./folders.ts";
import { type Server, startServer } from "./server.ts";

export interface MariadbOptions {
  /** Where its folder is made. @default the system's folder of what is temporary */
  readonly parent?: string;
  /** Server variables beside those of every test server. @default {} */
  readonly settings?: Readonly<Record<string, string>>;
}

const settingsOfAll: Readonly<Record<string, string>> = {
  "bind-address": "127.0.0.1",
  "skip-name-resolve": "ON",
  "max-connections": "100",
  "character-set-server": "utf8mb4",
  "sql-mode":
    "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
  "default-time-zone": "+00:00",
  "innodb-buffer-pool-size": "64M",
  "innodb-log-file-size": "32M",
  "innodb-flush-log-at-trx-commit": "1",
  "innodb-flush-method": "fsync",
  "innodb-use-native-aio": "OFF",
  "aria-pagecache-buffer-size": "8M",
  "performance-schema": "OFF",
};

/** Where Debian keeps servers; not everybody has it on the path. */
const systemFolders = ["/usr/sbin", "/usr/local/sbin"];

/** The two commands of the server; null where it is not installed. */
function findPrograms(): { readonly install: string; readonly server: string } | null {
  const install = findCommand("mariadb-install-db");
  const server = findCommand("mariadbd", systemFolders);
  return install === null || server === null || process.platform === "win32" ? null : { install, server };
}

export function hasMariadb(): boolean {
  return findPrograms() !== null;
}

/** Starts a server without databases. Its URL begins with `mysql://`, the user is root over TCP. */
export async function startMariadb({ parent, settings = {} }: MariadbOptions = {}): Promise<Server> {
  const programs = findPrograms();
  if (programs === null) throw new Error("there is no mariadbd: install mariadb-server");
  const user = findUser("mysql", "nobody");
  const folder = makeFolder("mariadb", user, parent);
  const data = join(folder, "data");
  const password = randomBytes(12).toString("hex");
  const port = await findPort();
  const url = `mysql://root:${password}@127.0.0.1:${port}`;
  try {
    await install(programs.install, folder, user);
    writeWelcome(join(folder, "first.sql"), password, user);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const own = {
    datadir: data,
    tmpdir: folder,
    socket: "server.sock",
    "init-file": join(folder, "first.sql"),
    port: String(port),
  };
  const flags = Object.entries({ ...settingsOfAll, ...settings, ...own });
  return startServer({
    folder,
    user,
    command: programs.server,
    args: ["--no-defaults", ...flags.map(([name, value]) => `--${name}=${value}`)],
    stopSignal: "SIGTERM",
    url,
    ask: () => queryMariadb(url, "select 1"),
  });
}

async function install(command: string, folder: string, user: User | null): Promise<void> {
  const args = [
    "--no-defaults",
    `--datadir=${join(folder, "data")}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ];
  const logSize = `--innodb-log-file-size=${settingsOfAll["innodb-log-file-size"]}`;
  const { code, output } = await run(command, [...args, logSize], { quiet: true, cwd: folder, ...user });
  if (code !== 0) throw new Error(`mariadb-install-db failed:\n${output}`);
}

/** What the server runs at every start, a statement a line: root has a password, and comes from the loopback alone. */
export function writeWelcome(file: string, password: string, user: User | null): void {
  const accounts = ["'root'@'127.0.0.1'", "'root'@'localhost'"].flatMap((account) => [
    `CREATE USER IF NOT EXISTS ${account};`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`,
  ]);
  writeFileSync(file, `${accounts.join("\n")}\n`, { mode: 0o600 });
  giveTo(user, file);
}

/** Runs one statement on a connection of its own; rows where it answers with some. */
export async function queryMariadb(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query(sql);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  } finally {
    await connection.end();
  }
}
