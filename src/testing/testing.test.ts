/** The testing entry: an app of its own for each test, and scenarios that fail for each thing that is not as they say. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refuse } from "../engine/write/refuse.ts";
import { backend } from "../engine/backend.ts";
import { everyone } from "../schema/cond.ts";
import { datetime, integer, me, now, text } from "../schema/field.ts";
import { model } from "../schema/model.ts";
import { createTestApp, defineScenarios, runScenarios, type Scenario } from "./index.ts";

const notes = model("notes", { title: text().max(5), owner: text().default(me).readOnly(), at: datetime().default(now) }).access(
  ({ row, me }) => ({
    read: everyone,
    create: me.signedIn,
    write: row.owner.eq(me.id),
  }),
);

const app = backend({ notes })
  .action("double", { kind: "read", input: { of: integer() }, access: everyone, run: ({ input }) => ({ twice: input.of * 2 }) })
  .action("fail", {
    access: ({ me }) => me.has("staff"),
    run: () => {
      throw refuse("nothing_left", "There is nothing left.", { status: 409 });
    },
  });

const ann = { id: "ann" };

describe("createTestApp", () => {
  test("gives each test its own, with equal ids and times", async () => {
    const rows = await Promise.all(
      [1, 2].map(async () => {
        await using t = await createTestApp(app);
        const row = await t.as(ann).notes.create({ title: "a" });
        assert.equal((await t.system.notes.list()).data.length, 1);
        return row;
      }),
    );
    assert.deepEqual(rows[0], rows[1]);
    assert.deepEqual(rows[0], {
      id: "00000000-0000-7000-8000-000000000001",
      title: "a",
      owner: "ann",
      at: "2026-01-01T00:00:00.000Z",
      version: 1,
    });
  });

  test("acts as somebody, as a stranger and without rules", async () => {
    await using t = await createTestApp(app, { startMs: 0 });
    const { id } = await t.as(ann).notes.create({ title: "a" });
    await assert.rejects(t.as(null).notes.create({ title: "b" }), { code: "unauthenticated" });
    await assert.rejects(t.as({ id: "bob" }).notes.delete(id), { code: "forbidden" });
    t.clock.advance(1000);
    assert.equal((await t.system.notes.create({ title: "c", owner: "sue" })).at, "1970-01-01T00:00:01.000Z");
    const { twice } = (await t.call(null, "double", { of: 21 })) as { twice: number };
    assert.equal(twice, 42);
    await assert.rejects(t.call({ id: "sue", roles: ["staff"] }, "fail", {}), { code: "nothing_left" });
  });

  test("answers requests as the listener would, with a token that stays good", async () => {
    await using t = await createTestApp(app);
    const made = await t.request({ as: ann, path: "/api/notes", body: { title: "a" } });
    assert.deepEqual(
      [made.status, made.headers.get("content-type"), made.json<{ owner: string }>().owner],
      [201, "application/json", "ann"],
    );
    t.clock.advance(365 * 86_400_000);
    const { id } = made.json<{ id: string }>();
    assert.equal((await t.request({ as: ann, method: "PATCH", path: `/api/notes/${id}`, body: { title: "b" } })).status, 200);
    assert.equal((await t.request("/api/notes")).status, 200);
    assert.equal(
      (await t.fetch("/api/notes", { method: "POST", body: "{}", headers: { "content-type": "application/json" } })).status,
      401,
    );
    assert.equal((await t.fetch(new Request(`http://localhost/api/notes/${id}`))).status, 200);
    assert.equal((await t.request({ as: ann, path: "/api/notes", body: "{ broken" })).status, 400);
  });

  test("gives the changes and counts the statements since it was last asked", async () => {
    await using t = await createTestApp(app);
    assert.deepEqual([await t.changes(), t.statements()], [[], 0]);
    const { id } = await t.as(ann).notes.create({ title: "a" });
    await t.as(ann).notes.update(id, { title: "b" });
    const changes = await t.changes();
    assert.deepEqual(
      changes.map(({ kind, version, actor, before, after }) => [kind, version, actor, before?.["title"], after?.["title"]]),
      [
        ["insert", 1, "ann", undefined, "a"],
        ["update", 2, "ann", "a", "b"],
      ],
    );
    assert.ok(t.statements() > 2);
    await t.as(null).notes.get(id);
    assert.deepEqual([t.statements(), await t.changes()], [1, []]);
  });

  test("refuses options that it does not have, and a broken backend", async () => {
    await assert.rejects(createTestApp(app, { prot: 1 } as never), /there is no option prot/);
    await assert.rejects(createTestApp(backend({ notes: notes.index("titel" as never) })), { code: "backend_invalid" });
  });
});

describe("scenarios", () => {
  const good: Scenario = {
    name: "one",
    actor: ann,
    request: { path: "/api/notes", body: { title: "a" } },
    status: 201,
    contains: ["ann", /"version":1/],
    lacks: ["bob"],
    changes: ["insert notes"],
  };

  test("run in order, with what an earlier one gave", async (t) => {
    await using started = await createTestApp(app);
    const kept = { id: "" };
    const scenarios = defineScenarios([
      { ...good, check: (reply) => void (kept.id = reply.json<{ id: string }>().id) },
      { name: "two", request: () => `/api/notes/${kept.id}`, status: 200, contains: ["etag:"], statements: 1, changes: [] },
      {
        name: "three",
        actor: { id: "bob" },
        request: () => ({ method: "DELETE", path: `/api/notes/${kept.id}` }),
        status: 403,
        changes: [],
      },
    ]);
    await runScenarios(started, scenarios, t);
    await runScenarios(started, scenarios);
  });

  test("fail for each thing that is not as they say", async () => {
    await using started = await createTestApp(app);
    const faults: readonly (readonly [Partial<Scenario>, RegExp])[] = [
      [{ status: 200 }, /one: the status is 201, not 200/],
      [{ contains: ["bob"] }, /it lacks bob/],
      [{ lacks: [/"title":"a"/] }, /it holds \/"title":"a"\//],
      [{ changes: [] }, /the changes are insert notes, not none/],
      [{ changes: ["insert notes", "update notes"] }, /not insert notes, update notes/],
      [{ statements: 0 }, /\d statements ran, not 0/],
      [{ check: () => assert.fail("looked") }, /looked/],
    ];
    for (const [change, said] of faults) await assert.rejects(runScenarios(started, [{ ...good, ...change }]), said);
    const leak = {
      ...started,
      request: () =>
        Promise.resolve({ status: 500, headers: new Headers(), text: 'select 1 from "notes"', json: () => null as never }),
    };
    await assert.rejects(runScenarios(leak, [{ name: "leak", request: "/", status: 500 }]), /it holds/);
    assert.throws(() => defineScenarios([good, good]), /two scenarios are called "one"/);
  });
});
