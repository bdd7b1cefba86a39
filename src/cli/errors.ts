/** The command line's error table: what a command may fail with before the product is at work. */
import { defineErrors } from "../base/errors.ts";

export const cliErrors = {
  usage: { status: 400, message: "{fault}", explanation: "`holdfast <command> --help` shows every flag with examples." },
  backend_missing: {
    status: 500,
    message: "There is no backend file {file}.{near}",
    explanation:
      "Run the command in the folder of the app, or name the file: --backend path/to/backend.ts. `holdfast init` writes a new app.",
  },
  backend_broken: {
    status: 500,
    message: "The backend file cannot be loaded.\n{place}{fault}",
    explanation: "Mend the file at that place. --debug shows the whole stack.",
  },
  backend_not_exported: {
    status: 500,
    message: "{file} exports no backend as its default.{near}",
    explanation: "End the file with `export default backend({ … })`.",
  },
  database_missing: {
    status: 500,
    message: "There is no database {file}.",
    explanation: "The first `holdfast start` makes it. --database names another one.",
  },
  backend_exists: {
    status: 500,
    message: "{file} exists already.",
    explanation: "Nothing was written. Name another file with --out, compare with --check, or say --force to replace it.",
  },
  no_tables: {
    status: 500,
    message: "{database} has no tables that this user can see.",
    explanation:
      "Nothing was written. Look whether the URL names the right database, in its own letters, and a user who may read it.",
  },
  nothing_to_adopt: {
    status: 500,
    message: "{database} has no table that can be served.",
    explanation: "Nothing was written. Without --json each table is named with the reason.",
  },
  database_exists: {
    status: 500,
    message: "{file} exists already.",
    explanation: "Restoring replaces the whole database. Make a backup of it first, stop the server, and say --force.",
  },
  database_in_use: {
    status: 500,
    message: "{file} is in use.",
    explanation: "Stop every process that has the database open, then restore.",
  },
  backup_unfit: {
    status: 500,
    message: "{file} cannot be restored: {fault}",
    explanation: "Nothing was changed. A backup is made by `holdfast backup`.",
  },
  backup_exists: {
    status: 500,
    message: "{file} exists already.",
    explanation: "A backup is written to a new file, so that a failed one never costs an older one. Give another name.",
  },
  database_behind: {
    status: 500,
    message: "The database does not have the backend file's schema.",
    explanation: "Run `holdfast migrate plan` to see the difference and `holdfast migrate apply` to bring it up to date.",
  },
  port_taken: {
    status: 500,
    message: "Port {port} is taken.",
    explanation: "Another program listens there. Stop it, or give another one: --port, or HOLDFAST_PORT; 0 takes a free one.",
  },
  database_unshared: {
    status: 500,
    message: "{database} is private to one process: {count} workers cannot share it.",
    explanation: "Name a file, as in --database ./data.db, or leave --workers out.",
  },
  worker_failed: {
    status: 500,
    message: "Worker {number} could not be started.\n  {fault}",
    explanation: "Nothing is served. Mend what it says; `holdfast start --workers 1` shows it without the others.",
  },
  worker_dying: {
    status: 500,
    message: "Worker {number} has ended {count} times in a row, each time soon after its start.\n  The last time: {fault}",
    explanation:
      "The other workers have finished what was in flight and ended too. Look at the log for what ends it, then start again.",
  },
  folder_not_empty: {
    status: 500,
    message: "The folder {folder} is not empty.",
    explanation: "Give the name of a new folder, or of an empty one. Nothing was written.",
  },
} as const;

export const failCli = defineErrors(cliErrors);
