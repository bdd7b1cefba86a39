/** Makes modules out of the TypeScript blocks of pages, type-checks them all at once, and runs each. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as holdfast from "holdfast";
import { createTestApp } from "holdfast/testing";
import { installed, root, run } from "../../scripts/run.ts";
import { type Block, fileOf, findBlocks } from "./blocks.ts";

/** One TypeScript block as a file. Its lines have the numbers that they have on the page. */
export interface Example {
  readonly page: string;
  readonly line: number;
  readonly file: string;
  /** `check`: it is type-checked and no more. */
  readonly isRun: boolean;
}

// What `holdfast init` writes, but for where the types of Node are.
const compilerOptions = {
  target: "es2024",
  lib: ["es2024", "esnext.disposable"],
  module: "nodenext",
  types: ["node"],
  typeRoots: [`${root}node_modules/@types`],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  customConditions: ["holdfast-source"],
};

/** The folder of one page's files, with the package installed in it. */
export function pageFolder(workspace: string, page: string): string {
  return join(workspace, page.replace(/\.md$/, "").replaceAll("/", "-"));
}

/** Writes every TypeScript block of the pages into the workspace, each page in a folder of its own. */
export function writeExamples(workspace: string, pages: ReadonlyMap<string, string>): readonly Example[] {
  mkdirSync(join(workspace, "node_modules/.bin"), { recursive: true });
  symlinkSync(root, join(workspace, "node_modules/holdfast"));
  symlinkSync(`${root}bin/holdfast.mjs`, join(workspace, "node_modules/.bin/holdfast"));
  writeFileSync(join(workspace, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*/*.ts"] }));
  return [...pages].flatMap(([page, markdown]) => writePage(pageFolder(workspace, page), page, markdown));
}

function writePage(folder: string, page: string, markdown: string): readonly Example[] {
  mkdirSync(folder, { recursive: true });
  const blocks = findBlocks(markdown).filter(({ language }) => language === "ts");
  const hasBackend = blocks.some((block) => fileOf(block) === "backend.ts");
  return blocks.map((block) => {
    const file = join(folder, fileOf(block) ?? `line-${block.line}.ts`);
    writeFileSync(file, toModule(block, hasBackend));
    return { page, line: block.line, file, isRun: !block.words.includes("check") };
  });
}

/** A whole file stays as it is. A fragment gets its imports, `db` where it asks for one, and a backend of the models it shows. */
function toModule(block: Block, hasBackend: boolean): string {
  const padding = "\n".repeat(Math.max(block.line - 2, 0));
  if (/^import /m.test(block.text) || fileOf(block) !== null) return `\n${padding}${block.text}\n`;
  const declared = new Set([...block.text.matchAll(/^(?:export )?(?:const|function) (\w+)/gm)].map(([, name]) => name));
  const names = Object.keys(holdfast).filter((name) => !declared.has(name));
  const models = [...block.text.matchAll(/^(?:export )?const (\w+) = model\(/gm)].map(([, name]) => name);
  const isBackend = models.length > 0 && !/^export default /m.test(block.text);
  const first = `import { ${names.join(", ")} } from "holdfast"; ${block.words.includes("db") ? opening(hasBackend) : ""}`;
  return `${first}\n${padding}${block.text}\n${isBackend ? `export default backend({ ${models.join(", ")} });\n` : "export {};\n"}`;
}

function opening(hasBackend: boolean): string {
  const from = hasBackend
    ? 'import $backend from "./backend.ts"'
    : `import { store as $backend } from "${root}examples/store/backend.ts"`;
  return `${from}; import { createTestApp as $open } from "holdfast/testing"; await using app = await $open($backend); const db = app.system;`;
}

/** Type errors of all examples, each beginning with its file and line. Those of the source are the types check's. */
export async function typeCheck(workspace: string): Promise<readonly string[]> {
  const { code, output } = await run(installed("tsc"), ["-p", workspace, "--pretty", "false"], { cwd: workspace, quiet: true });
  return code === 0
    ? []
    : output
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("..") && !line.startsWith(" "));
}

/** Runs a file; the backend it exports must start. A file of tests is run as such. */
export async function runExample({ file }: Example): Promise<void> {
  if (file.endsWith(".test.ts")) return runTestFile(file);
  const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  if (!isBackend(module.default)) return;
  const app = await createTestApp(module.default);
  await app.close();
}

async function runTestFile(file: string): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { code, output } = await run(process.execPath, ["--conditions=holdfast-source", "--test", file], { env, quiet: true });
  if (code !== 0) throw new Error(output);
}

function isBackend(value: unknown): value is Parameters<typeof createTestApp>[0] {
  return typeof value === "object" && value !== null && "spec" in value && "action" in value;
}
