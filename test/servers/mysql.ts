/** MySQL for tests: Debian's package, unpacked once beside the system, and a server of its own in a temporary folder, durable and strict. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../scripts/run.ts";
import { canUnpack, commandIn, findUnpacked, unpack, type Unpacked } from "./debian.ts";
import { findPort, findUser, makeFolder } from "./folders.ts";
import { queryMariadb, writeWelcome } from "./mariadb.ts";
import { type Server, startServer } from "./server.ts";

export interface MysqlOptions {
  /** Where its folder is made. @default the system's folder of what is temporary */
  readonly parent?: string;
  /** Server variables beside those of every test server. @default {} */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Stable releases of Debian have MariaDB alone. */
const wanted: Unpacked = { package: "mysql-server-core", release: "sid" };

const redoLog = { "innodb-redo-log-capacity": "32M" };

const settingsOfAll: Readonly<Record<string, string>> = {
  ...redoLog,
  "bind-address": "127.0.0.1",
  "skip-name-resolve": "ON",
  mysqlx: "OFF",
  "secure-file-priv": "NULL",
  "max-connections": "100",
  "character-set-server": "utf8mb4",
  "default-time-zone": "+00:00",
  "innodb-buffer-pool-size": "64M",
  "innodb-flush-log-at-trx-commit": "1",
  "innodb-flush-method": "fsync",
  "innodb-use-native-aio": "OFF",
  // It alone tells of reads that wait.
  "performance-schema": "ON",
};

/** Whether the server is there; `fetchMysql` brings it. */
export function hasMysql(): boolean {
  return findUnpacked(wanted) !== null;
}

/** Brings the server where it is not there yet, once for a checkout. Resolves to whether it is there. */
export async function fetchMysql(): Promise<boolean> {
  if (!hasMysql() && canUnpack()) await unpack(wanted);
  return hasMysql();
}

/** Starts a server without databases. Its URL begins with `mysql://`, the user is root over TCP. */
export async function startMysql({ parent, settings = {} }: MysqlOptions = {}): Promise<Server> {
  const program = findUnpacked(wanted);
  if (program === null) throw new Error("there is no mysqld: npm run services fetches it");
  const { command, words } = commandIn(program, "usr/sbin/mysqld");
  const user = findUser("mysql", "nobody");
  const folder = makeFolder("mysql", user, parent);
  const password = randomBytes(12).toString("hex");
  const port = await findPort();
  const url = `mysql://root:${password}@127.0.0.1:${port}`;
  const places = { basedir: join(program, "usr"), datadir: join(folder, "data"), tmpdir: folder };
  const toWords = (settings: Readonly<Record<string, string>>) =>
    [...words, "--no-defaults"].concat(Object.entries(settings).map(([name, value]) => `--${name}=${value}`));
  try {
    const making = [...toWords({ ...redoLog, ...places }), "--initialize-insecure"];
    const { code, output } = await run(command, making, { quiet: true, cwd: folder, ...user });
    if (code !== 0) throw new Error(`mysqld --initialize-insecure failed:\n${output}`);
    writeWelcome(join(folder, "first.sql"), password, user);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const running = { socket: "server.sock", "pid-file": "server.pid", "init-file": join(folder, "first.sql"), port: String(port) };
  return startServer({
    folder,
    user,
    command,
    args: toWords({ ...settingsOfAll, ...settings, ...places, ...running }),
    stopSignal: "SIGTERM",
    url,
    ask: () => queryMariadb(url, "select 1"),
  });
}
