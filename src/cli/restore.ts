/** `holdfast restore`: puts a backup in the place of the database, after it has been checked, in one step. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { addDatabaseFlag, type CommandFile, type ProjectFlags } from "./command.ts";
import { failCli } from "./errors.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface RestoreFlags extends ProjectFlags {
  readonly force?: boolean;
}

export const command: CommandFile = {
  define: (command) =>
    void addDatabaseFlag(command).argument("<file>", "a backup").option("--force", "replace a database that is there"),
  examples: ["holdfast restore backups/monday.db", "holdfast restore backups/monday.db --force"],
  run,
};

async function run(terminal: Terminal, flags: RestoreFlags, [file = ""]: readonly string[]): Promise<number> {
  const [{ settingsOf }, { fileOf, restoreDatabase }] = await Promise.all([
    import("./project/settings.ts"),
    import("../app/wire.ts"),
  ]);
  const { database: url } = settingsOf(terminal, flags);
  const target = fileOf(url);
  if (target === null)
    throw failCli("usage", { fields: { fault: "Only a file of SQLite is restored: a server has its own tools for that." } });
  const from = resolve(terminal.cwd, file);
  if (!existsSync(from)) throw failCli("backup_unfit", { fields: { file, fault: "there is no such file." } });
  const to = resolve(target);
  if (existsSync(to) && !flags.force) throw failCli("database_exists", { fields: { file: target } });
  const outcome = restoreDatabase({ from, to });
  if (outcome.state === "unfit") throw failCli("backup_unfit", { fields: { file, fault: outcome.faults.join(" ") } });
  if (outcome.state === "in-use") throw failCli("database_in_use", { fields: { file: target } });
  terminal.say(`Restored ${target} from ${file}. Its integrity was checked first.`);
  terminal.document({ restored: to, from });
  return exitCodes.done;
}
