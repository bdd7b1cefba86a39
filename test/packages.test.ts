/** The package and its lock file: exact versions, no addresses, whole for every platform. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { findMissing, type LockEntries } from "../scripts/lock.ts";

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
const { packages } = read("package-lock.json") as { packages: LockEntries };
const manifest = read("package.json") as Record<string, Readonly<Record<string, string>> | undefined>;

/** The names whose version is a range: what is installed would then depend on the day. */
function findRanges(versions: Readonly<Record<string, string>>): string[] {
  return Object.keys(versions).filter((name) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(versions[name] ?? ""));
}

test("every dependency has one exact version", () => {
  assert.deepEqual(findRanges({ ...manifest["dependencies"], ...manifest["devDependencies"] }), []);
  assert.deepEqual(findRanges({ a: "^1.2.3", b: "1.2.3", c: "latest" }), ["a", "c"]);
});

test("the lock file names no registry", () => {
  const entries = Object.keys(packages).filter((name) => packages[name]?.resolved !== undefined);
  assert.deepEqual(entries, []);
});

test("the lock file is whole for every platform", () => {
  assert.deepEqual(Object.keys(findMissing(packages)), [], "npm run lock");
  const planted = findMissing({ a: { dev: true, optionalDependencies: { "@a/cli-linux-x64-musl": "1.0.0" } } });
  const entry = { version: "1.0.0", cpu: ["x64"], dev: true, libc: ["musl"], optional: true, os: ["linux"] };
  assert.deepEqual(planted, { "node_modules/@a/cli-linux-x64-musl": entry });
});
