/** Two nodes on one server: nothing is lost, skewed or sold twice, whoever comes first. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { needsService } from "../../../../test/needs.ts";
import { type FreshDatabase, freshDatabase } from "../../../../test/servers/databases.ts";
import { type ServiceName, serviceUrl } from "../../../../test/servers/names.ts";
import { AppError } from "../../../base/errors.ts";
import { type Database, type Step, type Transaction, UnitRefused } from "../../database.ts";
import { openMysql } from "./mysql.ts";

const people = 6;

void describe("races on MariaDB", needsService("mariadb"), () => testRaces("mariadb"));
void describe("races on MySQL", needsService("mysql"), () => testRaces("mysql"));

function testRaces(name: ServiceName): void {
  let fresh: FreshDatabase;
  let nodes: readonly [Database, Database];

  before(async () => {
    fresh = await freshDatabase(serviceUrl(name));
    nodes = [await openMysql({ url: fresh.url }), await openMysql({ url: fresh.url })];
    await nodes[0].migrate([
      { text: `create table doctors (id bigint primary key, on_call tinyint(1) not null, shifts bigint not null)`, params: [] },
    ]);
  });

  beforeEach(async () => {
    const rows = Array.from({ length: people }, (_, id) => `(${id}, 1, 0)`).join(", ");
    await nodes[0].write([
      { text: "delete from doctors", kind: "run", params: [] },
      { text: `insert into doctors values ${rows}`, kind: "run", params: [] },
    ]);
  });

  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await fresh.drop();
  });

  async function ask(text: string): Promise<number> {
    return Number((await nodes[0].read({ text, params: [] }))[0]?.[0]);
  }

  test("who reads that two are there and leaves is not one of two who do (write skew)", async () => {
    const leave = (id: number) => async (tx: Transaction) => {
      const [row] = await tx.read({ text: "select count(*) from doctors where on_call = 1", params: [] });
      if (Number(row?.[0]) <= 1) return;
      await tx.write([{ text: "update doctors set on_call = 0 where id = ?", kind: "run", params: [id] }]);
    };
    await settled(Array.from({ length: people }, (_, id) => (nodes[id % 2] as Database).transaction(leave(id))));
    assert.equal(await ask("select count(*) from doctors where on_call = 1"), 1);
  });

  test("what was read and written back adds up (lost update)", async () => {
    const add = async (tx: Transaction) => {
      const [row] = await tx.read({ text: "select shifts from doctors where id = 1", params: [] });
      await tx.write([{ text: "update doctors set shifts = ? where id = 1", kind: "run", params: [Number(row?.[0]) + 1] }]);
    };
    const done = await settled(Array.from({ length: 24 }, (_, index) => (nodes[index % 2] as Database).transaction(add)));
    assert.equal(await ask("select shifts from doctors where id = 1"), done);
  });

  test("a condition that a unit has checked holds when it commits", async () => {
    const unit = (id: number): Step[] => [
      { text: "select case when count(*) <= 1 then 'last' end from doctors where on_call = 1", kind: "check", params: [] },
      { text: "update doctors set on_call = 0 where id = ?", kind: "run", params: [id] },
    ];
    await settled(Array.from({ length: people }, (_, id) => (nodes[id % 2] as Database).write(unit(id))));
    assert.equal(await ask("select count(*) from doctors where on_call = 1"), 1);
  });

  test("of two who insert the same key one is refused", async () => {
    const insert: Step = { text: "insert into doctors values (100, 1, 0)", kind: "run", params: [] };
    const outcomes = await Promise.allSettled(nodes.map((node) => node.write([insert])));
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  });
}

/** How many were done; the others were refused, or told to come again. */
async function settled(work: readonly Promise<unknown>[]): Promise<number> {
  const outcomes = await Promise.allSettled(work);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled" || outcome.reason instanceof UnitRefused) continue;
    assert.ok(outcome.reason instanceof AppError && outcome.reason.code === "database_conflict", String(outcome.reason));
  }
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}
