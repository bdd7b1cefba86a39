/** Units and reads that are run together, where the server takes exception to some of them, or to the way of it. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { freshDatabase } from "../../../../test/servers/databases.ts";
import { type ServiceName, serviceUrl } from "../../../../test/servers/names.ts";
import type { AppError } from "../../../base/errors.ts";
import { type Step, UnitRefused } from "../../database.ts";
import { openMysql } from "./mysql.ts";

async function openOn(name: ServiceName, context: TestContext) {
  const { url, drop } = await freshDatabase(serviceUrl(name));
  const db = await openMysql({ url, lockTimeoutMs: 1_000 });
  context.after(async () => {
    await db.close();
    await drop();
  });
  await db.migrate(
    [
      "create table owners (id bigint primary key, name varchar(50))",
      `create table things (id bigint primary key, owner bigint not null, name varchar(50) character set latin1 collate latin1_swedish_ci not null,
        foreign key (owner) references owners (id))`,
      "insert into owners values (1, 'one'), (2, 'two')",
    ].map((text) => ({ text, params: [] })),
  );
  return db;
}

const insert = (id: number, owner: number, name: string): Step => ({
  text: 'insert into "things" (id, owner, name) values (cast(? as signed), cast(? as signed), ?)',
  kind: "run",
  params: [id, owner, name],
});

void describe("units that run together on MariaDB", needsService("mariadb"), () => testAlike("mariadb"));
void describe("units that run together on MySQL", needsService("mysql"), () => testAlike("mysql"));

function testAlike(name: ServiceName): void {
  const open = (context: TestContext) => openOn(name, context);

  test("who waits too long for a lock fails alone", async (context) => {
    const db = await open(context);
    const outcomes = await db.transaction(async (tx) => {
      await tx.write([{ text: "update owners set name = 'taken' where id = 1", kind: "run", params: [] }]);
      const units = [2, 2, 1, 2].map((owner, id) => db.write([insert(id, owner, `thing ${id}`)], { alike: true }));
      return Promise.allSettled(units);
    });
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as AppError).code : "made")),
      ["made", "made", "database_busy", "made"],
    );
    assert.deepEqual(await db.read({ text: "select id from things order by id", params: [] }), [[0], [1], [3]]);
  });

  test("of many the refused ones are told by the server's own word, and the others stay in their order", async (context) => {
    const db = await open(context);
    const units = Array.from({ length: 40 }, (_, id) => {
      if (id % 10 === 3) return [insert(0, 1, "a key that is there")];
      return [insert(id, id % 10 === 7 ? 9 : 1, id % 10 === 8 ? "x".repeat(60) : "right")];
    });
    const outcomes = await Promise.allSettled(units.map((unit) => db.write(unit, { alike: true })));
    const told = outcomes.map((outcome) =>
      outcome.status === "rejected" && outcome.reason instanceof UnitRefused ? outcome.reason.reason : outcome.status,
    );
    const wanted = ["", "", "", "unique", "", "", "", "foreign_key", "check", ""].map((reason) => reason || "fulfilled");
    assert.deepEqual(told, Array.from({ length: 4 }, () => wanted).flat());
  });

  test("a text is compared by the collation of the column, as it is alone", async (context) => {
    const db = await open(context);
    const named = (id: number): Step[] => [
      insert(id, 1, `thing ${id}`),
      {
        text: "select case when t0.id <> cast(? as signed) then 'no' end from \"things\" t0 where t0.name = ?",
        kind: "check",
        params: [id, `thing ${id}`],
      },
    ];
    for (const from of [0, 10]) {
      const units = Array.from({ length: 5 }, (_, index) => db.write(named(from + index), { alike: true }));
      for (const results of await Promise.all(units))
        assert.deepEqual(
          results.map(({ changes }) => changes),
          [1, 0],
        );
    }
    const text = 'select t0.id from "things" t0 where t0.name = ?';
    for (let round = 0; round < 2; round++) {
      const reads = [0, 14, 2, 99].map(async (id) => db.read({ text, params: [`THING ${id}`] }, { point: true }));
      assert.deepEqual(await Promise.all(reads), [[[0]], [[14]], [[2]], []]);
    }
  });
}
