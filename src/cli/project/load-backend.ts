/** Loads the backend file, and says of a broken one where it is broken and how to mend it. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import type { Backend } from "../../engine/backend.ts";
import type { Registry } from "../../engine/typed.ts";
import { failCli } from "../errors.ts";

/** @throws backend_missing, backend_broken, backend_not_exported */
export async function loadBackend(file: string, cwd: string): Promise<Backend<Registry>> {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw failCli("backend_missing", { fields: { file, near: nearFile(path) } });
  const module = await importFile(path, cwd);
  if (isBackend(module["default"])) return module["default"];
  throw failCli("backend_not_exported", { fields: { file, near: nearExport(module) } });
}

async function importFile(path: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { place, fault } = describe(error, path, cwd);
    throw failCli("backend_broken", { fields: { place, fault }, cause: error });
  }
}

// By its shape: the backend may come from another copy of the package.
function isBackend(value: unknown): value is Backend<Registry> {
  if (typeof value !== "object" || value === null || !("spec" in value)) return false;
  const { spec } = value as { readonly spec: unknown };
  return typeof spec === "object" && spec !== null && "models" in spec && "actions" in spec && "hooks" in spec;
}

function nearFile(path: string): string {
  const folder = dirname(path);
  if (!existsSync(folder)) return ` There is no folder ${folder}.`;
  const near = nearest(
    basename(path),
    readdirSync(folder).filter((name) => /\.[cm]?[jt]s$/.test(name)),
  );
  return near === null ? "" : ` Did you mean ${JSON.stringify(near)}?`;
}

function nearExport(module: Readonly<Record<string, unknown>>): string {
  const name = Object.keys(module).find((key) => isBackend(module[key]));
  if (name !== undefined) return ` It exports one as ${name}: write \`export default ${name}\`.`;
  const { default: given } = module;
  if (given === undefined) return "";
  const isModels =
    typeof given === "object" &&
    given !== null &&
    Object.values(given).some((value) => typeof value === "object" && value !== null && "spec" in value);
  return isModels
    ? " The default export looks like models: put them into backend({ … })."
    : ` The default export is ${given === null ? "null" : `of type ${typeof given}`}.`;
}

function describe(error: unknown, path: string, cwd: string): { readonly place: string; readonly fault: string } {
  if (!(error instanceof Error)) return { place: `  ${relative(cwd, path)}\n`, fault: `  It throws ${String(error)}.` };
  const frame = (error.stack ?? "")
    .split("\n")
    .find((line) => /^ +at .*file:/.test(line) && !line.includes("/node_modules/") && line.includes(pathToFileURL(cwd).href));
  // Where a file cannot be parsed, the engine says so only when nobody catches it.
  if (error instanceof SyntaxError && frame === undefined) {
    const told = askForPlace(path, cwd) ?? `${relative(cwd, path)}: ${error.name}: ${error.message}`;
    return { place: "", fault: indent(`${told}${hintOfType(path)}`) };
  }
  const place = /(file:[^\s)]+)/.exec(frame ?? "")?.[1];
  return {
    place: place === undefined ? `  ${relative(cwd, path)}\n` : `  ${place.replace(`${pathToFileURL(cwd).href}/`, "")}\n`,
    fault: indent(`${error.name}: ${error.message}`),
  };
}

// A file that cannot be parsed is never evaluated, nor is what imports it, so running it again has no effect but the message.
function askForPlace(path: string, cwd: string): string | null {
  const { stderr } = spawnSync(process.execPath, [...process.execArgv, path], { cwd, encoding: "utf8", timeout: 10_000 });
  const lines = stderr.split("\n");
  const start = lines.findIndex((line) => /^(file:\/\/|\/|[A-Z]:\\).*:\d+$/.test(line));
  const end = lines.findIndex((line, index) => index > start && /^\w*Error\b/.test(line));
  if (start < 0 || end < 0) return null;
  const [place = "", ...told] = lines.slice(start, end + 1).filter((line) => line.trim() !== "");
  return [place.replace(`${pathToFileURL(cwd).href}/`, "").replace(`${cwd}/`, ""), ...told].join("\n");
}

// What `npm init` writes makes every .ts file CommonJS, in which the first import is the error.
function hintOfType(path: string): string {
  if (!/\.[jt]s$/.test(path)) return "";
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { type } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly type?: string };
      return type === "commonjs" ? `\nThe package.json says "type": "commonjs": write "type": "module" instead.` : "";
    }
    if (dirname(folder) === folder) return "";
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
