/** The error table of migrations: what they refuse, and what to do about it. */
import { defineErrors } from "../../base/errors.ts";

export const migrateErrors = {
  migration_pending: {
    status: 503,
    message: "The database is {count} step(s) behind the backend file:\n{steps}\nRun `{command}`.",
    explanation:
      "In production nothing changes the database unasked. Look at `holdfast migrate plan`, then run the command, or start with `--migrate`.",
  },
  migration_unconfirmed: {
    status: 409,
    message: "The migration loses data and needs a written confirmation:\n{losses}\nRun `{command}`.",
    explanation:
      "A step that drops a column or a table, or that rounds values, runs only when its phrase is written out with `--confirm`.",
  },
  migration_refused: {
    status: 409,
    message: "The migration cannot be done on this data:\n{reasons}",
    explanation: "Nothing was changed. Each line names what stands against it, and the mend.",
  },
  migration_drifted: {
    status: 409,
    message: "Somebody changed the database by hand, and a migration might undo it:\n{drift}\nMend it, or run `{command}`.",
    explanation:
      "A table that is rebuilt keeps only the columns and indexes that the journal knows. Undo the change, or agree with `--confirm drift`.",
  },
  migration_unfinished: {
    status: 409,
    message:
      "The migration is under way and has met rows that do not fit:\n  {reason}\nMend them and run `holdfast migrate apply`.",
    explanation:
      "What came before stays done. The migration goes on where it stopped, with `migrate apply` or at the next start, and the app does not start before it has come to its end.",
  },
  dry_run_unsupported: {
    status: 501,
    message: "This database cannot rehearse a migration: its definitions commit by themselves.",
    explanation: "`holdfast migrate plan` reads only. Restore a backup into another database, and migrate that one.",
  },
  migration_raced: {
    status: 409,
    message: "Another process migrated the database to another schema in the meantime.",
    explanation:
      "Two versions of the backend file run against one database. Nothing was changed by this one; deploy one version and plan again.",
  },
  migration_irreversible: {
    status: 409,
    message: "The last migration cannot be undone: {reason}",
    explanation: "Some changes have no exact way back. Restore a backup, or write a forward change instead.",
  },
  migration_nothing_to_undo: {
    status: 409,
    message: "There is no migration to undo.",
    explanation: "The journal is empty, or every migration in it has been undone.",
  },
  migration_journal_unreadable: {
    status: 500,
    message: "The journal was written by a newer version: its format is {format}.",
    explanation: "Run the version of the product that wrote it, or a newer one.",
  },
  database_not_ours: {
    status: 409,
    message: "The database has tables and no journal: {tables}.",
    explanation: "It was not made by this product, and is left alone. Point the backend at an empty database.",
  },
  key_too_long: {
    status: 500,
    message: "The key of {model} may be {length} characters long, and this database holds {max}.",
    explanation: "Give the texts in the key a max(): together they have at most so many characters.",
  },
  index_condition_unsupported: {
    status: 500,
    message: "The index {index} of {model} has a condition that no index can have: {why}",
    explanation: "A partial index may compare the model's own stored fields with constants, joined by and, or and not.",
  },
} as const;

export const failMigrate = defineErrors(migrateErrors);
