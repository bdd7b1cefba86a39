/**
 * `npm run build`: writes dist/, which is what a user installs. All scripts lie flat in it, under stable names, because a
 * thread's file is found beside the file that starts it. `--partial` goes on where an entry is not written yet; `--out=FOLDER`
 * writes elsewhere.
 */
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { installed, root, run } from "./run.ts";

/** Entries of the package by the name of their file in dist/. */
export const entries: Readonly<Record<string, string>> = {
  index: "src/index.ts",
  testing: "src/testing/index.ts",
  cli: "src/cli/main.ts",
  "writer-thread": "src/drivers/database/sqlite/writer-thread.ts",
  "writer-process": "src/drivers/database/sqlite/writer-process.ts",
  "reader-thread": "src/drivers/database/sqlite/reader-thread.ts",
};

/** Libraries that go into the bundle: docs/decisions/0003-dependencies.md says why. All others stay imports. */
export const bundled: ReadonlySet<string> = new Set(["commander", "jose"]);

/** What /docs needs of swagger-ui-dist, and its licence; never its install script or the package that this would run. */
const docsFiles = [
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "swagger-ui.css",
  "index.css",
  "favicon-32x32.png",
  "LICENSE",
  "NOTICE",
];

/** Builds into `out`, an absolute path, which is emptied first. */
export async function build(out: string, partial: boolean): Promise<void> {
  const missing = Object.values(entries).filter((path) => !existsSync(root + path));
  if (missing.length > 0 && !partial) throw new Error(`there is no ${missing.join(", ")} (--partial builds the rest)`);
  for (const path of missing) console.warn(`left out: there is no ${path}`);
  rmSync(out, { recursive: true, force: true });
  const chunks = await bundle(out, Object.fromEntries(Object.entries(entries).filter(([, path]) => !missing.includes(path))));
  const strays = chunks.flatMap(({ imports }) => imports).filter((name) => !isKnown(name));
  if (strays.length > 0) throw new Error(`the bundle imports what no user has: ${[...new Set(strays)].join(", ")}`);
  writeLicences(out);
  copyDocs(out);
  await writeTypes(out);
}

/** Bundles the entries; what two of them share becomes a file of its own, so that each module exists once in a process. */
async function bundle(out: string, input: Record<string, string>): Promise<{ imports: string[] }[]> {
  const build = await rolldown({
    cwd: root,
    input,
    platform: "node",
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && !bundled.has(id),
    resolve: { conditionNames: ["holdfast-source", "node", "import", "default"] },
    onLog(level, log) {
      if (level === "warn") throw new Error(log.message);
    },
  });
  const { output } = await build.write({
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "part-[name].js",
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  await build.close();
  const local = new Set(output.map(({ fileName }) => fileName));
  return output.flatMap((chunk) =>
    chunk.type === "chunk" ? [{ imports: [...chunk.imports, ...chunk.dynamicImports].filter((name) => !local.has(name)) }] : [],
  );
}

function isKnown(name: string): boolean {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    readonly name: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly peerDependencies?: Readonly<Record<string, string>>;
  };
  const had = { ...manifest.dependencies, ...manifest.peerDependencies, [manifest.name]: "itself" };
  return isBuiltin(name) || Object.keys(had).some((known) => name === known || name.startsWith(`${known}/`));
}

/** The licences of what is inside the bundle, which they ask to travel with it. */
function writeLicences(out: string): void {
  const texts = [...bundled].sort().map((name) => {
    const folder = `${root}node_modules/${name}/`;
    const { version, license } = JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as Record<string, string>;
    const file = globSync("LICEN[CS]E*", { cwd: folder })[0];
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(folder + file, "utf8").trim()}\n`;
  });
  writeFileSync(`${out}/LICENSES.txt`, texts.join(`\n${"-".repeat(80)}\n\n`));
}

function copyDocs(out: string): void {
  mkdirSync(`${out}/docs`, { recursive: true });
  for (const file of docsFiles) copyFileSync(`${root}node_modules/swagger-ui-dist/${file}`, `${out}/docs/${file}`);
}

async function writeTypes(out: string): Promise<void> {
  const { code } = await run(installed("tsc"), ["-p", "tsconfig.build.json", "--outDir", `${out}/types`]);
  if (code !== 0) throw new Error("the declarations were not written");
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { partial: { type: "boolean", default: false }, out: { type: "string", default: "dist" } },
  });
  const out = resolve(root, values.out);
  try {
    await build(out, values.partial);
    for (const file of globSync("*.js", { cwd: out }).sort())
      console.log(`${file} ${(statSync(`${out}/${file}`).size / 1000).toFixed(0)} kB`);
  } catch (error) {
    rmSync(out, { recursive: true, force: true });
    console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
