/** `holdfast init` as a user meets it: from the packed package, in an empty folder, with the machine's own Node and npm. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "../scripts/build.ts";
import { root } from "../scripts/run.ts";
import { openFolder } from "./cli/run.ts";
import { needs } from "./needs.ts";

describe("init", () => {
  test("writes an app whose name npm takes, and says what to do next", async (t) => {
    const { run, path } = openFolder(t, {});
    const { code, json } = await run("init", "My Notes!", "--json");
    assert.equal(code, 0);
    assert.deepEqual([json["name"], json["next"]], ["my-notes", ["cd My Notes!", "npm install", "npm test", "npm run dev"]]);
    for (const file of json["files"] as string[]) assert.ok(existsSync(join(path, "My Notes!", file)), file);
    const manifest = JSON.parse(readFileSync(join(path, "My Notes!/package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    // Run from its source, the app uses that source.
    assert.equal(
      realpathSync(join(path, "My Notes!", (manifest["dependencies"]?.["holdfast"] ?? "").replace("file:", ""))),
      realpathSync(root),
    );
    assert.match((await run("init", "other")).out, /Wrote other:\n {2}backend\.ts[^]*Next:\n {2}cd other\n {2}npm install/);
  });

  test("writes into an empty folder, and refuses any other with exit code 2", async (t) => {
    const { run, path, write } = openFolder(t, {});
    assert.equal((await run("init", ".")).code, 0);
    const again = await run("init", ".", "--json");
    assert.deepEqual([again.code, (again.json["error"] as { code: string }).code], [2, "folder_not_empty"]);
    write("file", "");
    assert.equal((await run("init", "file")).code, 2);
    mkdirSync(join(path, "full"));
    write("full/.hidden", "");
    assert.equal((await run("init", "full")).code, 2);
  });
});

/** The environment of somebody who has just opened a terminal. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|cache|userconfig)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|CI$|HOLDFAST_|CHECKS_)/i.test(name) || kept.test(name)),
  );
  const path = (env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return {
    ...env,
    PATH: path.join(delimiter),
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_audit: "false",
  };
}

const env = userEnvironment();
const timeout = 180_000;

function run(cwd: string, command: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout });
  return { status, text: `${stdout}${stderr}`, stdout };
}

function mustRun(cwd: string, command: string, ...args: readonly string[]): string {
  const { status, text, stdout } = run(cwd, command, ...args);
  assert.equal(status, 0, `${command} ${args.join(" ")}:\n${text}`);
  return stdout;
}

/** Packs what a user would install; gives the tarball's path. */
async function pack(folder: string): Promise<string> {
  const copy = join(folder, "package");
  mkdirSync(copy);
  for (const name of ["package.json", "bin", "LICENSE", "README.md", "CHANGELOG.md"]) {
    if (existsSync(root + name)) cpSync(root + name, join(copy, name), { recursive: true });
  }
  await build(join(copy, "dist"), false);
  const [packed] = JSON.parse(mustRun(copy, "npm", "pack", "--ignore-scripts", "--json")) as { readonly filename: string }[];
  return join(copy, packed?.filename ?? "");
}

/** Starts the app and resolves with what its document says, and how to end it. */
async function start(folder: string) {
  const child = spawn(join(folder, "node_modules/.bin/holdfast"), ["start", "--port", "0", "--json"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const written = { text: "" };
  while (!written.text.endsWith("\n}\n")) {
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    written.text += chunk.toString();
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { document: JSON.parse(written.text) as { readonly api: string; readonly token: string }, stop };
}

const folder = mkdtempSync(join(tmpdir(), "init-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const isReachable =
  run(folder, "npm", "view", "typescript", "version", "--fetch-retries=0", "--fetch-timeout=20000").status === 0;

describe("from the packed package", needs("a registry that can be reached", isReachable), () => {
  const user = join(folder, "user");
  const app = join(user, "my-app");

  test("installs in an empty folder, and writes an app that installs the same package", async () => {
    const tarball = await pack(folder);
    mkdirSync(user);
    mustRun(user, "npm", "install", tarball);
    const said = mustRun(user, "npx", "holdfast", "init", "my-app");
    assert.match(said, /Next:\n.*cd my-app/);
    const manifest = JSON.parse(readFileSync(join(app, "package.json"), "utf8")) as { dependencies: { holdfast: string } };
    assert.equal(join(realpathSync(app), manifest.dependencies.holdfast.replace("file:", "")), realpathSync(tarball));
    mustRun(app, "npm", "install");
  });

  test("its tests pass, its types fit, and the check finds nothing", () => {
    const tests = mustRun(app, "npm", "test");
    assert.match(tests, /pass 2/);
    assert.match(mustRun(app, "npm", "run", "check"), /nothing to mend/);
  });

  test("it starts, and answers what its README pastes", async (t) => {
    const { document, stop } = await start(app);
    t.after(stop);
    const token = mustRun(app, "npx", "holdfast", "token", "--sub", "ann").trim();
    const ask = (path: string, body?: unknown, as = token) =>
      fetch(`${document.api}${path}`, {
        headers: { authorization: `Bearer ${as}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      });
    const list = (await (await ask("/lists", { title: "Groceries", isPublic: true })).json()) as {
      readonly id: string;
      readonly owner: string;
    };
    assert.equal(list.owner, "ann");
    assert.equal((await ask("/tasks", { title: "Milk", list: list.id })).status, 201);
    const expanded = (await (await ask("/lists?expand=tasks")).json()) as {
      readonly data: readonly { readonly tasks: readonly unknown[] }[];
    };
    assert.equal(expanded.data[0]?.tasks.length, 1);
    // What the backend file throws is known to the command line: they share their modules.
    const refused = await ask("/actions/finishAll", { list: list.id }, document.token);
    assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [403, "not_your_list"]);
    assert.match(
      mustRun(app, "npx", "holdfast", "explain", "--model", "lists", "--action", "update", "--id", list.id, "--sub", "bob"),
      /because row\.owner = me\.id does not hold/,
    );
    mustRun(app, "npx", "holdfast", "backup", "copy.db");
    assert.ok(existsSync(join(app, "copy.db")));
  });

  test("any other copy of the command line hands over to the app's own", () => {
    const { status, text } = run(app, process.execPath, join(folder, "package/bin/holdfast.mjs"), "check");
    assert.deepEqual([status, /nothing to mend/.test(text)], [0, true], text);
  });
});
