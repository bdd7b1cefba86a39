/** Dumps a database of PostgreSQL and restores it elsewhere, as people do it: with pg_dump and psql. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Debian's, which dump servers up to their own version and restore into any. */
const programs = "/usr/lib/postgresql/15/bin";
const bytesMax = 64 * 1024 * 1024;

export function hasDump(): boolean {
  return existsSync(`${programs}/pg_dump`) && existsSync(`${programs}/postgres`);
}

/** @throws where either of them fails */
export function dumpInto(from: string, to: string): void {
  const options = { maxBuffer: bytesMax, stdio: "pipe" } as const;
  const dump = execFileSync(`${programs}/pg_dump`, ["--no-owner", from], options);
  execFileSync(`${programs}/psql`, ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", to], { ...options, input: dump });
}
