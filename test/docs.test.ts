/** The documentation held against the source: links, scripts, error codes and options. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { collectErrors, collectOptions, findRepeated, pages as generated, readOptions, renderOptions } from "../scripts/docs.ts";
import { root } from "../scripts/run.ts";
import { findBareExports } from "./docs/exports.ts";
import { findDeadLinks, findLostPages, findLostScripts } from "./docs/markdown.ts";

const found = globSync(["*.md", "{docs,examples,bench,src,test,studio}/**/*.md"], { cwd: root, exclude: ["**/node_modules/**"] });
const pages = new Map(found.sort().map((path) => [path, readFileSync(root + path, "utf8")]));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };
const exists = (path: string) => existsSync(root + path);

describe("pages", () => {
  test("every relative link leads to a file and a heading", () => {
    assert.deepEqual(findDeadLinks(pages, exists), []);
  });

  test("every page that is named is there", () => {
    assert.deepEqual(findLostPages(pages, exists), []);
  });

  test("every npm script that is named is there", () => {
    assert.deepEqual(findLostScripts(pages, new Set(Object.keys(manifest.scripts))), []);
  });

  test("planted faults are found", () => {
    const planted = new Map([
      ["docs/a.md", "# A page\n[b](b.md) [c](c.md#deep-down) [here](#a-page) [web](https://example.org) `[x](y)`\n"],
      ["docs/c.md", "```\n# Deep down\n```\nSee docs/lost.md, and do `npm run lost` or `npm run check`.\n"],
    ]);
    const has = (path: string) => planted.has(path);
    assert.deepEqual(findDeadLinks(planted, has), ["docs/a.md: b.md", "docs/a.md: c.md#deep-down (no such heading)"]);
    assert.deepEqual(findLostPages(planted, has), ["docs/c.md: docs/lost.md"]);
    assert.deepEqual(findLostScripts(planted, new Set(["check"])), ["docs/c.md: npm run lost"]);
  });
});

describe("reference", () => {
  for (const [path, render] of Object.entries(generated)) {
    test(`${path} says what the source says`, async () => {
      const [is = "", should] = [pages.get(path), await render()];
      assert.ok(is === should, `\`npm run docs\` writes it; now it lacks or has too much:\n${findDifference(is, should)}`);
    });
  }

  test("every error code stands in one table and is explained", async () => {
    const tables = await collectErrors();
    assert.ok(tables.size > 0);
    assert.deepEqual(findRepeated(tables), []);
    const bare = [...tables.values()].flat().filter(({ message, explanation }) => message === "" || explanation === "");
    assert.deepEqual(bare, []);
    const row = { code: "gone", status: 404, message: "Gone.", explanation: "It is." };
    assert.deepEqual(findRepeated(new Map(Object.entries({ aErrors: [row], bErrors: [row] }))), ["gone"]);
  });

  test("every option has a default, or is required", () => {
    assert.deepEqual(findUndocumented(collectOptions()), []);
    const planted = readOptions(
      "src/a.ts",
      "/** How. */\nexport interface AOptions {\n  /** B. @default 3 */\n  b?: 1 | 2;\n  c?: 1;\n}",
    );
    assert.deepEqual(findUndocumented(planted), ["src/a.ts AOptions.c"]);
    assert.match(renderOptions(planted), /## AOptions\n\nHow\.[^#]*\| `b` \| `1 \\\| 2` \| `3` \| B\. \|/);
  });
});

describe("docstrings", () => {
  const read = (path: string) => readFileSync(root + path, "utf8");
  for (const entry of ["src/index.ts", "src/testing/index.ts"]) {
    test(`every export of ${entry} has one`, { skip: exists(entry) ? false : `there is no ${entry} yet` }, () => {
      assert.deepEqual(findBareExports(entry, read), []);
    });
  }

  test("planted faults are found", () => {
    const planted: Record<string, string> = {
      "src/index.ts": 'export { a, b as c } from "./x.ts"; export type { T } from "./x.ts"; export { z } from "zod";',
      "src/x.ts": "/** What a is. */\nexport const a = 1;\nconst b = 2;\nexport { b };\nexport { T } from './y.ts';",
      "src/y.ts": "/** For y. */\n\nexport const q = 1;\nexport interface T {}",
    };
    assert.deepEqual(
      findBareExports("src/index.ts", (path) => planted[path] ?? ""),
      ["src/x.ts b", "src/y.ts T"],
    );
  });
});

/** Some lines that only one of two texts has. */
function findDifference(a: string, b: string): string {
  const [before, now] = [new Set(a.split("\n")), new Set(b.split("\n"))];
  return [...now.symmetricDifference(before)].slice(0, 10).join("\n");
}

function findUndocumented(options: ReturnType<typeof collectOptions>): string[] {
  return options.flatMap(({ path, name, fields }) =>
    fields.filter((field) => field.isOptional && field.default === null).map((field) => `${path} ${name}.${field.name}`),
  );
}
