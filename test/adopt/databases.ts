/** Databases of each product that are adopted as a user would, and served with staff allowed to write. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { freshDatabase } from "../servers/databases.ts";
import { queryMariadb } from "../servers/mariadb.ts";
import { serviceUrl } from "../servers/names.ts";
import { folder } from "./chinook.ts";
import { createPlace, makeDatabase, opened, type Place, queryFile, type Served } from "./place.ts";

export type Product = "sqlite" | "postgres" | "mariadb" | "mysql";

/** What the products have in words of their own: MySQL has MariaDB's where it has none. */
export type Worded<T> = Readonly<Record<Exclude<Product, "mysql">, T> & { mysql?: T }>;

export function wordsOf<T>(words: Worded<T>, product: Product): T {
  return product === "mysql" ? (words.mysql ?? words.mariadb) : words[product];
}

export function isMysql(product: Product): product is "mariadb" | "mysql" {
  return product === "mariadb" || product === "mysql";
}

/** A database that somebody else has made, and a folder to adopt it in. */
export interface Theirs {
  readonly product: Product;
  readonly url: string;
  readonly place: Place;
  /** Rows of a query, whose names are in double quotes; in MariaDB and MySQL a scalar of any type is a text. */
  readonly query: (sql: string) => Promise<unknown[][]>;
  /** Runs statements. */
  readonly change: (sql: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface Adopted extends Theirs {
  readonly served: Served;
  /** What the command said. */
  readonly out: string;
  readonly stop: () => Promise<void>;
}

/** Chinook's file for each product, in `folder`. */
export const chinookFiles: Readonly<Record<Product, string>> = {
  sqlite: "chinook.sqlite",
  postgres: "chinook-postgres.sql",
  mariadb: "chinook-mysql.sql",
  mysql: "chinook-mysql.sql",
};

/** Makes a database with what the SQL makes, or with Chinook. */
export async function makeTheirs(product: Product, sql: string | { readonly chinook: true }): Promise<Theirs> {
  const script = () => {
    if (typeof sql === "string") return sql;
    const text = readFileSync(folder + chinookFiles[product], "utf8");
    return text.slice(text.indexOf("CREATE TABLE"));
  };
  const place = createPlace();
  try {
    if (product === "postgres") return await inPostgres(place, script());
    if (isMysql(product)) return await inMysql(product, place, script());
    const file = join(place.path, "theirs.db");
    if (typeof sql === "string") makeDatabase(file, sql);
    else copyFileSync(folder + chinookFiles.sqlite, file);
    return inSqlite(place, file);
  } catch (error) {
    place.remove();
    throw error;
  }
}

function inSqlite(place: Place, file: string): Theirs {
  return {
    product: "sqlite",
    url: `sqlite:${file}`,
    place,
    async query(sql) {
      return queryFile(file, sql);
    },
    async change(sql) {
      makeDatabase(file, sql);
    },
    async remove() {
      place.remove();
    },
  };
}

async function inPostgres(place: Place, script: string): Promise<Theirs> {
  const database = await freshDatabase(serviceUrl("postgres"));
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const remove = async () => {
    await client.end();
    await database.drop();
    place.remove();
  };
  try {
    await client.query(script);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    product: "postgres",
    url: database.url,
    place,
    query: async (text) => (await client.query({ text, rowMode: "array" })).rows as unknown[][],
    change: async (sql) => void (await client.query(sql)),
    remove,
  };
}

async function inMysql(product: "mariadb" | "mysql", place: Place, script: string): Promise<Theirs> {
  const database = await freshDatabase(serviceUrl(product));
  const connection = await createConnection({
    uri: database.url,
    multipleStatements: true,
    dateStrings: true,
    rowsAsArray: true,
  });
  const remove = async () => {
    await connection.end();
    await database.drop();
    await queryMariadb(serviceUrl(product), `drop database if exists ${nameBeside(database.url)}`);
    place.remove();
  };
  try {
    await connection.query(`set time_zone = '+00:00'; ${script}`);
    await connection.query("set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES'), div_precision_increment = 12");
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    product,
    url: database.url,
    place,
    query: async (text) => (await connection.query(text))[0] as unknown[][],
    change: async (sql) => void (await connection.query(sql)),
    remove,
  };
}

/** The same, adopted and served. */
export async function adopt(product: Product, sql: string | { readonly chinook: true }): Promise<Adopted> {
  const theirs = await makeTheirs(product, sql);
  const { place, url } = theirs;
  try {
    const { code, out, err } = await place.run("adopt", url, "--read-only-for", "staff");
    assert.equal(code, 0, `${out}${err}`);
    place.write("open.ts", opened(place.read("backend.ts")));
    const served = await place.serve({ file: "open.ts", database: url });
    const stop = async () => {
      await served.app.stop();
      await theirs.remove();
    };
    return { ...theirs, served, out, stop };
  } catch (error) {
    await theirs.remove();
    throw error;
  }
}

/** The database in which the product's own tables stand. */
export function nameBeside(url: string): string {
  return `${new URL(url).pathname.slice(1)}_holdfast`;
}

/** A name of Chinook's tables or columns as the product's file has it: `InvoiceLine` is invoice_line in PostgreSQL's. */
export function spell(product: Product, name: string): string {
  return product === "postgres" ? name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase() : name;
}
