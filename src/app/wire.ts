/** Opens what the configuration names: the only file of the product that names drivers. */
import { existsSync } from "node:fs";
import { AppError, assert, reasonOf } from "../base/errors.ts";
import { keepApart, type Languages, type Place } from "../drivers/apart.ts";
import type { CatalogSchema, CatalogTable } from "../drivers/catalog.ts";
import { type Database, databaseErrors, failDatabase } from "../drivers/database.ts";
import type { Ddl } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { MysqlOptions } from "../drivers/database/mysql/options.ts";
import type { PostgresOptions } from "../drivers/database/postgres/options.ts";
import { besideOf } from "../drivers/database/sqlite/backup.ts";
import { readSqliteCatalog } from "../drivers/database/sqlite/catalog/catalog.ts";
import { sqliteDdl } from "../drivers/database/sqlite/ddl.ts";
import { sqliteDialect } from "../drivers/database/sqlite/dialect.ts";
import { type Restored, restoreFrom, type RestoreRequest } from "../drivers/database/sqlite/restore.ts";
import { keepWriter, type WriterEvent, type WriterKeeper } from "../drivers/database/sqlite/keeper.ts";
import { openSqlite } from "../drivers/database/sqlite/sqlite.ts";
import { systemShapes } from "../engine/migrate/journal/system-tables.ts";
import { changesTable, commitColumn } from "../engine/write/change.ts";

export type { WriterEvent } from "../drivers/database/sqlite/keeper.ts";

/** A database with its two languages. */
export interface Opened {
  readonly database: Database;
  readonly dialect: Dialect;
  readonly ddl: Ddl;
  /** Where the product's own tables stand, in words, if there are tables of others. */
  readonly own?: string;
}

/** Trouble that no request is answered with. */
export type OnTrouble = (kind: string, message: string) => void;

const isPostgres = (url: string) => /^postgres(ql)?:/i.test(url);
const isMysql = (url: string) => /^(mysql|mariadb):/i.test(url);

/** A URL as it may be shown: without its password. */
export function showUrl(url: string): string {
  return url.replace(/(:\/\/[^:/?#]*):.*@/, "$1:***@").replace(/([?&]password=)[^&]*/gi, "$1***");
}

const forms = "sqlite:./data.db, postgres://user:password@host/name or mysql://user:password@host/name";

/** The URL itself is not repeated: it may hold a password. */
function faultOf(url: string): string {
  if (/^sqlite:/i.test(url))
    return "a sqlite: URL goes on with the path of a file: write sqlite:./data.db or sqlite:/var/lib/data.db";
  return `the database URL begins with ${JSON.stringify(/^[^:/?#]{0,20}/.exec(url)?.[0])}: write ${forms}`;
}

/** The path of a database's file, or null where it has none. @throws an assertion for a URL of no known kind */
export function fileOf(url: string): string | null {
  if (isPostgres(url) || isMysql(url)) return null;
  const file = /^sqlite:(?:\/\/(?=\/))?(?!\/\/[^/])(.+)$/i.exec(url)?.[1];
  assert(file !== undefined, faultOf(url));
  return file === ":memory:" ? null : file;
}

/** Where development keeps its secret: beside the database's file, or else in the folder that it runs in. */
export function keyFileOf(url: string): string | null {
  const file = fileOf(url);
  return isShared(url) ? (file === null ? "./holdfast.key" : `${file}.key`) : null;
}

/** Whether several processes can work on the database at once. */
export function isShared(url: string): boolean {
  return isPostgres(url) || isMysql(url) || fileOf(url) !== null;
}

/** Whose tables are in a database. */
export interface Adopting {
  /** The backend has tables that somebody else made. */
  readonly isAdopted: boolean;
  /** Some of them must be there. @default where it has such tables */
  readonly needsTables?: boolean;
  /** Schemas beside the current one in which they stand: only PostgreSQL has such. @default none */
  readonly schemas?: readonly string[];
  /** The product's own tables shall stand among them. */
  readonly tablesInside: boolean;
}

const nothingAdopted: Adopting = Object.freeze({ isAdopted: false, tablesInside: false });

/** What is told to the driver beside the URL. */
export interface Opening extends Adopting {
  /** Limits of the driver, by the names of its options. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly replicas?: readonly string[];
  /** Where a writer listens that works for several processes: see `openWriter`. */
  readonly writer?: string | null;
}

/**
 * Where tables of others are, the product's own stand beside them, unless they were put inside once.
 * Fails with `database_failed` where the file is no database, `database_unreachable` where nobody listens, and
 * `database_refused` where the server does not let us in.
 */
export function openDatabase(url: string, onTrouble: OnTrouble, opening: Opening = nothingAdopted): Promise<Opened> {
  return tellWhere(url, () => open(url, onTrouble, opening));
}

/** Several places may say which database it is, so what goes wrong as it is opened is told with its URL. */
async function tellWhere<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || !(error.code in databaseErrors) || error.cause === undefined) throw error;
    const cause = new Error(`${showUrl(url)}: ${reasonOf(error)}`, { cause: error.cause });
    throw failDatabase(error.code as keyof typeof databaseErrors, { headers: error.headers, cause });
  }
}

