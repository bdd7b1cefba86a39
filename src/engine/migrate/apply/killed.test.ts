/** What the tests share that kill a migration: a process of their own that dies at a statement, and the fault that they must find. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { Database } from "../../../drivers/database.ts";
import { findDrift } from "../journal/drift.ts";
import { type JournalHead, readSnapshot } from "../journal/journal.ts";
import type { Scratch } from "../scratch.test.ts";

export interface Killed {
  readonly killed: boolean;
  /** Where a kill is worth its time; of a process that was not killed. */
  readonly places: readonly number[];
}

/** A file that migrates the database when it is run. */
export interface Program {
  readonly program: string;
  readonly url: string;
}

/** Runs `program die url statement manner`, which migrates, and kills itself there; 0 for never. */
export function migrateAndDie({ program, url }: Program, statement: number, manner: string): Killed {
  const args = [...process.execArgv, program, "die", url, String(statement), manner];
  const child = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.ok(child.signal === "SIGKILL" || child.status === 0, child.stderr);
  return { killed: child.signal === "SIGKILL", places: JSON.parse(child.stdout || "[]") as number[] };
}

/** The planted fault: a database whose migrations leave no marks in the journal. */
export function withoutMarks(database: Database): Database {
  const migrator: NonNullable<Database["migrator"]> = (work) =>
    (database as Required<Database>).migrator((given) =>
      work({
        ...given,
        together: (statements) =>
          given.together(statements.filter(({ text }) => !/UPDATE "_journal" SET "structure" = concat/.test(text))),
      }),
    );
  return { ...database, migrator };
}

/** In what a database differs from the snapshot that its journal ends with, and what its rows break; empty for nothing. */
export async function faultsOf({ database, ddl, rows }: Scratch, head: JournalHead | null): Promise<string> {
  const drift = await findDrift(database, await readSnapshot(database, head), ddl);
  return [...drift, ...(await ddl.catalogue.verify(async (textOf) => rows(textOf)))].join("; ");
}
