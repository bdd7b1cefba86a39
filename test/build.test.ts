/** What a user installs: the build has every entry, imports nothing that a user lacks, and starts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build, bundled, entries } from "../scripts/build.ts";
import { root } from "../scripts/run.ts";

const out = mkdtempSync(join(tmpdir(), "build-"));
const missing = Object.values(entries).filter((path) => !existsSync(root + path));
const skip = missing.length > 0 ? `there is no ${missing.join(", ")} yet` : false;

after(() => rmSync(out, { recursive: true, force: true }));

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
});
