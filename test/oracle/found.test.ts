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
import { bytes, integer, text } from "../../src/schema/field.ts";
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
const roles = model("roles", { person: belongsTo(() => people), film: belongsTo(() => films), part: text() }).access(() => ({ read: everyone }));

async function start() {
  const declared = backend({ countries, people, films, roles });
  const schema = compileSchema(declared.spec.models as never);
  const database = openSqlite({ file: ":memory:" });
  const clock = () => Date.UTC(2026, 10, 21);
  const newId = createIdMaker(clock);
  await ensureSchema({ database, schema, ddl: sqliteDdl, clock } as never, { mode: "development" });
  const engine = createEngine(declared, { schema, database, dialect: sqliteDialect, cursorKey: new Uint8Array(32), clock, newId, onListenerError: assert.ifError });
  const { system } = engine;
  const home = await system.countries.create({ name: "CZ" });
  const stan = await system.people.create({ name: "Stan", country: home.id });
  const nobody = await system.people.create({ name: "Nobody" });
  const titles = ["A", "B", "C"];
  const made = [];
  for (const [stock, title] of titles.entries()) {
    made.push(await system.films.create({ title, stock, secret: `s${title}`, poster: stock === 0 ? null : "AP8=", director: (stock === 0 ? nobody : stan).id }));
  }
  return { engine, database, anyone: engine.as(anonymous), me: engine.as(createActor("u1")), stan, made };
}

describe("found by the oracle", () => {
  test("a filter within a relation, written after a deeper one, takes its own value", async () => {
    const { database, anyone } = await start();
    const { data } = await anyone.people.list({ select: { name: true, directed: { title: true, director: { directed: { title: true, $where: { title: "B" } } }, $where: { title: "C" } } } });
    assert.deepEqual(data.find(({ name }) => name === "Stan")?.directed, [{ title: "C", director: { directed: [{ title: "B" }] } }]);
    await database.close();
  });

  test("a key whose own rule looks through a relation masks the relation from the row it starts from", async () => {
    const { database, anyone } = await start();
    const { data } = await anyone.films.list({ select: { title: true, director: { name: true } }, where: { not: { "director.name": "Nobody" } as never } });
    assert.deepEqual(data, [{ title: "A", director: null }, { title: "B", director: { name: "Stan" } }, { title: "C", director: { name: "Stan" } }]);
    await database.close();
  });

  test("a page after a value that is masked in some rows goes on with them", async () => {
    const { database, anyone } = await start();
    const first = await anyone.films.list({ orderBy: ["-secret", "title"], limit: 1, select: { title: true } });
    const second = await anyone.films.list({ orderBy: ["-secret", "title"], limit: 2, select: { title: true }, after: first.page.next ?? "" });
    assert.deepEqual([...first.data, ...second.data], [{ title: "C" }, { title: "A" }, { title: "B" }]);
    await database.close();
  });

  test("a row that the join model links twice is there once", async () => {
    const { database, anyone, engine, stan, made } = await start();
    for (const part of ["producer", "writer"]) await engine.system.roles.create({ person: stan.id, film: made[0]?.id ?? "", part });
    const found = await anyone.people.get(stan.id, { select: { films: { title: true } } });
    assert.deepEqual(found, { films: [{ title: "A" }] });
    await database.close();
  });

  test("a search finds nothing in a field that is null", async () => {
    const { database, anyone } = await start();
    assert.deepEqual((await anyone.films.list({ where: { search: "z" } })).data, []);
    assert.deepEqual((await anyone.films.list({ where: { directed: undefined, director: { search: "z" } } as never }).catch(({ code }: { code: string }) => code)), "invalid_query");
    await database.close();
  });

  test("bytes are compared with a list of bytes", async () => {
    const { database, anyone } = await start();
    const listed = await anyone.films.list({ where: { poster: { in: ["AP8="] } }, orderBy: "title", select: { title: true } });
    assert.deepEqual(listed.data, [{ title: "B" }, { title: "C" }]);
    await database.close();
  });

  test("with the trash, rows that are not in it are there for who may read them", async () => {
    const { database, me, engine, made } = await start();
    for (const film of made.slice(0, 2)) await engine.system.films.delete(film.id);
    assert.deepEqual((await me.films.list({ trash: "with", orderBy: "title", select: { title: true } })).data, [{ title: "A" }, { title: "C" }]);
    assert.deepEqual((await me.films.list({ trash: "only", select: { title: true } })).data, [{ title: "A" }]);
    await database.close();
  });
});
