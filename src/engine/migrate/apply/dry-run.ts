/** Rehearses a migration on a copy of the database, or in a transaction that is undone where a database has such; checks what came of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../../base/errors.ts";
import type { Database } from "../../../drivers/database.ts";
import type { Ddl } from "../../../drivers/ddl.ts";
import { type MigrateContext, runEntry } from "./apply.ts";
import { failMigrate } from "../errors.ts";
import { findDrift } from "../journal/drift.ts";
import { countRows } from "../plan/explain.ts";
import { type JournalEntry, type Readable, readerOf } from "../journal/journal.ts";
import { runWhole } from "./phases.ts";
import { schemasOf, shownTable } from "../../../schema/table-name.ts";
import { tableOf } from "../snapshot/snapshot.ts";
import { createStep } from "../steps/step.ts";

export interface DryRunOptions {
  /** Opens the copy: the driver's factory. Not asked where no copy is made. */
  readonly openCopy: (path: string) => Database | Promise<Database>;
  /** An existing folder with room for a copy of the database. */
  readonly folder: string;
}

export interface DryRun {
  /** Rows by table, before and after; null where the table is not there. */
  readonly rows: ReadonlyMap<string, { readonly before: number | null; readonly after: number | null }>;
  /** Null where no copy was made. */
  readonly copyMs: number | null;
  readonly applyMs: number;
  /** Broken references, damaged pages, and differences from what was planned; empty when all is well. */
  readonly faults: readonly string[];
}

/**
 * Runs a journal entry on a copy, or as one transaction that is undone.
 * @throws AppError `migration_refused` where the data stands in the way
 */
export async function dryRun(context: MigrateContext, entry: JournalEntry, options: DryRunOptions): Promise<DryRun> {
  if (context.database.migrator !== undefined) return rehearseInside(context, entry);
  const folder = await mkdtemp(join(options.folder, "holdfast-dry-run-"));
  try {
    const path = join(folder, "copy.db");
    const startMs = performance.now();
    await context.database.backup(path);
    const copyMs = performance.now() - startMs;
    const copy = await options.openCopy(path);
    try {
      return { ...(await rehearse({ ...context, database: copy }, entry)), copyMs };
    } finally {
      await copy.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rehearse(copy: MigrateContext, entry: JournalEntry): Promise<Omit<DryRun, "copyMs">> {
  const { database, ddl } = copy;
  const before = await countAll(database, entry, ddl);
  const startMs = performance.now();
  await runEntry(copy, entry);
  return judge({ read: database, ddl, entry, before, startMs });
}

/** What would follow the transaction is done in it, for all of it is undone. */
async function rehearseInside({ database, ddl }: MigrateContext, entry: JournalEntry): Promise<DryRun> {
  const run = await database.migrator?.(async (migrator) => {
    if (migrator.rehearse === undefined) throw failMigrate("dry_run_unsupported");
    const rehearse = migrator.rehearse.bind(migrator);
    const before = await countAll(migrator, entry, ddl);
    const startMs = performance.now();
    const outcome: { judged?: Omit<DryRun, "copyMs"> } = {};
    await runWhole({ ddl }, entry, (statements) =>
      rehearse(statements, async (read) => {
        outcome.judged = await judge({ read: { read }, ddl, entry, before, startMs });
      }),
    );
    return outcome.judged;
  });
  assert(run !== undefined, "a rehearsal looks at what came of it");
  return { ...run, copyMs: null };
}

interface Judged {
  readonly read: Readable;
  readonly ddl: Ddl;
  readonly entry: JournalEntry;
  readonly before: ReadonlyMap<string, number>;
  readonly startMs: number;
}

async function judge({ read: database, ddl, entry, before, startMs }: Judged): Promise<Omit<DryRun, "copyMs">> {
  const applyMs = performance.now() - startMs;
  const after = await countAll(database, entry, ddl);
  const planned = entry.snapshot.models.map((model) => tableOf(model, [entry.snapshot]).name);
  const names = new Set([...before.keys(), ...after.keys(), ...planned]);
  const rows = new Map(
    [...names].toSorted().map((name) => [shownTable(name), { before: before.get(name) ?? null, after: after.get(name) ?? null }]),
  );
  const schemas = schemasOf(planned);
  const faults = [
    ...(await ddl.catalogue.verify(readerOf(database), schemas)),
    ...(await findDrift(database, entry.snapshot, ddl)),
  ];
  return { rows, applyMs, faults };
}

/** Of the tables that are the journal's to know. */
async function countAll(database: Readable, { snapshot, up }: JournalEntry, ddl: Ddl): Promise<ReadonlyMap<string, number>> {
  const { catalogue, manner } = ddl;
  // Beside tables of others, those are a few of many.
  const ours = new Set([...snapshot.models.map(({ table }) => table), ...up.flatMap(({ table }) => table ?? [])]);
  const there = manner.apart
    ? [...(await catalogue.readStructures(readerOf(database), schemasOf(ours))).tables.keys()].filter((table) => ours.has(table))
    : await catalogue.readTables(readerOf(database));
  const tables = there.filter((table) => !table.startsWith("_"));
  const steps = tables.map((table) => createStep({ kind: "note", model: "", table, work: "rows" }));
  return countRows(database, steps, ddl);
}
