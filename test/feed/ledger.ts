/** A table of changes on MariaDB or MySQL in plain SQL, with the order that the engine gives it: connections that append, and the feed's reader. */
import { createConnection, type Connection } from "mysql2/promise";
import { createDialect } from "../../src/drivers/database/mysql/dialect.ts";
import { mariadb } from "../../src/drivers/database/mysql/variants/mariadb.ts";
import { createCommits } from "../../src/drivers/database/mysql/ddl/commits.ts";
import type { Database, Row } from "../../src/drivers/database.ts";
import type { CommitOrder } from "../../src/drivers/ddl.ts";
import { createFeed, type ReadFeed } from "../../src/engine/feed.ts";
import { limitDefaults } from "../../src/engine/limits.ts";
import { changesTable, commitColumn } from "../../src/engine/write/change.ts";
import { freshDatabase } from "../servers/databases.ts";

const mysqlCommits = createCommits("bigint");
const { type, fill } = mysqlCommits.column;
const tables = [
  `create table "_commits" ("id" bigint not null, "last" bigint not null, primary key ("id"))`,
  `create table "${changesTable}" ("seq" bigint not null auto_increment, "model" text not null, "row_id" text not null, "kind" text not null,
    "version" bigint not null, "before" text, "after" text, "actor" text, "request_id" text, "at" text not null,
    "${commitColumn}" ${type} not null default ${fill}, primary key ("seq"), index ("${commitColumn}", "seq"))`,
];
/** When all of it is written, as its positions have it too. */
export const writtenAt = "2026-01-01T00:00:00.000Z";
const append = `insert into "${changesTable}" ("model", "row_id", "kind", "version", "at") values ('notes', ?, 'insert', 1, '${writtenAt}')`;

/** A connection with one transaction at a time. */
export interface Writer {
  begin(): Promise<void>;
  append(id: string): Promise<void>;
  seal(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export interface Ledger extends AsyncDisposable {
  openWriter(): Promise<Writer>;
  openFeed(options?: { readonly commits?: CommitOrder | null }): Promise<ReadFeed>;
  query(text: string): Promise<readonly Row[]>;
}

export async function openLedger(server: string): Promise<Ledger> {
  const { url, drop } = await freshDatabase(server);
  const open: Connection[] = [];
  async function connect(isolation: string): Promise<Connection> {
    const connection = await createConnection({ uri: url, rowsAsArray: true });
    open.push(connection);
    await connection.query("set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')");
    await connection.query(`set session transaction isolation level ${isolation}`);
    return connection;
  }
  const own = await connect("repeatable read");
  for (const text of tables) await own.query(text);
  const query = async (connection: Connection, text: string, params: readonly unknown[] = []) =>
    (await connection.query(text, params as unknown[]))[0] as unknown as readonly Row[];
  return {
    async openWriter() {
      const connection = await connect("serializable");
      const tell = async (text: string, params: readonly unknown[] = []) => void (await query(connection, text, params));
      return {
        begin: () => tell("start transaction"),
        append: (id) => tell(append, [id]),
        async seal() {
          for (const text of mysqlCommits.seal((name) => `"${name}"`, changesTable, commitColumn)) await tell(text);
        },
        commit: () => tell("commit"),
        rollback: () => tell("rollback"),
      };
    },
    async openFeed({ commits = mysqlCommits } = {}) {
      const connection = await connect("repeatable read");
      const database = { read: async ({ text, params }) => query(connection, text, params) } as Pick<
        Database,
        "read"
      > as Database;
      return createFeed({ database, dialect: createDialect(mariadb, null), commits, limits: limitDefaults });
    },
    query: (text) => query(own, text),
    async [Symbol.asyncDispose]() {
      for (const connection of open) await connection.end();
      await drop();
    },
  };
}