async function open(url: string, onTrouble: OnTrouble, opening: Opening): Promise<Opened> {
  const { limits = {}, replicas = [], writer = null } = opening;
  const told = { ...limits, onTrouble: ({ kind, message }: { kind: string; message: string }) => onTrouble(kind, message) };
  if (isPostgres(url)) return openPostgresDatabase(url, { ...told, replicas }, opening);
  assert(replicas.length === 0, "the option replicas is for PostgreSQL");
  const { schemas = [] } = opening;
  // One in memory stands for any, as where only the document of the API is asked for.
  assert(
    schemas.length === 0 || (!isMysql(url) && fileOf(url) === null),
    `the backend has tables in the schema ${schemas[0] ?? ""}, and only PostgreSQL has schemas: use a postgres:// URL, or remove schema()`,
  );
  if (isMysql(url)) return openMysqlDatabase(url, told, opening);
  const file = fileOf(url);
  const languages = { dialect: sqliteDialect, ddl: sqliteDdl };
  const options = { ...told, file: file ?? ":memory:", ...(writer === null ? {} : { writer }) };
  const place = file === null ? "inside" : await placeOf(file, opening);
  if (place === "beside")
    return {
      database: openSqlite({ ...options, beside: besideOf(file ?? "") }),
      ...keepApart(languages, sqlitePlace),
      own: `the file ${besideOf(file ?? "")}`,
    };
  if (!opening.isAdopted) return { database: openSqlite(options), ...languages };
  return { database: openSqlite(options), ...languages, ddl: amongOthers(sqliteDdl), own: among };
}

/** Starts a process that writes for several, where the database is a file; null where it is a server, which does that itself. */
export async function openWriter(
  url: string,
  limits: Readonly<Record<string, number>>,
  onEvent: (event: WriterEvent) => void,
): Promise<WriterKeeper | null> {
  const file = fileOf(url);
  if (file === null) return null;
  // The schema is up to date, so the product's own tables are where they will stay.
  const beside = (await placeOf(file, nothingAdopted)) === "beside" ? { beside: besideOf(file) } : {};
  return keepWriter({ database: { ...limits, file, ...beside }, onEvent });
}

const among = "the database itself";

/** The product's own tables stand among those of others. */
function amongOthers(ddl: Ddl): Ddl {
  return Object.freeze({ ...ddl, manner: { ...ddl.manner, apart: true as const } });
}

const namesOf = (ddl: Ddl) => systemShapes(ddl).tables.map(({ name }) => name);
const sqlitePlace: Place = Object.freeze<Place>({
  schema: "holdfast",
  tables: new Set(namesOf(sqliteDdl)),
  listing: `SELECT "name" FROM "holdfast".sqlite_schema WHERE "type" = 'table' ORDER BY "name"`,
  indexGoesBy: "index",
});

/** Where the product's own tables are, or shall be. Commands that know no backend go by what is there. */
async function placeOf(
  file: string,
  { isAdopted, tablesInside, needsTables = isAdopted }: Adopting,
): Promise<"inside" | "beside"> {
  if (existsSync(besideOf(file))) return "beside";
  const isThere = existsSync(file);
  assert(!needsTables || isThere, `the backend adopts the tables of ${file}, and there is no such file`);
  if (!isAdopted || tablesInside) return "inside";
  if (!isThere) return "beside";
  const database = openSqlite({ file, readOnly: true });
  try {
    const names = await sqliteDdl.catalogue.readTables(async (text, params = []) => database.read({ text, params }));
    return namesOf(sqliteDdl).every((name) => names.includes(name)) ? "inside" : "beside";
  } finally {
    await database.close();
  }
}

