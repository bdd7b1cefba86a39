/** Asks the database for the tables that a schema takes over and that the journal does not know yet. */
import type { FoundTable } from "../../../drivers/found.ts";
import type { Schema } from "../../../schema/schema.ts";
import type { MigrateContext } from "../apply/apply.ts";
import { readerOf } from "../journal/journal.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";

/** By their names; those that are not there are made. */
export async function findTakenOver(
  { database, ddl }: Pick<MigrateContext, "database" | "ddl">,
  schema: Schema,
  { models }: Snapshot,
): Promise<ReadonlyMap<string, FoundTable>> {
  const known = new Set(models.map(({ table }) => table));
  const tables = [...schema.models.values()]
    .filter(({ takenOver, table }) => takenOver && !known.has(table))
    .map(({ table }) => table);
  return tables.length === 0 ? new Map() : ddl.catalogue.readFound(readerOf(database), tables);
}
