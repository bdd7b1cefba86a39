/** `holdfast openapi`: prints the OpenAPI document that the app serves. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { assert } from "../base/errors.ts";
import { addBackendFlag, type CommandFile, type ProjectFlags } from "./command.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface OpenapiFlags extends ProjectFlags {
  readonly out?: string;
}

export const command: CommandFile = {
  define: (command) => void addBackendFlag(command).option("--out <file>", "write it there instead of on standard output"),
  examples: ["holdfast openapi > openapi.json", "holdfast openapi --out openapi.json --backend src/backend.ts"],
  run,
};

async function run(terminal: Terminal, flags: OpenapiFlags): Promise<number> {
  const [{ createApp }, { loadBackend }, { optionsOf }] = await Promise.all([
    import("../app/app.ts"),
    import("./project/load-backend.ts"),
    import("./project/settings.ts"),
  ]);
  const backend = await loadBackend(flags.backend ?? "backend.ts", terminal.cwd);
  const options = optionsOf(terminal, { database: "sqlite::memory:" }, { mode: "development", log: false });
  const app = await createApp(backend, options);
  try {
    // What it says is what it serves.
    const response = await app.fetch(new Request("http://localhost/openapi.json"));
    assert(response.status === 200, "the app serves its OpenAPI document");
    const text = `${JSON.stringify(await response.json(), null, 2)}\n`;
    if (flags.out === undefined) terminal.writeOut(text);
    else writeFileSync(resolve(terminal.cwd, flags.out), text);
    if (flags.out !== undefined) terminal.note(`Wrote ${flags.out}.`);
    return exitCodes.done;
  } finally {
    await app.stop();
  }
}
