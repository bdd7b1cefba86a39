/** A migration in phases: nobody waits while rows are passed over, what is half done is done anew, and what does not fit is said. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { serviceUrl } from "../../../../test/servers/names.ts";
import { queryOnce } from "../../../../test/servers/postgres.ts";
import type { Database } from "../../../drivers/database.ts";
import { openPostgres, type PostgresOptions } from "../../../drivers/database/postgres/postgres.ts";
import { text } from "../../../schema/field.ts";
import { model } from "../../../schema/model.ts";
import { belongsTo } from "../../../schema/relation.ts";
import type { Schema } from "../../../schema/schema.ts";
import { planDown } from "./down.ts";
import { ensureSchema } from "../ensure.ts";
import { readHead } from "../journal/journal.ts";
import { openPostgresScratch, postgres, type Scratch, schemaOf, speaking } from "../scratch.test.ts";
import { migrationStatus } from "../status.ts";

const first = schemaOf(model("films", { title: text(), seen: text().optional() }));
const indexed = schemaOf(model("films", { title: text().unique(), seen: text().optional() }));
const required = schemaOf(model("films", { title: text(), seen: text() }));

const start = (scratch: Scratch, schema: Schema) =>
  ensureSchema({ ...scratch, schema, manyRowsMin: 0 }, { mode: "production", migrate: true });

interface Shared extends Scratch {
  readonly url: string;
  /** Another node's. */
  readonly other: Database;
}

/** A database with films in it, on which two nodes are. */
async function prepare(t: TestContext, rows: number, options: Partial<PostgresOptions> = {}): Promise<Shared> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const [database, other] = await Promise.all([openPostgres({ url, ...options }), openPostgres({ url })]);
  const scratch = speaking(database, postgres);
  t.after(() => Promise.all([database.close(), other.close()]).then(drop));
  await start(scratch, first);
  await add(scratch, rows);
  return { ...scratch, url, other };
}

/** While another node holds a transaction open that has written to films. */
async function whileHeld<T>({ other }: Shared, work: () => Promise<T>): Promise<T> {
  return other.transaction(
    async (tx) => {
      await tx.write([{ text: "UPDATE films SET version = 2", params: [], kind: "run" }]);
      return work();
    },
    { timeoutMs: 60_000 },
  );
}

const add = (scratch: Scratch, rows: number, title = "'film ' || n") =>
  scratch.run(
    `INSERT INTO films (id, title, seen, version) SELECT gen_random_uuid(), ${title}, 'x', 1 FROM generate_series(1, ${rows}) n`,
  );

/** Waits until a query has a row. */
async function until(url: string, sql: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [row] = await queryOnce(url, sql);
    if (row) return row;
  }
}

const building = `select pid from pg_stat_activity where datname = current_database() and query like 'CREATE UNIQUE INDEX CONCURRENTLY%' and wait_event_type = 'Lock'`;

/** Begins to build an index, which waits for a transaction that is open, and ends the one that builds it. */
async function breakBuilding(scratch: Shared): Promise<void> {
  await whileHeld(scratch, async () => {
    const broken = assert.rejects(start(scratch, indexed), { code: "write_outcome_unknown" });
    const { pid } = await until(scratch.url, building);
    await queryOnce(scratch.url, `select pg_terminate_backend(${Number(pid)})`);
    await broken;
  });
}

