/** What a user installs: the build has every entry, imports nothing that a user lacks, and starts. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build, bundled, entries } from "../scripts/build.ts";
import { root } from "../scripts/run.ts";

const folder = mkdtempSync(join(tmpdir(), "build-"));
const out = join(folder, "dist");
const missing = Object.values(entries).filter((path) => !existsSync(root + path));
const skip = missing.length > 0 ? `there is no ${missing.join(", ")} yet` : false;

after(() => rmSync(folder, { recursive: true, force: true }));

/** The command line of the build, as it stands in a package. */
function placeCommand(): string {
  cpSync(`${root}package.json`, join(folder, "package.json"));
  cpSync(`${root}bin`, join(folder, "bin"), { recursive: true });
  return join(folder, "bin/holdfast.mjs");
}

function writeApp(): string {
  const app = join(folder, "app");
  mkdirSync(app);
  const holdfast = JSON.stringify(pathToFileURL(join(out, "index.js")).href);
  const model = `model("notes", { title: text() }).access(() => ({ read: everyone, write: everyone }))`;
  writeFileSync(
    join(app, "backend.mjs"),
    `import { backend, everyone, model, text } from ${holdfast};\nexport default backend({ notes: ${model} });\n`,
  );
  return app;
}

describe("the build", { skip }, () => {
  test("has each entry, its declarations, the files of /docs and the licences", async () => {
    await build(out, false);
    const wanted = ["types/index.d.ts", "types/testing/index.d.ts", "docs/swagger-ui-bundle.js", "docs/LICENSE", "LICENSES.txt"];
    const lost = [...Object.keys(entries).map((name) => `${name}.js`), ...wanted].filter((file) => !existsSync(join(out, file)));
    assert.deepEqual(lost, []);
    for (const name of bundled) assert.match(readFileSync(join(out, "LICENSES.txt"), "utf8"), new RegExp(`^${name} \\d`, "m"));
  });

  test("can be loaded without the libraries that are in it", () => {
    for (const name of ["index", "testing", "cli"]) {
      const { status, stderr } = spawnSync(process.execPath, ["-e", `import("./${name}.js")`], { cwd: out, encoding: "utf8" });
      assert.deepEqual([status, stderr], [0, ""], name);
    }
  });

  test("starts its workers, which read and write", async () => {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const args = [placeCommand(), "start", "--backend", "backend.mjs", "--port", "0", "--workers", "2", "--json"];
    const child = spawn(process.execPath, args, { cwd: writeApp(), env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.endsWith("\n}\n")) break;
    }
    const { api, workers } = JSON.parse(text) as { readonly api: string; readonly workers: number };
    assert.equal(workers, 2);
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${api}/notes`, { method: "POST", headers, body: '{"title":"Milk"}' });
    assert.equal(made.status, 201);
    assert.match(await (await fetch(`${api}/notes`)).text(), /Milk/);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });
});
