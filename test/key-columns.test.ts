/** A belongsTo whose composite key shares a column with another field, as tenants do: what each may say of it, and what is refused. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { backend, belongsTo, everyone, integer, model, text } from "../src/index.ts";
import { AppError } from "../src/base/errors.ts";
import { compileSchema, type DeclaredModel } from "../src/schema/compile.ts";
import { createFreshTestApp } from "./fresh.ts";

const open = () => ({ read: everyone, write: everyone });
const tenants = model("tenants", { name: text() }).key("name").access(open);
const accounts = model("accounts", { tenant: belongsTo(() => tenants), number: integer(), label: text() })
  .key("tenant", "number")
  .access(open);
const payments = model("payments", {
  tenant: belongsTo(() => tenants).immutable(),
  from: belongsTo(() => accounts).column("tenant_id", "from_number"),
  to: belongsTo(() => accounts, { onDelete: "setNull" })
    .column("tenant_id", "to_number")
    .optional(),
}).access(({ row, input }) => ({ read: everyone, create: input.from.ne("a,13"), update: row.from.ne("a,14") }));

const app = await createFreshTestApp(backend({ tenants, accounts, payments }));
after(() => app.close());
const { system } = app;
for (const name of ["a", "b"]) {
  await system.tenants.create({ name });
  for (const number of [1, 2, 13, 14]) await system.accounts.create({ tenant: name, number, label: `${name}${number}` });
}
const ann = app.as({ id: "ann" });

test("each of the fields may say what they share, and all that do say the same", async () => {
  const made = await ann.payments.create({ tenant: "a", from: "a,1", to: "a,2" });
  assert.deepEqual({ ...made, id: "" }, { id: "", tenant: "a", from: "a,1", to: "a,2", version: 1 });
  assert.equal((await ann.payments.create({ from: "b,1" } as never)).tenant, "b");
  const torn = ann.payments.create({ tenant: "a", from: "b,1" });
  await assert.rejects(torn, ({ errors }: AppError) => errors[0]?.code === "contradiction" && errors[0].pointer === "/data/from");
  const alone = await ann.payments.create({ tenant: "b", from: "b,2" });
  assert.equal(alone.to, null);
});

test("an update leaves what is shared as it is", async () => {
  const { id } = await ann.payments.create({ tenant: "a", from: "a,1", to: "a,2" });
  assert.equal((await ann.payments.update(id, { from: "a,2" })).from, "a,2");
  const elsewhere = ann.payments.update(id, { from: "b,2" });
  await assert.rejects(
    elsewhere,
    ({ errors }: AppError) => errors[0]?.code === "write_once" && errors[0].pointer === "/data/from",
  );
  const cleared = await ann.payments.update(id, { to: null });
  assert.deepEqual([cleared.tenant, cleared.to], ["a", null]);
});

test("rules speak of the key as a whole, before and after", async () => {
  await assert.rejects(ann.payments.create({ tenant: "a", from: "a,13" }), { code: "forbidden" });
  const { id } = await ann.payments.create({ tenant: "b", from: "b,13" });
  assert.equal((await ann.payments.update(id, { from: "b,14" })).from, "b,14");
  const mine = await ann.payments.create({ tenant: "a", from: "a,1" });
  await assert.rejects(ann.payments.update(mine.id, { from: "a,14" }), { code: "forbidden" });
  const why = await app.engine.execute(
    { op: "list", model: "payments", query: { where: { from: { label: "b14" } } } },
    {
      actor: { kind: "user", id: "ann", roles: [], claims: {} },
      requestId: null,
    },
  );
  assert.equal(why.result.kind === "list" ? why.result.rows.length : 0, 1);
});

test("a row that is forgotten takes nothing of what is shared along", async () => {
  await system.accounts.create({ tenant: "a", number: 99, label: "gone" });
  const { id } = await ann.payments.create({ tenant: "a", from: "a,1", to: "a,99" });
  await system.accounts.delete("a,99");
  const left = await system.payments.get(id);
  assert.deepEqual([left.tenant, left.to], ["a", null]);
});

/** The places and problems of a backend that is refused. */
function problemsOf(...models: readonly DeclaredModel[]): readonly string[] {
  try {
    compileSchema(Object.fromEntries(models.map((one) => [one.name, one])));
  } catch (error) {
    if (error instanceof AppError) return error.errors.map(({ pointer, message }) => `${pointer}: ${message}`);
  }
  return [];
}

test("what cannot be held is refused at start, with its mend", () => {
  const two = model("two", { a: text(), b: integer() }).key("a", "b");
  const holding = (relation: object, more: object = {}) => problemsOf(two, model("one", { ...more, two: relation }));
  const held = () => belongsTo(() => two);
  assert.deepEqual(holding(held()), []);
  assert.deepEqual(holding(held().default("x,1")), []);
  assert.match(holding(held().default("x"))[0] ?? "", /one\.two: its default "x" is no key of 2 parts/);
  assert.match(holding(held().column("a", "b", "c"))[0] ?? "", /has 2 parts, and column\(\) names 3/);
  assert.match(
    holding(held().column("a", "b"), { a: text() })[0] ?? "",
    /column a is also that of a, which may change by itself/,
  );
  assert.match(holding(held().column("a", "b"), { b: text().immutable() })[0] ?? "", /which is text and not integer/);
  assert.match(holding(held(), { other: text().column("two_a") })[0] ?? "", /column two_a is also that of other/);
  const forgetting = belongsTo(() => two, { onDelete: "setNull" });
  assert.match(holding(forgetting)[0] ?? "", /set to null on delete and not optional/);
  const single = model("single", { name: text() });
  const named = model("named", { single: belongsTo(() => single).column("a", "b") });
  assert.match(problemsOf(single, named)[0] ?? "", /has one part, and column\(\) names 2/);
});

test("keys that lead in a circle are refused, whatever their parts", () => {
  const left: DeclaredModel = model("left", {
    name: text(),
    get right(): unknown {
      return belongsTo(() => right as never);
    },
  }).key("name", "right");
  const right: DeclaredModel = model("right", { name: text(), left: belongsTo(() => left as never) }).key("name", "left");
  const found = problemsOf(left, right);
  assert.deepEqual(new Set(found.map((problem) => problem.split(".")[0])), new Set(["left", "right"]));
  assert.match(found[0] ?? "", /the keys it leads to lead in a circle/);
});
