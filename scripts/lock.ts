/**
 * `npm run lock`: writes into package-lock.json the packages for other platforms that npm left out because the registry in
 * use does not carry them. Without them `npm ci` calls the lock file out of date, on every machine.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { root } from "./run.ts";

/** What this script reads and writes of an entry of the lock file. */
export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockEntries = Readonly<Record<string, LockEntry>>;

const systems = "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(" ");
const processors = "arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64".split(" ");
const libraries: Readonly<Record<string, string>> = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

/** Entries that must be added, by their place in the lock file: optional packages that some package names and that are not there. */
export function findMissing(entries: LockEntries): Record<string, LockEntry> {
  const missing = Object.values(entries).flatMap(({ optionalDependencies = {}, dev }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => entries[`node_modules/${name}`] === undefined)
      .map(([name, version]) => [`node_modules/${name}`, entryOf(name, version, dev === true)] as const),
  );
  return Object.fromEntries(missing);
}

/** An entry without integrity, which npm adds when it first meets the package; the platform is told by the name. */
function entryOf(name: string, version: string, dev: boolean): LockEntry {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = words.flatMap((word) => libraries[word] ?? []);
  if (os.length + cpu.length === 0) throw new Error(`${name} is optional and its name tells no platform: add it by hand`);
  return {
    version,
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(dev ? { dev } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  };
}

if (import.meta.main) {
  const path = `${root}package-lock.json`;
  const lock = JSON.parse(readFileSync(path, "utf8")) as { packages: LockEntries };
  const missing = findMissing(lock.packages);
  const packages = Object.fromEntries(Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(missing).length} packages added for other platforms.`);
}
