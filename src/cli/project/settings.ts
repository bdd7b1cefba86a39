/** What the commands that work with an app share: its options from flags and environment, and its database without a server. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readEnvironment } from "../../app/config.ts";
import { type AppOptions, databaseDefault, resolveOptions, type Settings } from "../../app/options.ts";
import { fileOf, openDatabase, type Opened, showUrl } from "../../app/wire.ts";
import { failCli } from "../errors.ts";
import type { ProjectFlags } from "../command.ts";
import type { Terminal } from "../terminal.ts";

/** What begins as URLs do, even misspelt ones: no file may come of a URL that names a server. A letter alone is a drive. */
const urlLike = /^([a-z][a-z0-9+.-]+:|(postgres(ql)?|mysql|mariadb|sqlite)\/\/)/i;

/** A path alone stands for SQLite. */
export function toUrl(database: string): string {
  return urlLike.test(database) ? database : `sqlite:${database}`;
}

/** The environment's options, and over them those of the flags. */
export function optionsOf({ env, cwd }: Terminal, { database: flag }: ProjectFlags, more: AppOptions = {}): AppOptions {
  const { database: known = databaseDefault, ...rest } = readEnvironment(env);
  const database = flag === undefined ? known : toUrl(flag);
  return { ...rest, database: fromFolder(cwd, database), ...more };
}

/** Every path that a command is given, whoever gives it, leads from the folder that the command runs in. */
function fromFolder(cwd: string, url: string): string {
  const file = fileOf(url);
  // Where the process runs there as well the path stays as it was written, for people read it.
  return file === null || resolve(cwd, file) === resolve(file) ? url : `sqlite:${resolve(cwd, file)}`;
}

/** Where backend and database were said to be, for a command that shall meet the same ones. A password is not shown. */
export function placesOf({ backend, database }: ProjectFlags): readonly string[] {
  const shown = database === undefined ? "" : showUrl(toUrl(database)) === toUrl(database) ? database : "URL";
  return [
    ...(backend === undefined || backend === "backend.ts" ? [] : ["--backend", quoted(backend)]),
    ...(shown === "" ? [] : ["--database", quoted(shown)]),
  ];
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function settingsOf(terminal: Terminal, flags: ProjectFlags): Settings {
  return resolveOptions(optionsOf(terminal, flags));
}

/** Works with the database that flags and environment name, and closes it. @throws database_missing where there is no file */
export async function withDatabase<T>(
  terminal: Terminal,
  flags: ProjectFlags & { readonly isAdopted?: boolean; readonly schemas?: readonly string[] },
  work: (opened: Opened, settings: Settings) => Promise<T>,
): Promise<T> {
  const { isAdopted = false, schemas = [] } = flags;
  const settings = settingsOf(terminal, flags);
  const file = fileOf(settings.database);
  if (file !== null && !existsSync(file)) throw failCli("database_missing", { fields: { file } });
  const onTrouble = (kind: string, message: string) => terminal.note(`${kind}: ${message}`);
  const opened = await openDatabase(settings.database, onTrouble, {
    isAdopted,
    schemas,
    tablesInside: settings.tablesInside,
    limits: settings.databaseLimits,
  });
  try {
    return await work(opened, settings);
  } finally {
    await opened.database.close();
  }
}
