/** The files of Swagger UI: from the package beside the program where it is built, from node_modules where it runs from source. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** Every file that is served, with its type; nothing else of the package can be asked for. */
export const assetTypes: Readonly<Record<string, string>> = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

const folders = ["./docs/", "../../../node_modules/swagger-ui-dist/"] as const;

/** Reads one of the files; null where the package was installed without them. */
export async function readAsset(name: string): Promise<Uint8Array | null> {
  for (const folder of folders) {
    const file = new URL(folder + name, import.meta.url);
    if (existsSync(file)) return readFile(file);
  }
  return null;
}
