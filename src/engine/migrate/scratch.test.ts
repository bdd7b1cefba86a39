/** What the tests of migrations share: databases in a scratch folder, and one call that takes a database to a backend file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createSteppedClock } from "../../base/clock.ts";
import type { Database, Value } from "../../drivers/database.ts";
import { sqliteDdl } from "../../drivers/database/sqlite/ddl.ts";
import { openSqlite } from "../../drivers/database/sqlite/sqlite.ts";
import { compileSchema, type DeclaredModel } from "../../schema/compile.ts";
import type { Schema } from "../../schema/schema.ts";
import type { MigrateContext } from "./apply.ts";

export interface Scratch extends MigrateContext {
  readonly folder: string;
  readonly file: string;
  readonly rows: (text: string, ...params: readonly Value[]) => Promise<readonly (readonly Value[])[]>;
  readonly run: (text: string, ...params: readonly Value[]) => Promise<void>;
  /** Statements that break what the product holds true, such as DDL by hand. */
  readonly byHand: (...texts: readonly string[]) => Promise<void>;
}

/** A folder that is gone after the test. */
export function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-migrate-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A database in a file of its own, closed after the test. */
export function openScratch(t: TestContext, file = join(scratchFolder(t), "data.db")): Scratch {
  const database = openSqlite({ file });
  t.after(() => database.close());
  return withDatabase(database, file);
}

export function withDatabase(database: Database, file: string): Scratch {
  return {
    database,
    file,
    folder: join(file, ".."),
    ddl: sqliteDdl,
    clock: createSteppedClock(),
    rows: async (text, ...params) => database.read({ text, params }),
    run: async (text, ...params) => void (await database.write([{ text, params, kind: "run" }])),
    byHand: async (...texts) => database.migrate(texts.map((text) => ({ text, params: [] }))),
  };
}

/** Compiles models under their own names. */
export function schemaOf(...models: readonly DeclaredModel[]): Schema {
  return compileSchema(Object.fromEntries(models.map((model) => [model.name, model])));
}
