/** Finds the copy of Holdfast that an app has installed, for a command line that was started from another one. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

type Main = (argv: readonly string[]) => Promise<number>;

/**
 * `main` of the copy in the nearest node_modules from `cwd` upwards; null where there is none, it is this one, or this one
 * is run from its source.
 */
export async function localMain(cwd: string, own: string): Promise<Main | null> {
  const ownFile = fileURLToPath(own);
  if (!ownFile.endsWith(".js")) return null;
  const file = findLocal(cwd);
  if (file === null || file === realpathSync(ownFile)) return null;
  const { main } = (await import(pathToFileURL(file).href)) as { readonly main: Main };
  return main;
}

function findLocal(from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules/holdfast/dist/cli.js");
    if (existsSync(file)) return realpathSync(file);
    if (dirname(folder) === folder) return null;
  }
}
