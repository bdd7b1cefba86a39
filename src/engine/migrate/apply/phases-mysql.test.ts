/** A migration on MariaDB that meets locks and rows: it holds nobody up for long, says what is in its way, and goes on. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { type Connection, createConnection } from "mysql2/promise";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { type MysqlOptions, openMysql } from "../../../drivers/database/mysql/mysql.ts";
import { integer, text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import type { Schema } from "../../../schema/schema.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead } from "../journal/journal.ts";
import { idOf, mariadb, type Scratch, schemaOf, speaking } from "../scratch.test.ts";

const first = schemaOf(model("films", { title: text(), stock: integer() }));
const noted = schemaOf(model("films", { title: text(), stock: integer(), note: text().optional() }));

const start = (scratch: Scratch, schema: Schema) => ensureSchema({ ...scratch, schema }, { mode: "production", migrate: true });

interface Shared extends Scratch {
  /** Somebody else's. */
  readonly other: Connection;
  readonly connect: () => Promise<Connection>;
}

async function prepare(t: TestContext, options: Partial<MysqlOptions> = {}): Promise<Shared> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const open: Connection[] = [];
  const connect = async () => {
    const connection = await createConnection(url);
    open.push(connection);
    return connection;
  };
  const scratch = speaking(await openMysql({ url, ...options }), mariadb);
  t.after(async () => {
    for (const connection of open) connection.destroy();
    await scratch.database.close();
    await drop();
  });
  await start(scratch, first);
  await scratch.run(`INSERT INTO films (id, title, stock, version) VALUES ('${idOf("f")}', 'Amadeus', 1, 1)`);
  return { ...scratch, other: await connect(), connect };
}

/** Until somebody waits for a table. */
async function untilWaiting(connection: Connection): Promise<void> {
  const waiting =
    "select 1 from information_schema.processlist where db = database() and state like 'Waiting for table metadata lock'";
  for (;;) {
    const [rows] = await connection.query(waiting);
    if ((rows as unknown[]).length > 0) return;
  }
}

describe("a migration that meets a long transaction, on MariaDB", needsService("mariadb"), () => {
  test("gives up after a few tries and says so; those who queued behind it go on, and it goes on later", async (t) => {
    const scratch = await prepare(t, { migrationLockTimeoutMs: 1000, migrationTriesMax: 2 });
    await scratch.other.query("start transaction");
    await scratch.other.query("select * from films");
    const blocked = assert.rejects(start(scratch, noted), { code: "migration_blocked", message: /waited 2 times 1 s/ });
    const behind = await scratch.connect();
    await untilWaiting(behind);
    // It stands behind the migration, and the transaction is open all the while.
    await behind.query("update films set stock = stock + 1");
    await blocked;
    await scratch.other.query("commit");
    assert.equal((await readHead(scratch.database, scratch.ddl))?.next, 0);
    assert.equal((await start(scratch, noted)).status, "unchanged");
    assert.deepEqual(await scratch.rows("SELECT stock, note FROM films"), [[2, null]]);
  });

  test("waits out a short one", async (t) => {
    const scratch = await prepare(t, { migrationLockTimeoutMs: 600_000 });
    await scratch.other.query("start transaction");
    await scratch.other.query("select * from films");
    const migrated = start(scratch, noted);
    await untilWaiting(await scratch.connect());
    await scratch.other.query("commit");
    assert.equal((await migrated).status, "migrated");
  });
});

