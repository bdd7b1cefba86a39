/** `holdfast init`: writes a small app that starts and whose tests pass. Runs on Node 20, so it must load nothing of the engine. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import type { CommandFile } from "./command.ts";
import { failCli } from "./errors.ts";
import { type AppFacts, appFiles } from "./init/files.ts";
import { type CommonFlags, exitCodes, type Terminal } from "./terminal.ts";

interface InitFlags extends CommonFlags {
  readonly yes?: boolean;
}

const defaultFolder = "my-app";

export const command: CommandFile = {
  define: (command) =>
    void command
      .argument("[folder]", "where to write it; new, or empty", defaultFolder)
      .option("-y, --yes", "ask nothing (it never does where the folder is given)"),
  examples: ["npx holdfast init my-app", "npx holdfast init . --yes"],
  run,
};

async function run(terminal: Terminal, _flags: InitFlags, [given = defaultFolder]: readonly string[]): Promise<number> {
  const folder = resolve(terminal.cwd, given);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw failCli("folder_not_empty", { fields: { folder: given } });
  const facts: AppFacts = { name: toPackageName(basename(folder)), holdfast: dependencyFor(folder) };
  const files = appFiles(facts);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  tell(terminal, { folder, given, files: Object.keys(files), facts });
  return exitCodes.done;
}

interface Told {
  readonly folder: string;
  readonly given: string;
  readonly files: readonly string[];
  readonly facts: AppFacts;
}

function tell({ say, cwd, document }: Terminal, { folder, given, files, facts }: Told): void {
  const next = [...(resolve(cwd) === folder ? [] : [`cd ${given}`]), "npm install", "npm test", "npm run dev"];
  say(`Wrote ${facts.name}:`);
  for (const file of files) say(`  ${file}`);
  say("\nNext:");
  for (const line of next) say(`  ${styleText("bold", line)}`);
  document({ folder, name: facts.name, files, holdfast: facts.holdfast, next });
}

/** A name that npm takes. */
function toPackageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" || name === "holdfast" ? "holdfast-app" : name.slice(0, 100);
}

/** The version of this copy; where it was installed from a file, that file as the new app reaches it. */
function dependencyFor(folder: string): string {
  const root = findPackage(dirname(fileURLToPath(import.meta.url)));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  const file = installedFrom(root);
  if (file === null) return `^${version}`;
  return `file:${relative(nearestReal(folder), file).replaceAll("\\", "/")}`;
}

function findPackage(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) || dirname(folder) === folder) return folder;
  }
}

/** The tarball or folder that the installing project's lock file names; the package itself where it is run from its source. */
function installedFrom(root: string): string | null {
  const modules = dirname(root);
  if (basename(modules) !== "node_modules") return root;
  const project = dirname(modules);
  // npm keeps the second one in node_modules, also where a project asked for no lock file.
  const lock = [join(project, "package-lock.json"), join(modules, ".package-lock.json")].find((path) => existsSync(path));
  if (lock === undefined) return null;
  const { packages = {} } = JSON.parse(readFileSync(lock, "utf8")) as {
    readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
  };
  const resolved = packages["node_modules/holdfast"]?.resolved;
  if (resolved === undefined || !resolved.startsWith("file:")) return null;
  return resolve(project, resolved.slice("file:".length));
}

/** The folder by its real path, also where it is not made yet: a relative path must not start behind a link. */
function nearestReal(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  return join(nearestReal(dirname(folder)), basename(folder));
}
