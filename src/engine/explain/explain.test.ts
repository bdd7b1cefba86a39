/** explain() says what the engine does: its outcome is compared with real calls, for every actor, row and action. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createApp } from "../../app/app.ts";
import { backend } from "../backend.ts";
import { everyone, not, or, and } from "../../schema/cond.ts";
import { boolean, choice, decimal, integer, me, text } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo } from "../../schema/relation.ts";
import { type Actor, anonymous, createActor, system } from "../actor.ts";
import type { Engine } from "../engine.ts";
import { explain, type Explaining, type Explanation, type Question } from "./explain.ts";
import { sayRule } from "./sentence.ts";
import type { Action } from "../../schema/schema.ts";
import type { Database } from "../../drivers/database.ts";
import type { Context } from "../context.ts";

const teams = model("teams", { name: text(), lead: text(), open: boolean().default(false) }).access(({ me, row }) => ({
  read: or(row.open.eq(true), row.lead.eq(me.id), me.has("admin")),
  write: me.has("admin"),
}));

const notes = model("notes", {
  title: text(),
  owner: text().default(me),
  state: choice("draft", "public").default("draft"),
  price: decimal(8, 2).default("1.00"),
  size: integer().default(0),
  secret: text().optional(),
  team: belongsTo(() => teams, { inverse: "notes" }).optional(),
})
  .softDelete()
  .access(({ row, me, input }) => ({
    read: or(row.state.eq("public"), row.owner.eq(me.id), row.team.lead.eq(me.id), me.has("staff")),
    create: and(me.signedIn, input.price.lte("9.99")),
    update: or(and(row.owner.eq(me.id), not(row.size.gt(5)), input.size.lte(9)), me.has("staff")),
    delete: me.has("staff"),
    fields: { secret: { read: row.owner.eq(me.id), write: me.has("staff") } },
  }));

const seats = model("seats", { row: text(), number: integer() })
  .key("row", "number")
  .access(() => ({ read: everyone }));

const visits = model("visits", { seat: belongsTo(() => seats) }).access(({ row, input }) => ({
  read: row.seat.eq("A,1"),
  create: input.seat.ne("A,13"),
}));

const audits = model("audits", { note: text() }).access(({ me }) => ({ read: me.has("staff"), create: everyone }));

const actors: Readonly<Record<string, Actor>> = {
  nobody: anonymous,
  ann: createActor("ann"),
  bob: createActor("bob"),
  staff: createActor("sue", ["staff"]),
  admin: createActor("adam", ["admin"]),
};

interface Started {
  readonly engine: Engine;
  readonly at: Explaining;
  readonly ids: readonly string[];
  readonly count: () => number;
  readonly stop: () => Promise<void>;
}

async function start(): Promise<Started> {
  const opened: { database?: Database } = {};
  const wrapDatabase = (database: Database) => (opened.database = database);
  const app = await createApp(backend({ teams, notes, audits, seats, visits }), {
    database: "sqlite::memory:",
    log: false,
    wrapDatabase,
  });
  const team = await app.system.teams.create({ name: "One", lead: "bob" });
  const ids: string[] = [];
  for (const [owner, state, size, withTeam] of [
    ["ann", "draft", 1, false],
    ["ann", "public", 6, false],
    ["ann", "draft", 2, true],
    ["cleo", "draft", 0, false],
  ] as const) {
    const { id } = await app.system.notes.create({ title: "t", owner, state, size, ...(withTeam ? { team: team.id } : {}) });
    ids.push(id);
  }
  const gone = await app.system.notes.create({ title: "gone", owner: "ann" });
  await app.system.notes.delete(gone.id);
  const counted = { reads: 0 };
  const { context } = app.engine as Engine & { readonly context: Context };
  const read: Explaining["read"] = (statement) => {
    counted.reads++;
    return (opened.database as Database).read(statement);
  };
  const at: Explaining = { context, read, now: "2026-01-01T00:00:00.000Z" };
  return {
    engine: app.engine,
    at,
    ids: [...ids, gone.id, "0198b0aa-0000-7000-8000-000000000000"],
    count: () => counted.reads,
    stop: () => app.stop(),
  };
}

describe("explain", () => {
  let started: Started;
  before(async () => {
    started = await start();
  });
  after(() => started.stop());

  test("a rule about a composite key is said and judged as a whole", async () => {
    const ask = (seat: string) =>
      explain(started.at, actors["ann"] as Actor, { model: "visits", action: "create", data: { seat } });
    const refused = await ask("A,13");
    assert.deepEqual([refused.outcome, refused.because], ["forbidden", ['input.seat ≠ "A,13" does not hold']]);
    assert.equal((await ask("A,1")).outcome, "allowed");
  });

  /** What the engine really answers. */
  async function outcomeOf(actor: Actor, action: Action, id: string): Promise<string> {
    const origin = { actor, requestId: null };
    const call =
      action === "read"
        ? ({ op: "get", model: "notes", id } as const)
        : action === "update"
          ? ({ op: "update", model: "notes", id, data: { size: 3 } } as const)
          : ({ op: "delete", model: "notes", id } as const);
    return started.engine.execute(call, origin).then(
      () => "allowed",
      (error: { code: string }) => error.code,
    );
  }

  test("agrees with the engine for every actor, row and action, in one statement", async () => {
    const outcomes = new Set<string>();
    for (const [name, actor] of Object.entries(actors)) {
      for (const id of started.ids) {
        for (const action of ["read", "update"] as const) {
          const before = started.count();
          const said = await explain(started.at, actor, {
            model: "notes",
            action,
            id,
            data: action === "update" ? { size: 3 } : undefined,
          });
          assert.equal(started.count() - before, 1);
          assert.equal(
            said.outcome,
            await outcomeOf(actor, action, id),
            `${name} ${action} ${id}: ${JSON.stringify(said, null, 1)}`,
          );
          outcomes.add(`${action} ${said.outcome}`);
        }
      }
    }
    // Planted fault: had the data no such variety, agreeing would prove nothing.
    assert.deepEqual(
      [...outcomes].toSorted(),
      [
        "read allowed",
        "read not_found",
        "update allowed",
        "update forbidden",
        "update not_found",
        "update unauthenticated",
      ].toSorted(),
    );
  });

  test("names the clauses that decided", async () => {
    const [mine, , inTeam] = started.ids;
    const because = async (actor: Actor | undefined, question: Omit<Question, "model">) =>
      (await explain(started.at, actor ?? anonymous, { model: "notes", ...question })).because;
    assert.deepEqual(await because(actors["ann"], { action: "read", id: mine }), ["row.owner = me.id"]);
    assert.deepEqual(await because(actors["bob"], { action: "read", id: inTeam }), ["row.team.lead = me.id"]);
    assert.deepEqual(await because(actors["staff"], { action: "update", id: mine }), ["me has role staff"]);
    assert.deepEqual(await because(actors["ann"], { action: "update", id: mine, data: { size: 10 } }), [
      "input.size ≤ 9 does not hold",
      "me has role staff does not hold",
    ]);
    assert.deepEqual(await because(actors["ann"], { action: "delete", id: mine }), ["me has role staff does not hold"]);
    assert.deepEqual(await because(actors["bob"], { action: "read", id: mine }), [
      'row.state = "public" does not hold',
      "row.owner = me.id does not hold",
      "row.team.lead = me.id does not hold",
      "me has role staff does not hold",
    ]);
  });

  test("judges a create by its data and defaults, and says what depends on them", async () => {
    const ann = actors["ann"] as Actor;
    const outcome = async (question: Omit<Question, "model" | "action">) =>
      (await explain(started.at, ann, { model: "notes", action: "create", ...question })).outcome;
    assert.equal(await outcome({}), "depends");
    assert.equal(await outcome({ data: { title: "x", price: "9.99" } }), "allowed");
    assert.equal(await outcome({ data: { title: "x", price: "10.00" } }), "forbidden");
    const stranger = await explain(started.at, anonymous, { model: "notes", action: "create" });
    assert.deepEqual([stranger.outcome, stranger.because], ["unauthenticated", ["me is signed in does not hold"]]);
    await assert.rejects(outcome({ data: { titel: "x" } }), { code: "invalid_input" });
    await assert.rejects(outcome({ data: { price: "a lot" } }), { code: "invalid_input" });
    await assert.rejects(explain(started.at, ann, { model: "films", action: "read" }), { code: "unknown_operation" });
  });

  test("tells the facts, the state of the row and the rules of fields", async () => {
    const said: Explanation = await explain(started.at, actors["ann"] as Actor, {
      model: "notes",
      action: "read",
      id: started.ids[0],
    });
    assert.deepEqual(said.facts, [
      { says: "me is signed in", holds: true },
      { says: "me has role admin", holds: false },
      { says: "me has role staff", holds: false },
    ]);
    assert.deepEqual(
      [said.row, said.fields.map(({ field, clause }) => [field, clause.says, clause.holds])],
      ["there", [["secret", "row.owner = me.id", true]]],
    );
    const trashed = await explain(started.at, actors["ann"] as Actor, { model: "notes", action: "read", id: started.ids[4] });
    assert.deepEqual([trashed.row, trashed.outcome], ["in the trash", "not_found"]);
    const all = await explain(started.at, system, { model: "notes", action: "delete", id: started.ids[0] });
    assert.equal(all.outcome, "allowed");
  });

  test("a rule in words", () => {
    const { access } = started.at.context.schema.models.get("notes") as NonNullable<
      ReturnType<Explaining["context"]["schema"]["models"]["get"]>
    >;
    const { roles } = started.at.context.schema;
    assert.equal(sayRule(access.create, roles), 'me is signed in and input.price ≤ "9.99"');
    assert.equal(
      sayRule(access.update, roles),
      "(row.owner = me.id and not (row.size > 5) and input.size ≤ 9) or me has role staff",
    );
  });
});
