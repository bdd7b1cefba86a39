/** Private database files that go with the process: what `:memory:` stands for. */
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const sharedMemory = "/dev/shm";
const folders = new Set<string>();

/** Makes a folder of its own for one database, in memory where the system offers it. Removed at exit at the latest. */
export function createTemporaryFile(): string {
  const folder = mkdtempSync(join(roomyFolder(), "holdfast-"));
  if (folders.size === 0) process.once("exit", removeAll);
  folders.add(folder);
  return join(folder, "data.db");
}

export function removeTemporaryFile(file: string): void {
  const folder = dirname(file);
  if (!folders.delete(folder)) return;
  if (folders.size === 0) process.off("exit", removeAll);
  rmSync(folder, { recursive: true, force: true });
}

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

function roomyFolder(): string {
  try {
    accessSync(sharedMemory, constants.W_OK);
    return sharedMemory;
  } catch {
    // No such thing on this system.
    return tmpdir();
  }
}
