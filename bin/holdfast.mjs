#!/usr/bin/env node
// The command `holdfast`: finds a Node that is new enough and runs the CLI in it. Plain JavaScript, since it must start on Node 20.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const needed = [24, 15];
const sourceCondition = "--conditions=holdfast-source";
const here = dirname(fileURLToPath(import.meta.url));
const bundled = join(here, "../dist/cli.js");
const source = join(here, "../src/cli/main.ts");

/** Commands that work on any Node that can start this file: they touch no database. */
const runsAnywhere = new Set(["init", "help", "--help", "-h", "--version", "-V"]);

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** The npm package `node` puts a Node beside an app; the nearest one, from a folder upwards. */
function findNode(from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
    if (existsSync(file) && isNewEnough(spawnSync(file, ["--version"], { encoding: "utf8" }).stdout ?? "")) return file;
    if (dirname(folder) === folder) return null;
  }
}

/** Runs this file again in another Node: in place of this process where it can be, else as a child that decides how this one ends. */
function runIn(node, flags) {
  const args = [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (process.execve !== undefined && process.platform !== "win32") {
    process.removeAllListeners("warning");
    process.execve(node, [node, ...args], process.env);
  }
  const child = spawn(node, args, { stdio: "inherit" });
  // A terminal sends these to the child as well, and twice would mean "at once": then this process only has to outlive it.
  const isForwarded = { SIGTERM: true, SIGINT: !process.stdin.isTTY, SIGHUP: !process.stdin.isTTY };
  for (const [signal, forward] of Object.entries(isForwarded)) process.on(signal, () => forward && child.kill(signal));
  child.on("error", (error) => {
    console.error(`holdfast could not start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
}

function explain() {
  console.error(`Holdfast needs Node ${needed.join(".")} or newer; this is ${process.version}.

Put one beside your app, which leaves the one on this machine as it is:

  npm install --save-dev node@24

and run the same command again. If npm did not run its install script, allow it with \`npm approve-scripts node\`
and install once more.`);
  process.exitCode = 1;
}

async function runHere(file) {
  const { main } = await import(pathToFileURL(file).href);
  process.exitCode = await main(process.argv.slice(2));
}

const asksSource = process.execArgv.includes(sourceCondition) || (process.env.NODE_OPTIONS ?? "").includes(sourceCondition);
const fromSource = existsSync(source) && (asksSource || !existsSync(bundled));

if (!isNewEnough(process.version)) {
  const node = findNode(process.cwd()) ?? findNode(here);
  if (node !== null) runIn(node, fromSource ? [sourceCondition] : []);
  else if (!fromSource && runsAnywhere.has(process.argv[2] ?? "--help")) await runHere(bundled);
  else explain();
} else if (!fromSource) {
  await runHere(bundled);
} else if (asksSource) {
  await runHere(source);
} else {
  runIn(process.execPath, [sourceCondition]);
}
