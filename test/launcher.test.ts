/** `bin/holdfast.mjs`: which Node and which code it runs, how it ends, and what it says where no Node is new enough. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../scripts/run.ts";

/** Makes the Node of a child say that it is an old one, and unable to replace its process, as old ones are. */
const asOld = `--import=data:text/javascript,${encodeURIComponent(
  'Object.defineProperty(process, "version", { value: "v20.1.0" }); process.execve = undefined;',
)}`;
const folders: string[] = [];

/** A package folder with the launcher and a `main` that tells what it was run with, or waits for a signal. */
function createPackage(...files: readonly ("dist/cli.js" | "src/cli/main.ts")[]): string {
  const folder = mkdtempSync(join(tmpdir(), "launcher-"));
  folders.push(folder);
  for (const name of ["bin", "dist", "src/cli"]) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(`${root}bin/holdfast.mjs`, join(folder, "bin/holdfast.mjs"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const file of files) {
    const tell = `console.log(JSON.stringify(["${file}", process.version === "v20.1.0", argv]));`;
    // It listens before it tells: what is told is the sign that a signal may come.
    const listen = 'if (argv[0] === "wait") process.on("SIGTERM", () => process.exit(7));';
    const wait = 'if (argv[0] === "wait") await new Promise(() => setInterval(() => {}, 1e6));';
    writeFileSync(join(folder, file), `export async function main(argv) { ${listen} ${tell} ${wait} return argv.length; }`);
  }
  return folder;
}

function launch(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", env: childEnv() });
  return { status, said: stdout === "" ? null : (JSON.parse(stdout) as unknown), stderr };
}

/** The runner's own variables would make a child report to it. */
function childEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return env;
}

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const launcher = "bin/holdfast.mjs";

describe("a Node that is new enough", () => {
  test("runs the bundle, and ends as it does", () => {
    const { status, said } = launch(createPackage("dist/cli.js", "src/cli/main.ts"), launcher, "a", "b");
    assert.deepEqual([status, said], [2, ["dist/cli.js", false, ["a", "b"]]]);
  });

  test("runs the source where nothing is built, or where it is asked for", () => {
    assert.deepEqual(launch(createPackage("src/cli/main.ts"), launcher, "a").said, ["src/cli/main.ts", false, ["a"]]);
    const both = createPackage("dist/cli.js", "src/cli/main.ts");
    assert.deepEqual(launch(both, "--conditions=holdfast-source", launcher).said, ["src/cli/main.ts", false, []]);
  });
});

describe("a Node that is too old", () => {
  test("says what to do, and does it for the commands that work there", () => {
    const folder = createPackage("dist/cli.js");
    const refused = launch(folder, asOld, launcher, "start");
    assert.deepEqual([refused.status, refused.said], [1, null]);
    assert.match(refused.stderr, /needs Node 24\.15 or newer; this is v20\.1\.0[^]*npm install --save-dev node@24/);
    for (const command of ["init", "--help", "--version"]) {
      assert.deepEqual(launch(folder, asOld, launcher, command).said, ["dist/cli.js", true, [command]]);
    }
  });

  test("hands over to the package `node` of the app", () => {
    const folder = createPackage("dist/cli.js");
    plantNode(folder);
    const { status, said } = launch(folder, asOld, launcher, "start", "x");
    assert.deepEqual([status, said], [2, ["dist/cli.js", false, ["start", "x"]]]);
  });

  test("passes a signal on, and ends as the other does", async () => {
    const folder = createPackage("dist/cli.js");
    plantNode(folder);
    const child = spawn(process.execPath, [asOld, launcher, "wait"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: childEnv(),
    });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [7, null]);
  });
});

/** Puts this Node where the npm package `node` puts one. */
function plantNode(folder: string): void {
  mkdirSync(join(folder, "node_modules/node/bin"), { recursive: true });
  symlinkSync(process.execPath, join(folder, "node_modules/node/bin/node"));
}