describe("what the server does not take, on MariaDB", needsService("mariadb"), () => {
  /** More texts in indexes than a row of the server holds. */
  const wide = (name: string) => {
    const names = Array.from({ length: 24 }, (_, at) => `t${at}`);
    const fields = Object.fromEntries(names.map((field) => [field, text().max(700).optional()]));
    const made = model(name, { title: text(), stock: integer(), ...fields });
    return names.reduce((one, field) => one.index(field as "title"), made);
  };

  test("is refused before anything is done, of a table that is there and of a new one", async (t) => {
    const scratch = await prepare(t);
    const tables = async () => scratch.ddl.catalogue.readStructures(async (sql) => scratch.rows(sql));
    const was = await tables();
    for (const name of ["films", "others"])
      await assert.rejects(start(scratch, schemaOf(wide(name))), {
        code: name === "films" ? "migration_refused" : "migration_unconfirmed",
      });
    const both = schemaOf(model("films", { title: text(), stock: integer() }), wide("others"));
    await assert.rejects(start(scratch, both), { code: "migration_refused", message: /others[^]*It says: Row size too large/ });
    assert.deepEqual(await tables(), was);
    assert.equal((await readHead(scratch.database, scratch.ddl))?.number, 1);
    assert.equal((await start(scratch, noted)).status, "migrated");
  });

  test("planted fault: tried nowhere, it stops in the middle", async (t) => {
    const scratch = await prepare(t);
    const migrator: NonNullable<Scratch["database"]["migrator"]> = (work) =>
      (scratch.database as Required<Scratch["database"]>).migrator((given) => work({ ...given, attempt: async () => null }));
    const hasty = { ...scratch, database: { ...scratch.database, migrator } };
    await assert.rejects(start(hasty, schemaOf(wide("films"))), { code: "database_failed" });
    assert.notEqual((await readHead(scratch.database, scratch.ddl))?.next, null);
  });
});

describe("rows that stop fitting while a migration is under way, on MariaDB", needsService("mariadb"), () => {
  const people = model("people", { name: text() });
  const strict = schemaOf(people, model("films", { title: text().max(40).unique(), stock: integer() }));
  const tied = (director: unknown) => schemaOf(people, model("films", { title: text(), stock: integer(), director } as never));

  /** Runs something on another connection before the statement that begins so. */
  function before(scratch: Shared, beginning: string, sql: string): Scratch {
    const migrator: NonNullable<Scratch["database"]["migrator"]> = (work) =>
      (scratch.database as Required<Scratch["database"]>).migrator((given) =>
        work({
          ...given,
          async alone(statement) {
            if (statement.startsWith(beginning)) await scratch.other.query(sql);
            return given.alone(statement);
          },
        }),
      );
    return { ...scratch, database: { ...scratch.database, migrator } };
  }

  test("are named, and once they are mended it goes on", async (t) => {
    const scratch = await prepare(t);
    const twice = `insert into films (id, title, stock, version) values ('${idOf("g")}', 'Amadeus', 1, 1)`;
    await assert.rejects(start(before(scratch, "CREATE UNIQUE INDEX", twice), strict), {
      code: "migration_unfinished",
      message: /films_title_key.*Two rows have the same values[^]*migrate apply/,
    });
    await assert.rejects(start(scratch, strict), { code: "migration_unfinished" });
    await scratch.other.query(`update films set title = 'Hair' where id = '${idOf("g")}'`);
    await start(scratch, strict);
    assert.equal((await readHead(scratch.database, scratch.ddl))?.untouched, true);
  });

  test("so is a reference that leads nowhere, though the server looks at no row when it is declared", async (t) => {
    const scratch = await prepare(t);
    await start(scratch, tied(text().max(36).optional()));
    const astray = `update films set director = '${idOf("n")}'`;
    const next = tied(
      belongsTo(() => people)
        .optional()
        .column("director"),
    );
    const unfinished = { code: "migration_unfinished", message: /Some rows refer to rows that do not exist/ };
    await assert.rejects(start(before(scratch, 'ALTER TABLE "films" ADD CONSTRAINT', astray), next), unfinished);
    await scratch.other.query("update films set director = null");
    await start(scratch, next);
    await assert.rejects(scratch.run(`UPDATE films SET director = '${idOf("n")}'`), { reason: "foreign_key" });
  });
});
