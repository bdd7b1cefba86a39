/**
 * `npm run test:26`: every test on Node 26, installed for this run into a temporary folder. Arguments are those of `npm test`.
 * No project tool is run by it: the checks are the same on any Node.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "node26-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  const installed = await run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "node@26"], { cwd: folder });
  const bin = join(folder, "node_modules/node/bin");
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
  if (installed.code !== 0) throw new Error("Node 26 could not be installed");
  await run(join(bin, "node"), ["--version"]);
  const { code } = await run(join(bin, "node"), ["scripts/test.ts", "--fast", ...process.argv.slice(2)], { env });
  process.exitCode = code;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
