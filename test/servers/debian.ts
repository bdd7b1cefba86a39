/** Servers from Debian: a package installed where we are root, or one of another release unpacked beside the system, which is left alone. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../scripts/run.ts";
import { findCommand } from "../needs.ts";

/** A package of another release than the system's, with all that it needs, as one folder of programs and libraries. */
export interface Unpacked {
  readonly package: string;
  /** Of Debian, as its archive calls it. */
  readonly release: string;
}

const archive = "http://deb.debian.org/debian";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Beside what `npm ci` installs, which other users than oneself can read, and nobody else can write. */
const cacheFolder = join(root, "node_modules", ".cache");

/** What no server needs of the packages around it. */
const unneeded = ["usr/bin", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl", "usr/lib/locale"];

/** Whether a package can be installed by `installPackage`. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findCommand("apt-get") !== null;
}

export async function installPackage(name: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await must("apt-get", ["update", "-qq"], env);
  await must("apt-get", ["install", "-qq", "-y", "--no-install-recommends", name], env);
}

/** The folder of a package that has been unpacked; null where it has not. */
export function findUnpacked(wanted: Unpacked): string | null {
  return existsSync(folderOf(wanted)) ? folderOf(wanted) : null;
}

/** Whether a package can be fetched by `unpack`. */
export function canUnpack(): boolean {
  const isBuiltFor = process.platform === "linux" && process.arch === "x64";
  return isBuiltFor && findCommand("apt-get") !== null && existsSync(keyring);
}

/** Fetches a package into a folder, once; whoever does so at the same time ends up with one. Needs no rights. */
export async function unpack(wanted: Unpacked): Promise<void> {
  const target = folderOf(wanted);
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(join(cacheFolder, "debian-"));
  try {
    const program = await fetchInto(folder, wanted);
    if (!existsSync(target)) renameSync(program, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * How to run a program of such a folder: by the folder's own loader, as its C library may be newer than the system's. The words
 * go before the program's own.
 */
export function commandIn(folder: string, program: string): { readonly command: string; readonly words: readonly string[] } {
  const libraries = join(folder, "usr/lib/x86_64-linux-gnu");
  return {
    command: join(libraries, "ld-linux-x86-64.so.2"),
    words: ["--library-path", libraries, join(folder, program)],
  };
}

function folderOf({ package: name, release }: Unpacked): string {
  return join(cacheFolder, `${name}-${release}`);
}

/** apt with lists and a cache of its own: it takes the system for an empty one, checks signatures, and installs nothing. */
async function fetchInto(folder: string, { package: name, release }: Unpacked): Promise<string> {
  for (const part of ["state/lists/partial", "cache/archives/partial", "program"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, "status"), "");
  writeFileSync(join(folder, "sources.list"), `deb [signed-by=${keyring}] ${archive} ${release} main\n`);
  const options = {
    "Dir::State": join(folder, "state"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::sourcelist": join(folder, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    // A mirror that lags is good enough to fetch a server for tests from.
    "Acquire::Check-Valid-Until": "false",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "",
  };
  const words = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  await must("apt-get", [...words, "-qq", "update"]);
  await must("apt-get", [...words, "-qq", "-y", "--download-only", "install", name]);
  const packages = join(folder, "cache", "archives");
  const program = join(folder, "program");
  for (const file of readdirSync(packages).filter((each) => each.endsWith(".deb"))) {
    await must("dpkg-deb", ["-x", join(packages, file), program]);
  }
  for (const path of unneeded) rmSync(join(program, path), { recursive: true, force: true });
  return program;
}

async function must(command: string, args: readonly string[], env = process.env): Promise<void> {
  const { code, output } = await run(command, args, { quiet: true, env });
  if (code !== 0) throw new Error(`${command} ${args.at(-1)} failed:\n${output}`);
}
