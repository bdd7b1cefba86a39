/** What a server is given to run in: a temporary folder, a free port, and a user that is not root. */
import { randomInt } from "node:crypto";
import { accessSync, chownSync, constants, mkdtempSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whom a server runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

const memoryFolder = "/dev/shm";
const memoryBytesMin = 2 * 1024 ** 3;

/** Below the ports that a system hands out to clients: one of those could be taken while a killed server is down. */
const portMin = 20_000;
const portMax = 32_000;
const portTriesMax = 50;

/** The first of these users that exists, where we are root, for database servers refuse to be; null is oneself. */
export function findUser(...names: readonly string[]): User | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const found = names.map((name) => lines.find((line) => line.startsWith(`${name}:`))).find((line) => line !== undefined);
  if (found === undefined) throw new Error(`a database server does not run as root, and there is no user ${names.join(" or ")}`);
  const [, , uid, gid] = found.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Makes a temporary folder of that user, which lies in memory where there is room enough. */
export function makeFolder(name: string, user: User | null, parent = findQuickFolder()): string {
  const folder = mkdtempSync(join(parent, `holdfast-${name}-`));
  giveTo(user, folder);
  return folder;
}

export function giveTo(user: User | null, path: string): void {
  if (user !== null) chownSync(path, user.uid, user.gid);
}

function findQuickFolder(): string {
  try {
    accessSync(memoryFolder, constants.W_OK);
    const { bavail, bsize } = statfsSync(memoryFolder);
    return bavail * bsize >= memoryBytesMin ? memoryFolder : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** A port of the loopback that nobody listens on. */
export async function findPort(): Promise<number> {
  for (let tries = 0; tries < portTriesMax; tries += 1) {
    const port = randomInt(portMin, portMax);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port among ${portTriesMax} between ${portMin} and ${portMax}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1" }, () => probe.close(() => resolve(true)));
  });
}
