/** Who may not change a row sets nothing in motion: an update is judged before its hooks, as far as it can be known by then. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { and, backend, belongsTo, everyone, hasMany, integer, model, or, text } from "../src/index.ts";
import { createFreshTestApp } from "./fresh.ts";

const teams = model("teams", { name: text(), open: integer().default(1) }).access(({ row }) => ({
  read: row.open.eq(1),
  write: everyone,
}));

const boards = model("boards", {
  name: text(),
  get tasks() {
    return hasMany(() => tasks, { by: "board", owned: true });
  },
}).access(() => ({ read: everyone, write: everyone }));

const tasks = model("tasks", {
  title: text(),
  owner: text(),
  secret: text().default("no"),
  estimate: integer().default(1),
  reviewer: text().default("nobody"),
  team: belongsTo(() => teams).optional(),
  board: belongsTo(() => boards).optional(),
}).access(({ row, me, input }) => ({
  read: row.secret.eq("no"),
  create: everyone,
  update: and(row.owner.eq(me.id), input.reviewer.ne(me.id), or(row.estimate.lt(9), input.title.ne("late"))),
  fields: { estimate: { update: row.title.ne("frozen") } },
}));

const met: string[] = [];
const app = await createFreshTestApp(
  backend({ teams, boards, tasks }).before("tasks", "update", ({ input }) => {
    met.push(typeof input.title === "string" ? input.title : "");
    return input.title === "mended" ? { reviewer: "sue" } : undefined;
  }),
);
after(() => app.close());
const ann = app.as({ id: "ann" });
beforeEach(() => void met.splice(0));

const made = (data: object = {}) => app.system.tasks.create({ title: "t", owner: "ann", ...data });

test("a row that is not there, not readable, not one's own or of another version meets no hook", async () => {
  await assert.rejects(ann.tasks.update("00000000-0000-7000-8000-00000000dead", { title: "x" }), { code: "not_found" });
  await assert.rejects(ann.tasks.update("nonsense", { title: "x" }), { code: "not_found" });
  await assert.rejects(ann.tasks.update((await made({ secret: "yes" })).id, { title: "x" }), { code: "not_found" });
  await assert.rejects(ann.tasks.update((await made({ owner: "bob" })).id, { title: "x" }), { code: "forbidden" });
  await assert.rejects(ann.tasks.update((await made()).id, { title: "x" }, { ifVersion: 7 }), { code: "precondition_failed" });
  assert.deepEqual(met, []);
});

test("a field that may not be changed in this row meets no hook", async () => {
  const { id } = await made({ title: "frozen" });
  await assert.rejects(ann.tasks.update(id, { estimate: 2 }), { code: "forbidden" });
  await assert.rejects(ann.tasks.update(id, { estimate: { $add: 2 } }), { code: "forbidden" });
  assert.deepEqual(met, []);
  await ann.tasks.update(id, { title: "thawed" });
  assert.deepEqual(met, ["thawed"]);
});

test("what a rule says of the outcome waits for the hooks, which may mend it", async () => {
  const { id } = await made();
  await assert.rejects(ann.tasks.update(id, { title: "late", reviewer: "ann" }), { code: "forbidden" });
  assert.equal((await ann.tasks.update(id, { title: "mended", reviewer: "ann" })).reviewer, "sue");
  assert.deepEqual(met, ["late", "mended"]);
});

test("of two reasons the same is told as without hooks: a reference that leads nowhere, before the rule", async () => {
  const hidden = await app.system.teams.create({ name: "hidden", open: 0 });
  const foreign = await made({ owner: "bob" });
  const reference = (error: { errors: readonly { code: string }[] }) => error.errors[0]?.code === "unknown_reference";
  await assert.rejects(ann.tasks.update(foreign.id, { title: "x", team: hidden.id }), reference);
  assert.deepEqual(met, []);
  await assert.rejects(ann.tasks.update((await made()).id, { title: "y", team: hidden.id }), reference);
  assert.deepEqual(met, ["y"]);
});

test("the same holds wherever an update comes from", async () => {
  const { id: board } = await app.system.boards.create({ name: "b" });
  const foreign = await made({ owner: "bob", board });
  await assert.rejects(ann.boards.update(board, { tasks: { update: [{ id: foreign.id, title: "x" }] } }), { code: "forbidden" });
  await assert.rejects(ann.tasks.put(foreign.id, { title: "x", owner: "bob" }), { code: "forbidden" });
  const many = { where: { id: foreign.id }, data: { title: "x" }, maxAffected: 1 };
  await assert.rejects(ann.tasks.updateMany(many), { code: "forbidden" });
  const batch = { ops: [{ update: "tasks", key: foreign.id, data: { title: "x" } }] };
  assert.equal((await app.request({ path: "/api/batch", body: batch, as: { id: "ann" } })).status, 403);
  assert.deepEqual(met, []);
  await app.system.tasks.update(foreign.id, { title: "by the system" });
  assert.deepEqual(met, ["by the system"]);
});
