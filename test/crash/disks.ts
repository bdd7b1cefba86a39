/** Bad disks, made for a test: one that is small, and one whose syncs fail. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs with a folder on a disk of its own, of that size (`4m`). */
export async function withSmallDisk(size: string, run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  try {
    mount(folder, size);
    try {
      await run(folder);
    } finally {
      execFileSync("umount", ["--lazy", folder]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mount(folder: string, size: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], { stdio: "ignore" });
}

/** Whether this user may mount one. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  try {
    mount(folder, "64k");
    execFileSync("umount", ["--lazy", folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A command to put before another: its syncs fail from the n-th on. */
export function failSyncs(from: number): readonly string[] {
  const calls = "fsync,fdatasync";
  const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:error=EIO:when=${from}+`];
  return ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", ...inject];
}

/** Whether system calls can be made to fail. */
export function canTrace(): boolean {
  try {
    execFileSync("strace", ["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", process.execPath, "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
