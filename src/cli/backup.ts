/** `holdfast backup`: copies the database to a file while it is in use. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { addDatabaseFlag, type CommandFile, type ProjectFlags } from "./command.ts";
import { failCli } from "./errors.ts";
import { createProgress } from "./say/progress.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export const command: CommandFile = {
  define: (command) => void addDatabaseFlag(command).argument("<file>", "a new file for the copy"),
  examples: ["holdfast backup backups/monday.db", "holdfast backup /mnt/usb/films.db --database ./films.db"],
  run,
};

async function run(terminal: Terminal, flags: ProjectFlags, [file = ""]: readonly string[]): Promise<number> {
  const { withDatabase } = await import("./project/settings.ts");
  const path = resolve(terminal.cwd, file);
  if (existsSync(path)) throw failCli("backup_exists", { fields: { file } });
  return withDatabase(terminal, flags, async ({ database }, settings) => {
    const progress = createProgress(terminal, "Copying");
    await database.backup(path, progress.show);
    progress.end();
    const { size: bytes } = statSync(path);
    terminal.say(`Wrote ${file} (${(bytes / 1_000_000).toFixed(1)} MB), whole and as of one moment.`);
    terminal.document({ file: path, bytes, database: settings.database });
    return exitCodes.done;
  });
}
