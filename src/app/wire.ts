/** Opens what the configuration names: the only file of the product that names drivers. */
import { assert } from "../base/errors.ts";
import type { Database } from "../drivers/database.ts";
import type { Ddl } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
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

const isPostgres = (url: string) => /^postgres(ql)?:/.test(url);
const isMysql = (url: string) => /^(mysql|mariadb):/.test(url);

/** The path of a database's file, or null where it has none. @throws an assertion for a URL of no known kind */
export function fileOf(url: string): string | null {
  if (isPostgres(url) || isMysql(url)) return null;
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  // The URL itself is not repeated: it may hold a password.
  assert(
    file !== undefined,
    `the database URL begins with ${JSON.stringify(/^[^:/?#]{0,20}/.exec(url)?.[0])}: write sqlite:./data.db, postgres://user:password@host/name or mysql://user:password@host/name`,
  );
  return file === ":memory:" ? null : file;
}

/** Where development keeps its secret: beside the database's file, or else in the folder that it runs in. */
export function keyFileOf(url: string): string | null {
  const file = fileOf(url);
  return isShared(url) ? (file === null ? "./holdfast.key" : `${file}.key`) : null;
}

/** Whether several processes can work on the database at once. */
export function isShared(url: string): boolean {
  return isPostgres(url) || fileOf(url) !== null;
}

/** Fails with `database_failed` where the file is no database, `database_unreachable` where nobody listens. */
export async function openDatabase(url: string, onTrouble: OnTrouble): Promise<Opened> {
  if (isPostgres(url)) return openPostgresDatabase(url, onTrouble);
  if (isMysql(url)) return openMysqlDatabase(url, onTrouble);
  const database = openSqlite({ file: fileOf(url) ?? ":memory:", onTrouble: ({ kind, message }) => onTrouble(kind, message) });
  return { database, dialect: sqliteDialect, ddl: sqliteDdl };
}

// A driver is loaded only where it is wanted: its library is an optional peer.
async function openPostgresDatabase(url: string, onTrouble: OnTrouble): Promise<Opened> {
  const [{ openPostgres }, { postgresDialect }, { postgresDdl }] = await Promise.all([
    import("../drivers/database/postgres/postgres.ts"),
    import("../drivers/database/postgres/dialect.ts"),
    import("../drivers/database/postgres/ddl.ts"),
  ]);
  const database = await openPostgres({ url, onTrouble: ({ kind, message }) => onTrouble(kind, message) });
  return { database, dialect: postgresDialect, ddl: postgresDdl };
}

async function openMysqlDatabase(url: string, onTrouble: OnTrouble): Promise<Opened> {
  const [{ openMysql }, { mysqlDialect }, { mysqlDdl }] = await Promise.all([
    import("../drivers/database/mysql/mysql.ts"),
    import("../drivers/database/mysql/dialect.ts"),
    import("../drivers/database/mysql/ddl.ts"),
  ]);
  const database = await openMysql({ url, onTrouble: ({ kind, message }) => onTrouble(kind, message) });
  return { database, dialect: mysqlDialect, ddl: mysqlDdl };
}

/** Puts a backup in the place of a database that nobody has open. */
export function restoreDatabase(request: RestoreRequest): Restored {
  return restoreFrom(request);
}