describe("a migration in phases", needsService("postgres"), () => {
  test("an index that is half built is built anew at the next start", async (t) => {
    const scratch = await prepare(t, 10);
    await breakBuilding(scratch);
    const invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert.deepEqual(await scratch.rows(invalid), [[1]]);
    const status = await migrationStatus({ ...scratch, schema: indexed });
    assert.deepEqual([status.state, status.head?.next], ["pending", 0]);
    assert.equal((await start(scratch, indexed)).status, "unchanged");
    assert.deepEqual(await scratch.rows(invalid), [[0]]);
    assert.equal((await readHead(scratch.database, scratch.ddl))?.untouched, true);
    await assert.rejects(add(scratch, 1), { reason: "unique" });
  });

  test("others write while an index is built", async (t) => {
    const scratch = await prepare(t, 10);
    const built = { is: false };
    const running = await whileHeld(scratch, async () => {
      const begun = start(scratch, indexed).then(() => (built.is = true));
      await until(scratch.url, building);
      await queryOnce(scratch.url, "insert into films (id, title, version) values (gen_random_uuid(), 'new', 1)");
      assert.equal(built.is, false);
      return { begun };
    });
    await running.begun;
  });

  test("rows that have the same values are refused before anything is done", async (t) => {
    const scratch = await prepare(t, 3);
    await add(scratch, 2, "'same'");
    await assert.rejects(start(scratch, indexed), {
      code: "migration_refused",
      message: /films_title_key.*Two rows have the same/,
    });
    assert.equal((await readHead(scratch.database, scratch.ddl))?.number, 1);
  });

  test("rows that stop fitting while it is under way are named, and once they are mended it goes on", async (t) => {
    const scratch = await prepare(t, 10);
    await breakBuilding(scratch);
    await queryOnce(scratch.url, "drop index films_title_key");
    await add(scratch, 2, "'same'");
    const unfinished = {
      code: "migration_unfinished",
      message: /films_title_key.*Two rows have the same values[^]*migrate apply/,
    };
    await assert.rejects(start(scratch, indexed), unfinished);
    await assert.rejects(planDown(scratch), unfinished);
    assert.deepEqual(await scratch.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), [[0]]);
    await scratch.run("DELETE FROM films WHERE title = 'same'");
    await start(scratch, indexed);
    assert.deepEqual((await migrationStatus({ ...scratch, schema: indexed })).state, "current");
  });

  test("a column becomes required without a scan under a lock, and leaves no condition behind", async (t) => {
    const scratch = await prepare(t, 10);
    assert.equal((await start(scratch, required)).status, "migrated");
    assert.deepEqual(await scratch.rows("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%required'"), [[0]]);
    assert.deepEqual(await scratch.rows("SELECT attnotnull FROM pg_attribute WHERE attname = 'seen'"), [[1]]);
  });
});

describe("a migration that meets locks", needsService("postgres"), () => {
  const next = schemaOf(model("films", { title: text(), seen: text().optional(), note: text().optional() }));

  test("gives up after a few tries, says so, and has changed nothing", async (t) => {
    const scratch = await prepare(t, 1, { migrationLockTimeoutMs: 50, migrationTriesMax: 2 });
    await whileHeld(scratch, () =>
      assert.rejects(start(scratch, next), { code: "migration_blocked", message: /waited 2 times 0\.05 s/ }),
    );
    assert.equal((await readHead(scratch.database, scratch.ddl))?.number, 1);
    assert.equal((await start(scratch, next)).status, "migrated");
  });

  test("a statement that takes too long is undone", async (t) => {
    const scratch = await openPostgresScratch(t, { migrationStatementTimeoutMs: 50 });
    await assert.rejects(scratch.byHand("SELECT pg_sleep(10)"), { code: "migration_timeout", message: /longer than 0\.05 s/ });
  });
});

describe("names longer than a server's identifiers", needsService("postgres"), () => {
  // In the database each capital becomes two letters.
  const long = (name: string) => `${name}${"xY".repeat(25)}`;
  const people = model(long("people"), { [long("name")]: text(), [`${long("name")}Z`]: text().optional() } as never);
  const films = (isRequired: boolean) =>
    model(long("films"), {
      [long("title")]: text().unique(),
      [long("seen")]: isRequired ? text() : text().optional(),
      [long("by")]: belongsTo(() => people),
    } as never).index(long("seen"));

  test("are told apart, found again, changed, renamed and undone", async (t) => {
    const scratch = await openPostgresScratch(t);
    await start(scratch, schemaOf(people, films(false)));
    for (const schema of [
      schemaOf(people, films(true)),
      schemaOf(people),
      schemaOf(model(long("persons"), { [long("title")]: text().was(long("name")).unique() } as never).was(long("people"))),
    ]) {
      const context = { ...scratch, schema, manyRowsMin: 0 };
      const { plan } = await migrationStatus(context);
      const confirmations = plan.steps.flatMap(({ confirm }) => confirm);
      await ensureSchema(context, { mode: "production", migrate: true, confirmations });
      const { state, drift } = await migrationStatus(context);
      assert.deepEqual([state, drift], ["current", []]);
    }
    const down = await planDown(scratch);
    assert.ok(down.steps.length > 0);
  });
});
