/** What the tests of migrations share: databases of each product, in their own words for values, and one call that opens them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext } from "node:test";
import type { Need } from "../../../test/needs.ts";
import { freshDatabase } from "../../../test/servers/databases.ts";
import { serviceUrl } from "../../../test/servers/names.ts";
import { createSteppedClock } from "../../base/clock.ts";
import type { Database, Product, Value } from "../../drivers/database.ts";
import type { Ddl, ValueForm } from "../../drivers/ddl.ts";
import type { Dialect } from "../../drivers/dialect.ts";
import { languagesOf } from "../../drivers/database/mysql/variants/languages.ts";
import { openMysql } from "../../drivers/database/mysql/mysql.ts";
import { mariadb as mariadbVariant } from "../../drivers/database/mysql/variants/mariadb.ts";
import { mysql as mysqlVariant } from "../../drivers/database/mysql/variants/mysql.ts";
import type { Variant } from "../../drivers/database/mysql/variants/variant.ts";
import { postgresDdl } from "../../drivers/database/postgres/ddl.ts";
import { postgresDialect } from "../../drivers/database/postgres/dialect.ts";
import { openPostgres, type PostgresOptions } from "../../drivers/database/postgres/postgres.ts";
import { sqliteDdl } from "../../drivers/database/sqlite/ddl.ts";
import { sqliteDialect } from "../../drivers/database/sqlite/dialect.ts";
import { openSqlite } from "../../drivers/database/sqlite/sqlite.ts";
import { compileSchema, type DeclaredModel } from "../../schema/compile.ts";
import type { Schema } from "../../schema/schema.ts";
import type { MigrateContext } from "./apply/apply.ts";

/** A product's languages, and what they call the values that tests write and read: decimals in their smallest unit, ISO texts. */
export interface Languages {
  readonly product: Product;
  readonly ddl: Ddl;
  readonly dialect: Dialect;
  /** SQL of a parameter for a column of that form. */
  readonly put: (form: ValueForm, parameter?: string) => string;
  /** SQL of a column's value. */
  readonly get: (form: ValueForm, column: string) => string;
}

export interface Scratch extends MigrateContext, Languages {
  readonly rows: (text: string, ...params: readonly Value[]) => Promise<readonly (readonly Value[])[]>;
  readonly run: (text: string, ...params: readonly Value[]) => Promise<void>;
  /** Statements that break what the product holds true, such as DDL by hand. */
  readonly byHand: (...texts: readonly string[]) => Promise<void>;
}

/** A database in a file. */
export interface FileScratch extends Scratch {
  readonly folder: string;
  readonly file: string;
}

const formOf = ({ storage, scale }: ValueForm) => ({
  storage,
  scale: scale ?? 0,
  isPlain: false,
  isRequired: false,
  isColumn: true,
  native: null,
});

export const sqlite: Languages = {
  product: "sqlite",
  ddl: sqliteDdl,
  dialect: sqliteDialect,
  put: (_, parameter = "?") => parameter,
  get: (_, column) => column,
};

export const postgres: Languages = {
  product: "postgres",
  ddl: postgresDdl,
  dialect: postgresDialect,
  put: (form, parameter = "?") => postgresDialect.bind(formOf(form), parameter),
  get(form, column) {
    if (form.storage === "decimal") return `(${column} * 1${"0".repeat(form.scale ?? 0)})::bigint`;
    return form.storage === "datetime" ? postgresDialect.json.text(formOf(form), column) : column;
  },
};

function inWordsOf(variant: Variant): Languages {
  const { dialect, ddl } = languagesOf(variant, null);
  return {
    product: "mysql",
    ddl,
    dialect,
    put: (form, parameter = "?") => dialect.bind(formOf(form), parameter),
    get(form, column) {
      if (form.storage === "decimal") return `CAST(${column} * 1${"0".repeat(form.scale ?? 0)} AS SIGNED)`;
      return form.storage === "datetime" ? dialect.json.text(formOf(form), column) : column;
    },
  };
}

export const mariadb: Languages = inWordsOf(mariadbVariant);
export const mysql: Languages = inWordsOf(mysqlVariant);

/** Opens an empty database, which is gone after the test. */
export type Open = (t: TestContext) => Promise<Scratch>;

/** A product to run tests on. */
export interface On {
  readonly title: string;
  readonly need: Need;
  readonly open: Open;
  readonly languages: Languages;
}

/** What the servers need; said in the test file itself, for the runner starts what it names. */
export type ServerNeeds = Readonly<Record<"postgres" | "mariadb", Need>>;

/** Every product. */
export function eachProduct(needs: ServerNeeds): readonly On[] {
  return [
    { title: "on SQLite", need: { skip: false }, open: async (t) => openScratch(t), languages: sqlite },
    { title: "on PostgreSQL", need: needs.postgres, open: (t) => openPostgresScratch(t), languages: postgres },
    { title: "on MariaDB", need: needs.mariadb, open: (t) => openMysqlScratch(t), languages: mariadb },
  ];
}

/** The tests once for each product. */
export function onEach(title: string, needs: ServerNeeds, tests: (open: Open, languages: Languages) => void): void {
  for (const on of eachProduct(needs)) describe(`${title}, ${on.title}`, on.need, () => tests(on.open, on.languages));
}

/** A folder that is gone after the test. */
export function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-migrate-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A SQLite database in a file of its own, closed after the test. */
export function openScratch(t: TestContext, file = join(scratchFolder(t), "data.db")): FileScratch {
  const database = openSqlite({ file });
  t.after(() => database.close());
  return withDatabase(database, file);
}

export function withDatabase(database: Database, file: string): FileScratch {
  return { ...speaking(database, sqlite), file, folder: join(file, "..") };
}

/** A PostgreSQL database of its own, dropped after the test. */
export async function openPostgresScratch(t: TestContext, options: Partial<PostgresOptions> = {}): Promise<Scratch> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const database = await openPostgres({ url, ...options });
  t.after(async () => {
    await database.close();
    await drop();
  });
  return speaking(database, postgres);
}

/** A MariaDB database of its own, dropped after the test. */
export async function openMysqlScratch(t: TestContext): Promise<Scratch> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const database = await openMysql({ url });
  t.after(async () => {
    await database.close();
    await drop();
  });
  return speaking(database, mariadb);
}

/** A database with its languages. */
export function speaking(database: Database, languages: Languages): Scratch {
  return {
    ...languages,
    database,
    clock: createSteppedClock(),
    rows: async (text, ...params) => database.read({ text, params }),
    run: async (text, ...params) => void (await database.write([{ text, params, kind: "run" }])),
    byHand: async (...texts) => database.migrate(texts.map((text) => ({ text, params: [] }))),
  };
}

/** The id that a letter stands for. */
export function idOf(letter: string): string {
  return `00000000-0000-7000-8000-0000000000${letter.charCodeAt(0).toString(16)}`;
}

/** Compiles models under their own names. */
export function schemaOf(...models: readonly DeclaredModel[]): Schema {
  return compileSchema(Object.fromEntries(models.map((model) => [model.name, model])));
}
