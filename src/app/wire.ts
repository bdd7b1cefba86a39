/** Opens what the configuration names: the only file of the product that names drivers. */
import { assert } from "../base/errors.ts";
import type { Database } from "../drivers/database.ts";
import type { Ddl } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { PostgresOptions } from "../drivers/database/postgres/options.ts";
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

/** A URL as it may be shown: without its password. */
export function showUrl(url: string): string {
  return url.replace(/(:\/\/[^:/?#]*):.*@/, "$1:***@").replace(/([?&]password=)[^&]*/gi, "$1***");
}

/** The path of a database's file, or null where it has none. @throws an assertion for a URL of no known kind */
export function fileOf(url: string): string | null {
  if (isPostgres(url)) return null;
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  // The URL itself is not repeated: it may hold a password.
  assert(
    file !== undefined,
    `the database URL begins with ${JSON.stringify(/^[^:/?#]{0,20}/.exec(url)?.[0])}: write sqlite:./data.db or postgres://user:password@host/name`,
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

/** What is told to the driver beside the URL. */
export interface Opening {
  /** Limits of the driver, by the names of its options. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly replicas?: readonly string[];
}

/**
 * Fails with `database_failed` where the file is no database, `database_unreachable` where nobody listens, and
 * `database_refused` where the server does not let us in.
 */
export async function openDatabase(
  url: string,
  onTrouble: OnTrouble,
  { limits = {}, replicas = [] }: Opening = {},
): Promise<Opened> {
  const told = { ...limits, onTrouble: ({ kind, message }: { kind: string; message: string }) => onTrouble(kind, message) };
  if (isPostgres(url)) return openPostgresDatabase(url, { ...told, replicas });
  assert(replicas.length === 0, "the option replicas is for PostgreSQL: a SQLite database has none");
  const database = openSqlite({ ...told, file: fileOf(url) ?? ":memory:" });
  return { database, dialect: sqliteDialect, ddl: sqliteDdl };
}

// The driver is loaded only where it is wanted: its library is an optional peer.
async function openPostgresDatabase(url: string, told: Omit<PostgresOptions, "url">): Promise<Opened> {
  const [{ openPostgres }, { postgresDialect }, { postgresDdl }] = await Promise.all([
    import("../drivers/database/postgres/postgres.ts"),
    import("../drivers/database/postgres/dialect.ts"),
    import("../drivers/database/postgres/ddl.ts"),
  ]);
  const database = await openPostgres({ ...told, url });
  return { database, dialect: postgresDialect, ddl: postgresDdl };
}

/** Puts a backup in the place of a database that nobody has open. */
export function restoreDatabase(request: RestoreRequest): Restored {
  return restoreFrom(request);
}
