/** Opens an app's engine for a command that asks it something: no server, and nothing is migrated. */
import { createIdMaker } from "../../base/ids.ts";
import type { Backend } from "../../engine/backend.ts";
import { createEngine } from "../../engine/create.ts";
import type { Explaining } from "../../engine/explain/explain.ts";
import { migrationStatus } from "../../engine/migrate/status.ts";
import type { Registry } from "../../engine/typed.ts";
import { compileSchema } from "../../schema/compile.ts";
import { adoptionOf } from "../../schema/schema.ts";
import type { ProjectFlags } from "../command.ts";
import { failCli } from "../errors.ts";
import { withDatabase } from "./settings.ts";
import type { Terminal } from "../terminal.ts";

interface Opening {
  readonly flags: ProjectFlags;
  readonly backend: Backend<Registry>;
  /** False where the database is not looked at: then it need not be there. */
  readonly needsRows: boolean;
}

const keyBytes = 32;

/** @throws backend_invalid, database_missing, database_behind */
export async function openEngine<T>(
  terminal: Terminal,
  { flags, backend, needsRows }: Opening,
  work: (opened: Pick<Explaining, "context" | "read">) => Promise<T>,
): Promise<T> {
  const schema = compileSchema(backend.spec.models as Parameters<typeof compileSchema>[0]);
  const { clock } = terminal;
  const { isAdopted, schemas } = adoptionOf(schema);
  // A database in memory stands for any: nothing is asked of it.
  const where = needsRows ? { schemas } : { database: "sqlite::memory:" };
  const asked = { ...flags, ...where, isAdopted };
  return withDatabase(terminal, asked, async (opened) => {
    if (needsRows) {
      const { state } = await migrationStatus({ ...opened, schema, clock });
      if (state !== "current") throw failCli("database_behind");
    }
    const { database, dialect, ddl } = opened;
    // No cursor is made here, so any key does.
    const cursorKey = new Uint8Array(keyBytes);
    const { context } = createEngine(backend, {
      schema,
      database,
      dialect,
      commits: ddl.catalogue.commits,
      cursorKey,
      clock,
      newId: createIdMaker(clock),
      onListenerError: () => terminal.note("a listener failed"),
    });
    return work({ context, read: (statement) => database.read(statement) });
  });
}
