/** Throw-away databases on a server: each test file has one of its own, so that files may run at the same time. */
import { randomBytes } from "node:crypto";
import { queryMariadb } from "./mariadb.ts";
import { queryOnce } from "./postgres.ts";

export interface FreshDatabase {
  readonly url: string;
  /** Removes it; PostgreSQL ends the connections that are still open on it. */
  readonly drop: () => Promise<void>;
}

/** Creates an empty database on the server of that URL, `postgres:` or `mysql:`. Its name tells whose it is: `hf_test_…`. */
export async function freshDatabase(url: string): Promise<FreshDatabase> {
  const { run, dropOptions } = dialectOf(url);
  const name = `hf_test_${randomBytes(6).toString("hex")}`;
  await run(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => run(url, `drop database if exists ${name}${dropOptions}`).then(() => undefined) };
}

/** The version of the server, as it says it. */
export async function queryVersion(url: string): Promise<string> {
  const { run, version } = dialectOf(url);
  const [row] = await run(url, `select ${version} as version`);
  return String(row?.["version"]);
}

interface Dialect {
  readonly run: (url: string, sql: string) => Promise<Record<string, unknown>[]>;
  /** An expression. */
  readonly version: string;
  /** At the end of `drop database`. */
  readonly dropOptions: string;
}

const postgres: Dialect = { run: queryOnce, version: "current_setting('server_version')", dropOptions: " with (force)" };
const mariadb: Dialect = { run: queryMariadb, version: "version()", dropOptions: "" };
const dialects: Readonly<Record<string, Dialect>> = { "postgres:": postgres, "postgresql:": postgres, "mysql:": mariadb };

function dialectOf(url: string): Dialect {
  const { protocol } = new URL(url);
  const dialect = dialects[protocol];
  if (dialect === undefined) throw new Error(`no server is known by ${protocol}`);
  return dialect;
}
