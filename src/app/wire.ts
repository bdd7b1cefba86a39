/** Opens what the configuration names: the only file of the product that names drivers. */
import { assert } from "../base/errors.ts";
import type { CatalogTable } from "../drivers/catalog.ts";
import type { Database } from "../drivers/database.ts";
import type { Ddl } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import { readSqliteCatalog } from "../drivers/database/sqlite/catalog/catalog.ts";
import { sqliteDdl } from "../drivers/database/sqlite/ddl.ts";
import { sqliteDialect } from "../drivers/database/sqlite/dialect.ts";
import { type Restored, restoreFrom, type RestoreRequest } from "../drivers/database/sqlite/restore.ts";
import { openSqlite } from "../drivers/database/sqlite/sqlite.ts";

/** A database with its two languages. */
export interface Opened {
  readonly database: Database;
  readonly dialect: Dialect;
  readonly ddl: Ddl;
}

/** Trouble that no request is answered with. */
export type OnTrouble = (kind: string, message: string) => void;

/** The path of a database's file, or null where it is in memory. @throws an assertion for a URL of no known kind */
export function fileOf(url: string): string | null {
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  assert(file !== undefined, `${JSON.stringify(url)} is no database URL: write sqlite: and a path, as in sqlite:./data.db`);
  return file === ":memory:" ? null : file;
}

/** Fails with `database_failed` where the file is no database. */
export function openDatabase(url: string, onTrouble: OnTrouble): Opened {
  const database = openSqlite({ file: fileOf(url) ?? ":memory:", onTrouble: ({ kind, message }) => onTrouble(kind, message) });
  return { database, dialect: sqliteDialect, ddl: sqliteDdl };
}

/** Puts a backup in the place of a database that nobody has open. */
export function restoreDatabase(request: RestoreRequest): Restored {
  return restoreFrom(request);
}

/** What a database says of its tables. Opens it for reading alone, and closes it. Fails with `database_failed` where it is none. */
export async function readCatalog(url: string): Promise<readonly CatalogTable[]> {
  const database = openSqlite({ file: fileOf(url) ?? ":memory:", readOnly: true });
  try {
    return await readSqliteCatalog(async (text, params = []) => database.read({ text, params }, { long: true }));
  } finally {
    await database.close();
  }
}