// A driver is loaded only where it is wanted: its library is an optional peer.
async function openPostgresDatabase(url: string, told: Omit<PostgresOptions, "url">, adopting: Adopting): Promise<Opened> {
  const [{ openPostgres }, { postgresDialect }, { postgresDdlIn }, { findOrigin }] = await Promise.all([
    import("../drivers/database/postgres/postgres.ts"),
    import("../drivers/database/postgres/dialect.ts"),
    import("../drivers/database/postgres/ddl.ts"),
    import("../drivers/database/postgres/ddl/origin.ts"),
  ]);
  const database = await openPostgres({ ...told, url });
  try {
    const languages = await placePostgres(
      database,
      { dialect: postgresDialect, ddl: postgresDdlIn(adopting.schemas ?? []) },
      adopting,
    );
    const quote = (name: string) => languages.ddl.quote(name);
    const { commits, isMended } = await findOrigin(database, { quote, table: changesTable, column: commitColumn });
    if (isMended) told.onTrouble?.({ kind: "database_restored", message: restored });
    const catalogue = { ...languages.ddl.catalogue, commits };
    const { dialect, own } = languages;
    return { database, dialect, ddl: Object.freeze({ ...languages.ddl, catalogue }), ...(own === undefined ? {} : { own }) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

const restored =
  "The change records were written on another server, as after a dump was restored here: new ones come after them from now on, and readers of the feed go on.";

async function placePostgres(
  database: Database,
  languages: Languages,
  adopting: Adopting,
): Promise<Languages & Pick<Opened, "own">> {
  if (!adopting.isAdopted) return languages;
  const { ddl } = languages;
  const tables = await ddl.catalogue.readTables(async (text, params = []) => database.read({ text, params }));
  const names = namesOf(ddl);
  const isInside = adopting.tablesInside || names.every((name) => tables.includes(name));
  if (isInside) return { ...languages, ddl: amongOthers(ddl), own: among };
  const place = { ...postgresPlace, tables: new Set(names) };
  return { ...keepApart(languages, place), own: `the schema ${place.schema}` };
}

async function openMysqlDatabase(url: string, told: Omit<MysqlOptions, "url">, adopting: Adopting): Promise<Opened> {
  const [{ inspectMysql, openMysql, openMysqlBeside, recogniseMysql }, { languagesOf }, { placeBeside }] = await Promise.all([
    import("../drivers/database/mysql/mysql.ts"),
    import("../drivers/database/mysql/variants/languages.ts"),
    import("../drivers/database/mysql/catalog/beside.ts"),
  ]);
  const options = { ...told, url };
  const variant = await recogniseMysql(options);
  const inside = languagesOf(variant, null);
  if (!adopting.isAdopted) return { database: await openMysql(options), ...inside };
  const tables = await inspectMysql(options, (read) => inside.ddl.catalogue.readTables(read));
  const isInside = adopting.tablesInside || namesOf(inside.ddl).every((name) => tables.includes(name));
  if (isInside) return { database: await openMysql(options), ...inside, ddl: amongOthers(inside.ddl), own: among };
  const place = placeBeside(url, namesOf(inside.ddl));
  const languages = keepApart(languagesOf(variant, place.schema), place);
  return { database: await openMysqlBeside(options), ...languages, own: `the database ${place.schema}` };
}

const postgresPlace: Omit<Place, "tables"> = Object.freeze({
  schema: "holdfast",
  listing: "SELECT tablename::text FROM pg_tables WHERE schemaname = 'holdfast' ORDER BY 1",
  indexGoesBy: "table" as const,
});

/** Puts a backup in the place of a database that nobody has open. */
export function restoreDatabase(request: RestoreRequest): Restored {
  return restoreFrom(request);
}

/** What a database says of its tables, and of the schemas that it has more than one of. */
export interface Read {
  readonly tables: readonly CatalogTable[];
  readonly schemas: readonly CatalogSchema[];
}

/**
 * Opens a database for reading alone, and closes it. Fails with `database_failed` where it is none.
 * @param choose of the schemas that there are, those whose tables are read; none for the current one. Not asked where there is but one.
 */
export function readCatalog(url: string, choose: Choose): Promise<Read> {
  return tellWhere(url, () => readTables(url, choose));
}

type Choose = (schemas: readonly CatalogSchema[]) => readonly string[];

async function readTables(url: string, choose: Choose): Promise<Read> {
  if (isPostgres(url)) {
    const [{ inspectPostgres }, { readPostgresCatalog, readPostgresSchemas }] = await Promise.all([
      import("../drivers/database/postgres/postgres.ts"),
      import("../drivers/database/postgres/catalog/catalog.ts"),
    ]);
    return inspectPostgres({ url }, async (read) => {
      const schemas = await readPostgresSchemas(read);
      return { tables: await readPostgresCatalog(read, choose(schemas)), schemas };
    });
  }
  if (isMysql(url)) {
    const [{ inspectMysql }, { readCatalogOf }] = await Promise.all([
      import("../drivers/database/mysql/mysql.ts"),
      import("../drivers/database/mysql/catalog/catalog.ts"),
    ]);
    return { tables: await inspectMysql({ url }, (read, variant) => readCatalogOf(variant)(read)), schemas: [] };
  }
  const database = openSqlite({ file: fileOf(url) ?? ":memory:", readOnly: true });
  try {
    const tables = await readSqliteCatalog(async (text, params = []) => database.read({ text, params }, { long: true }));
    return { tables, schemas: [] };
  } finally {
    await database.close();
  }
}
