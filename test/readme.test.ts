/** The README held to its word: its tour is type-checked and started, and its curl lines are pasted against the loaded film shop. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../scripts/run.ts";
import { findShell } from "./docs-examples/blocks.ts";
import { pageFolder, runExample, typeCheck, writeExamples } from "./docs-examples/modules.ts";
import { runShell, serveStore } from "./docs-examples/shell.ts";
import { hasCommand, needs } from "./needs.ts";

const page = "README.md";
const markdown = readFileSync(root + page, "utf8");
const workspace = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-readme-")));
after(() => rmSync(workspace, { recursive: true, force: true }));

interface Answer {
  readonly data?: readonly Readonly<Record<string, unknown>>[];
  readonly page?: { readonly count?: number };
  readonly code?: string;
}

describe("the README", () => {
  const examples = writeExamples(workspace, new Map([[page, markdown]]));

  test("its tour has no type errors, and starts", async () => {
    assert.equal(examples.length, 1);
    assert.deepEqual(await typeCheck(workspace), []);
    for (const example of examples) await runExample(example);
  });

  test("its lines are answered by the film shop", needs("curl", hasCommand("curl")), async () => {
    const folder = pageFolder(workspace, page);
    // Line by line, so that each has an answer of its own.
    const lines = findShell(markdown).flatMap((block) => block.text.split("\n").map((text) => ({ ...block, text })));
    const served = await serveStore(folder);
    try {
      const outcomes = await runShell(lines, folder, served);
      assert.deepEqual(
        outcomes.map(({ statuses }) => statuses),
        [[200], [200], [200], [400]],
      );
      const [first, second, third, last] = outcomes.map(({ stdout }) => JSON.parse(stdout) as Answer);
      assert.deepEqual(first?.data?.[1], { title: "Up", price: "16.99", director: { name: "Pete Docter" } });
      assert.equal(second?.page?.count, 23);
      assert.deepEqual(second?.data?.[0]?.["reviews"], []);
      assert.equal(third?.data?.length, 4);
      assert.equal(last?.code, "invalid_query");
    } finally {
      await served.stop();
    }
  });
});
