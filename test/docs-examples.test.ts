/** The examples of the guide as tests: TypeScript is type-checked and run, shell lines are pasted into a shell, answers compared. */
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../scripts/run.ts";
import { appFiles } from "../src/cli/init/files.ts";
import { compareAnswer } from "./docs-examples/answers.ts";
import { findBlocks, findShell } from "./docs-examples/blocks.ts";
import { pageFolder, runExample, typeCheck, writeExamples } from "./docs-examples/modules.ts";
import { judge, runShell, serveBackend, serveStore } from "./docs-examples/shell.ts";
import { hasCommand, needs } from "./needs.ts";

const found = globSync(["docs/guide/*.md", "docs/reference/{schema,queries}.md"], { cwd: root }).sort();
const pages = new Map(found.map((page) => [page, readFileSync(root + page, "utf8")]));

function makeWorkspace(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-examples-")));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the shell blocks of one page against its backend.ts, or against the film shop where it has none. */
async function findFaults(workspace: string, page: string, markdown: string): Promise<readonly string[]> {
  const folder = pageFolder(workspace, page);
  const hasBackend = findBlocks(markdown).some(({ words }) => words.includes("file=backend.ts"));
  const served = await (hasBackend ? serveBackend : serveStore)(folder);
  try {
    return (await runShell(findShell(markdown), folder, served)).flatMap(judge);
  } finally {
    await served.stop();
  }
}

describe("the pages", () => {
  const workspace = makeWorkspace();
  const examples = writeExamples(workspace, pages);

  test("their TypeScript has no type errors", async () => {
    assert.deepEqual(await typeCheck(workspace), []);
  });

  test("the first page shows the file that `holdfast init` writes", () => {
    const shown = findBlocks(pages.get("docs/guide/start.md") ?? "").find(({ words }) => words.includes("file=backend.ts"));
    assert.equal(`${shown?.text}\n`, appFiles({ name: "my-app", holdfast: "*" })["backend.ts"]);
  });

  for (const example of examples.filter(({ isRun }) => isRun))
    test(`${example.page}:${example.line} runs`, () => runExample(example));

  for (const [page, markdown] of pages) {
    if (findShell(markdown).length === 0) continue;
    test(`${page} answers as it says`, needs("curl", hasCommand("curl")), async () => {
      assert.deepEqual(await findFaults(workspace, page, markdown), []);
    });
  }
});

const fence = "```";
const model = 'export const notes = model("notes", { title: text().max(5) })';

describe("planted faults", () => {
  test("a misspelt name is a type error at the page's own line", async () => {
    const workspace = makeWorkspace();
    const page = `# A\n\n${fence}ts\n${model}\n  .index("titel");\n${fence}\n`;
    writeExamples(workspace, new Map([["a.md", page]]));
    assert.match((await typeCheck(workspace)).join("\n"), /line-4\.ts\(5,.*"titel"/);
  });

  test("a backend that is refused at start fails its example", async () => {
    const page = `${fence}ts\n${model}\n  .computed("long", text()).from(() => expr.lower("x")).index("long");\n${fence}\n`;
    const [example] = writeExamples(makeWorkspace(), new Map([["b.md", page]]));
    assert.ok(example);
    await assert.rejects(runExample(example), { code: "backend_invalid" });
  });

  test("what a shell block is answered with must be what is shown", needs("curl", hasCommand("curl")), async () => {
    const workspace = makeWorkspace();
    const backend = `import { backend, everyone, model, text } from "holdfast";\n${model}.access(() => ({ read: everyone }));\nexport default backend({ notes });`;
    const ask = (path: string) => `${fence}sh\ncurl -g 'localhost:3000/api/${path}'\n${fence}\n`;
    const blocks = [
      `${fence}ts file=backend.ts\n${backend}\n${fence}`,
      `${ask("notes")}\n${fence}json\n{ "data": [], "page": { "…": 0 } }\n${fence}`,
      `${ask("notes")}\n${fence}json\n{ "data": ["x"], "page": { "…": 0 } }\n${fence}`,
      ask("nodes"),
      `${ask("nodes")}\n${fence}json\n{ "status": 400, "…": 0 }\n${fence}`,
    ];
    const page = blocks.join("\n\n");
    writeExamples(workspace, new Map([["c.md", page]]));
    const faults = await findFaults(workspace, "c.md", page);
    assert.equal(faults.length, 4, faults.join("\n"));
    assert.match(faults[0] ?? "", /\/data has 0 elements, not 1/);
    assert.match(faults[1] ?? "", /it was answered with 404/);
    assert.match(faults[2] ?? "", /the status is 404, not 400/);
  });

  test("answers are compared member by member", () => {
    const shown = (language: string, text: string) => ({ language, words: [], text, line: 1 });
    assert.deepEqual(compareAnswer(shown("json", '{"a":["x…",1],"b":"…"}'), '{"a":["xyz",1],"b":7}'), []);
    assert.deepEqual(compareAnswer(shown("json", '{"a":[1,"…"]}'), '{"a":[1,2,3]}'), []);
    assert.equal(compareAnswer(shown("json", '{"a":1}'), '{"a":1,"b":2}').length, 1);
    assert.equal(compareAnswer(shown("json", '{"a":1}'), '{"a":"1"}').length, 1);
    assert.deepEqual(compareAnswer(shown("http", "ETag: …"), 'HTTP/1.1 200 OK\r\netag: "1"\r\n'), []);
    assert.equal(compareAnswer(shown("http", "HTTP/1.1 412 …"), "HTTP/1.1 200 OK\r\n").length, 1);
  });
});
