/** What the oracle found, each as the smallest case of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createIdMaker } from "../../src/base/ids.ts";
import { sqliteDdl } from "../../src/drivers/database/sqlite/ddl.ts";
import { sqliteDialect } from "../../src/drivers/database/sqlite/dialect.ts";
import { openSqlite } from "../../src/drivers/database/sqlite/sqlite.ts";
import { anonymous, createActor } from "../../src/engine/actor.ts";
import { backend } from "../../src/engine/backend.ts";
import { createEngine } from "../../src/engine/create.ts";
import { ensureSchema } from "../../src/engine/migrate/ensure.ts";
import { compileSchema } from "../../src/schema/compile.ts";
import { everyone } from "../../src/schema/cond.ts";
import { bytes, datetime, decimal, integer, json, list, text } from "../../src/schema/field.ts";
import { model } from "../../src/schema/model.ts";
import { belongsTo, manyToMany } from "../../src/schema/relation.ts";

const countries = model("countries", { name: text() }).access(() => ({ read: everyone }));
const people = model("people", {
  name: text(),
  country: belongsTo(() => countries).optional(),
  get films() {
    return manyToMany(() => films, { through: () => roles, from: "person", to: "film" });
  },
}).access(() => ({ read: everyone }));
const films = model("films", {
  title: text(),
  subtitle: text().optional(),
  stock: integer(),
  poster: bytes().optional(),
  facts: json({ budget: decimal(12, 2), shot: datetime().optional() }).optional(),
  notes: json().optional(),
  takings: list(decimal(8, 2)).optional(),
  secret: text(),
  director: belongsTo(() => people, { inverse: "directed" }).optional(),
})
  .softDelete()
  .search("subtitle")
  .access(({ row }) => ({
    read: everyone,
    delete: row.stock.eq(0),
    fields: { director: { read: row.director.country.name.eq("CZ") }, secret: { read: row.stock.gt(1) } },
  }));
const roles = model("roles", { person: belongsTo(() => people), film: belongsTo(() => films), part: text() }).access(() => ({
  read: everyone,
}));

async function start() {
  const declared = backend({ countries, people, films, roles });
  const schema = compileSchema(declared.spec.models as never);
  const database = openSqlite({ file: ":memory:" });
  const clock = () => Date.UTC(2026, 10, 21);
  const newId = createIdMaker(clock);
  await ensureSchema({ database, schema, ddl: sqliteDdl, clock } as never, { mode: "development" });
  const engine = createEngine(declared, {
    schema,
    database,
    dialect: sqliteDialect,
    commits: null,
    cursorKey: new Uint8Array(32),
    clock,
    newId,
    onListenerError: assert.ifError,
  });
  const { system } = engine;
  const home = await system.countries.create({ name: "CZ" });
  const stan = await system.people.create({ name: "Stan", country: home.id });
  const nobody = await system.people.create({ name: "Nobody" });
  const titles = ["A", "B", "C"];
  const made = [];
  for (const [stock, title] of titles.entries()) {
    made.push(
      await system.films.create({
        title,
        stock,
        secret: `s${title}`,
        poster: stock === 0 ? null : "AP8=",
        director: (stock === 0 ? nobody : stan).id,
      }),
    );
  }
  return { engine, database, anyone: engine.as(anonymous), me: engine.as(createActor("u1")), stan, made };
}

describe("found by the oracle", () => {
  test("a filter within a relation, written after a deeper one, takes its own value", async () => {
    const { database, anyone } = await start();
    const { data } = await anyone.people.list({
      select: {
        name: true,
        directed: { title: true, director: { directed: { title: true, $where: { title: "B" } } }, $where: { title: "C" } },
      },
    });
    assert.deepEqual(data.find(({ name }) => name === "Stan")?.directed, [
      { title: "C", director: { directed: [{ title: "B" }] } },
    ]);
    await database.close();
  });

  test("a key whose own rule looks through a relation masks the relation from the row it starts from", async () => {
    const { database, anyone } = await start();
    const { data } = await anyone.films.list({
      select: { title: true, director: { name: true } },
      where: { not: { "director.name": "Nobody" } as never },
    });
    assert.deepEqual(data, [
      { title: "A", director: null },
      { title: "B", director: { name: "Stan" } },
      { title: "C", director: { name: "Stan" } },
    ]);
    await database.close();
  });

  test("a page after a value that is masked in some rows goes on with them", async () => {
    const { database, anyone } = await start();
    const first = await anyone.films.list({ orderBy: ["-secret", "title"], limit: 1, select: { title: true } });
    const second = await anyone.films.list({
      orderBy: ["-secret", "title"],
      limit: 2,
      select: { title: true },
      after: first.page.next ?? "",
    });
    assert.deepEqual([...first.data, ...second.data], [{ title: "C" }, { title: "A" }, { title: "B" }]);
    await database.close();
  });

  test("a row that the join model links twice is there once", async () => {
    const { database, anyone, engine, stan, made } = await start();
    for (const part of ["producer", "writer"])
      await engine.system.roles.create({ person: stan.id, film: made[0]?.id ?? "", part });
    const found = await anyone.people.get(stan.id, { select: { films: { title: true } } });
    assert.deepEqual(found, { films: [{ title: "A" }] });
    await database.close();
  });

  test("a search finds nothing in a field that is null", async () => {
    const { database, anyone } = await start();
    assert.deepEqual((await anyone.films.list({ where: { search: "z" } })).data, []);
    assert.deepEqual(
      await anyone.films
        .list({ where: { directed: undefined, director: { search: "z" } } as never })
        .catch(({ code }: { code: string }) => code),
      "invalid_query",
    );
    await database.close();
  });

  test("bytes are compared with a list of bytes", async () => {
    const { database, anyone } = await start();
    const listed = await anyone.films.list({ where: { poster: { in: ["AP8="] } }, orderBy: "title", select: { title: true } });
    assert.deepEqual(listed.data, [{ title: "B" }, { title: "C" }]);
    await database.close();
  });

  test("values in documents compare as their declared type, and are kept in the one form of it", async () => {
    const { database, anyone, engine, made } = await start();
    const [first, second] = made.map(({ id }) => id);
    await engine.system.films.update(first ?? "", { facts: { budget: "9.5", shot: "2026-11-21T10:00:00+01:00" } });
    await engine.system.films.update(second ?? "", { facts: { budget: "10" } });
    const titles = async (where: object) =>
      (await anyone.films.list({ where: where as never, select: { title: true } })).data.map(({ title }) => title);
    assert.deepEqual(await titles({ "facts.budget": { gt: "9.49" } }), ["A", "B"]);
    assert.deepEqual(await titles({ "facts.budget": "10.0" }), ["B"]);
    assert.deepEqual(await titles({ "facts.shot": "2026-11-21T09:00:00Z" }), ["A"]);
    assert.deepEqual((await anyone.films.get(first ?? "", { select: { facts: true } })).facts, {
      budget: "9.50",
      shot: "2026-11-21T09:00:00.000Z",
    });
    await database.close();
  });

  test("a list of decimals contains one however it is spelt", async () => {
    const { database, anyone, engine, made } = await start();
    await engine.system.films.update(made[0]?.id ?? "", { takings: ["1.5", "2"] });
    const found = await anyone.films.list({ where: { takings: { contains: "1.50" } }, select: { title: true } });
    assert.deepEqual(found.data, [{ title: "A" }]);
    await database.close();
  });

  test("values in documents of no declared type compare with their like alone", async () => {
    const { database, anyone, engine, made } = await start();
    for (const [index, value] of [1, "1", true].entries())
      await engine.system.films.update(made[index]?.id ?? "", { notes: { value } });
    const titles = async (where: object) =>
      (await anyone.films.list({ where: where as never, select: { title: true } })).data.map(({ title }) => title);
    assert.deepEqual(
      [await titles({ "notes.value": 1 }), await titles({ "notes.value": "1" }), await titles({ "notes.value": true })],
      [["A"], ["B"], ["C"]],
    );
    assert.deepEqual(await titles({ "notes.value": { in: [1, true] } }), ["A", "C"]);
    assert.deepEqual(await titles({ "notes.value": { contains: "" } }), ["B"]);
    assert.deepEqual(await titles({ "notes.value": { between: [0, "2"] } }), []);
    await database.close();
  });

  test("an unfit value in the selection of a single row is pointed at", async () => {
    const { database, anyone, stan } = await start();
    const select = { directed: { title: true, $where: { title: "x", stock: { gt: "many" } } } };
    await assert.rejects(anyone.people.get(stan.id, { select: select as never }), {
      errors: [{ pointer: "/select/directed/$where/stock/gt", code: "type", message: "The value must be a whole number." }],
    });
    await database.close();
  });

  test("with the trash, rows that are not in it are there for who may read them", async () => {
    const { database, me, engine, made } = await start();
    for (const film of made.slice(0, 2)) await engine.system.films.delete(film.id);
    assert.deepEqual((await me.films.list({ trash: "with", orderBy: "title", select: { title: true } })).data, [
      { title: "A" },
      { title: "C" },
    ]);
    assert.deepEqual((await me.films.list({ trash: "only", select: { title: true } })).data, [{ title: "A" }]);
    await database.close();
  });
});
