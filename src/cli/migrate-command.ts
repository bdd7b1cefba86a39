/** The flags of `holdfast migrate`, and the database and schema it works with. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Argument } from "commander";
import { adoptionOf } from "../schema/schema.ts";
import { addProjectFlags, type CommandFile, gather, type ProjectFlags } from "./command.ts";
import type { MigrateAction } from "./migrate.ts";
import type { Terminal } from "./terminal.ts";

interface MigrateFlags extends ProjectFlags {
  readonly confirm?: readonly string[];
  readonly dryRun?: boolean;
}

export const command: CommandFile = {
  define: (command) =>
    void addProjectFlags(command)
      .addArgument(new Argument("<action>", "what to do").choices(["plan", "apply", "status", "down"]))
      .option("--confirm <phrase>", "agree to a loss, in the words of the plan; may be given more than once", gather)
      .option("--dry-run", "rehearse it on a copy of the database, and change nothing"),
  examples: [
    "holdfast migrate plan",
    "holdfast migrate apply --dry-run",
    'holdfast migrate apply --confirm "drop films.rating"',
    "holdfast migrate status --json",
    "holdfast migrate down",
  ],
  run,
};

async function run(terminal: Terminal, flags: MigrateFlags, [action]: readonly string[]): Promise<number> {
  const [{ loadBackend }, { compileSchema }, { runMigrate }, { placesOf, settingsOf }, { fileOf, openDatabase }] =
    await Promise.all([
      import("./project/load-backend.ts"),
      import("../schema/compile.ts"),
      import("./migrate.ts"),
      import("./project/settings.ts"),
      import("../app/wire.ts"),
    ]);
  const backend = await loadBackend(flags.backend ?? "backend.ts", terminal.cwd);
  const schema = compileSchema(backend.spec.models as Parameters<typeof compileSchema>[0]);
  const { database: url, databaseLimits: limits, tablesInside } = settingsOf(terminal, flags);
  const file = fileOf(url);
  // To look must not make a database.
  const isThere = file === null || existsSync(file) || action === "apply";
  const onTrouble = (kind: string, message: string) => terminal.note(`${kind}: ${message}`);
  const adopting = { ...adoptionOf(schema), tablesInside, limits };
  const opened = await openDatabase(isThere ? url : "sqlite::memory:", onTrouble, adopting);
  try {
    const { json, confirm, dryRun } = flags;
    return await runMigrate(
      {
        ...opened,
        schema,
        clock: terminal.clock,
        places: placesOf(flags),
        folder: dirname(resolve(file ?? terminal.cwd)),
        openCopy: async (path) => (await openDatabase(`sqlite:${path}`, onTrouble, adopting)).database,
        out: (line) => terminal.writeOut(`${line}\n`),
      },
      {
        action: action as MigrateAction,
        ...(json === undefined ? {} : { json }),
        ...(confirm === undefined ? {} : { confirm }),
        ...(dryRun === undefined ? {} : { dryRun }),
      },
    );
  } finally {
    await opened.database.close();
  }
}
