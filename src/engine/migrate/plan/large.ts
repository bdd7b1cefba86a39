/** Which tables have so many rows that a migration takes the ways in which nobody waits for them. */
import type { MigrateContext } from "../apply/apply.ts";
import { schemasOf } from "../../../schema/table-name.ts";
import { readerOf } from "../journal/journal.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";

/** Below this, passing over all rows takes less time than the further transactions of a migration in phases. */
const manyRowsMinDefault = 10_000;

/** By their names; empty where the database has no such ways. */
export async function findLarge(
  { database, ddl, manyRowsMin = manyRowsMinDefault }: Pick<MigrateContext, "database" | "ddl" | "manyRowsMin">,
  { models }: Snapshot,
): Promise<ReadonlySet<string>> {
  if (ddl.manner.online === null || models.length === 0) return new Set();
  const sizes = await ddl.catalogue.readSizes(readerOf(database), schemasOf(models.map(({ table }) => table)));
  const nameOf = (table: string) => ddl.catalogue.describe({ name: table, columns: [], key: [] }, []).name;
  return new Set(models.map(({ table }) => table).filter((table) => (sizes.get(nameOf(table)) ?? 0) >= manyRowsMin));
}
