/** Each kind of trouble is found where it was planted, and nowhere else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backend, type Backend } from "../../engine/backend.ts";
import { compileOperations } from "../../engine/operations.ts";
import type { Registry } from "../../engine/typed.ts";
import { compileSchema } from "../../schema/compile.ts";
import { and, everyone, nobody, or } from "../../schema/cond.ts";
import { boolean, decimal, integer, me, text } from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo, manyToMany } from "../../schema/relation.ts";
import { expr } from "../../schema/rule.ts";
import { findTrouble } from "./findings.ts";

/** The findings of a backend, in short. */
function check(declared: unknown): string[] {
  const { spec } = declared as Backend<Registry>;
  const schema = compileSchema(spec.models as Parameters<typeof compileSchema>[0]);
  const { operations, roles } = compileOperations(spec, schema);
  return findTrouble({ schema: { ...schema, roles }, operations, hooks: spec.hooks }).map(
    ({ level, place, problem }) => `${level} ${place}: ${problem}`,
  );
}

const notes = model("notes", { title: text(), owner: text().default(me) });
const owned = notes.access(({ row, me }) => ({ read: or(row.owner.eq(me.id), me.has("staff")), write: me.signedIn }));

describe("rules that no index serves", () => {
  test("are found for the caller that they are slow for", () => {
    assert.deepEqual(check(backend({ notes: owned })), [
      'warning notes.access.read: "row.owner = me.id" decides which rows are seen, and no index leads with owner.',
    ]);
    assert.deepEqual(check(backend({ notes: owned.index("owner", "title") })), []);
    assert.deepEqual(check(backend({ notes: owned.softDelete().index("owner") })), []);
    assert.match(check(backend({ notes: owned.index("title", "owner") }))[0] ?? "", /no index leads with owner/);
    assert.match(
      check(backend({ notes: owned.indexed(["owner"], { where: ({ row }) => row.title.eq("x") }) }))[0] ?? "",
      /no index leads with owner/,
    );
  });

  test("one indexed part of `and` is enough, every part of `or` needs its own", () => {
    const both = (join: typeof and) =>
      notes.access(({ row, me }) => ({ read: join(row.owner.eq(me.id), row.title.eq("x")), write: me.signedIn })).index("owner");
    assert.deepEqual(check(backend({ notes: both(and) })), []);
    assert.match(check(backend({ notes: both(or) }))[0] ?? "", /no index leads with title/);
  });

  test("nothing is said where no index could help", () => {
    const flagged = model("flagged", { open: boolean(), owner: text() }).access(({ row, me }) => ({
      read: or(row.open.eq(true), row.owner.eq(me.id)),
      write: me.signedIn,
    }));
    assert.deepEqual(check(backend({ flagged })), []);
    assert.deepEqual(check(backend({ notes: notes.access(() => ({ read: everyone, write: everyone })) })), []);
  });
});

test("a relation to a view, which no foreign key holds", () => {
  const open = () => ({ read: everyone });
  const seen = model("seen", { code: text() }).view().key("code").access(open);
  const mine = model("mine", { seen: belongsTo(() => seen) }).access(open);
  const theirs = model("theirs", { code: text().column("c", "text"), seen: belongsTo(() => seen) })
    .adopted()
    .key("code")
    .access(open);
  const found = check(backend({ seen, mine, theirs })).filter((line) => line.includes("view"));
  assert.deepEqual(found, ["warning mine.seen: seen is a view, and no foreign key leads to one."]);
});

describe("doors that nobody can open", () => {
  test("models, reads and actions", () => {
    assert.deepEqual(check(backend({ notes })), ["warning notes.access: nobody may do anything."]);
    assert.deepEqual(check(backend({ notes: notes.access(({ me }) => ({ create: me.signedIn })) })), [
      "warning notes.access.read: nobody may read it.",
    ]);
    const open = notes.access(() => ({ read: everyone, write: everyone }));
    const closed = backend({ notes: open })
      .action("a", { access: nobody, run: () => 1 })
      .action("b", { access: everyone, run: () => 1 });
    assert.deepEqual(check(closed), ["error action a: nobody may call it."]);
  });

  test("changes by those who may not read", () => {
    const blind = notes.access(({ me }) => ({ read: me.has("reader"), update: me.has("writer") }));
    // Somebody may have both roles.
    assert.deepEqual(check(backend({ notes: blind })), []);
    const never = notes.access(({ me }) => ({ read: nobody, update: me.has("writer"), create: everyone }));
    assert.deepEqual(check(backend({ notes: never })), [
      "error notes.access.update: whoever may update may not read.",
      "warning notes.access.read: nobody may read it.",
    ]);
  });

  test("fields that no caller can give", () => {
    const numbered = model("numbered", { number: integer().readOnly(), title: text() }).access(() => ({
      read: everyone,
      write: everyone,
    }));
    assert.deepEqual(check(backend({ numbered })), ["error numbered.number: it is required, and no caller can give it."]);
    assert.deepEqual(check(backend({ numbered }).before("numbered", "create", () => ({}))), []);
    const secrets = model("secrets", { a: text() });
    const keys = model("keys", { secret: belongsTo(() => secrets) }).access(() => ({ read: everyone, write: everyone }));
    assert.deepEqual(check(backend({ secrets, keys })), [
      "error keys.secret: whoever may create may not read secrets.",
      "warning secrets.access: nobody may do anything.",
    ]);
  });
});

describe("the rest", () => {
  test("long pages, double links, leaks and like roles", () => {
    const open = () => ({ read: everyone, write: everyone });
    assert.deepEqual(check(backend({ notes: notes.access(open).pages({ max: 5000 }) })), [
      "warning notes.pages: a page may hold 5000 rows.",
    ]);
    const tags = model("tags", { name: text() }).access(open);
    const films = model("films", {
      title: text(),
      get tags() {
        return manyToMany(() => tags, { through: () => taggings, from: "film", to: "tag" });
      },
    }).access(open);
    const taggings = model("taggings", { film: belongsTo(() => films), tag: belongsTo(() => tags) }).access(open);
    assert.deepEqual(check(backend({ tags, films, taggings } as never)), [
      "warning taggings: the same film and tag can be linked twice.",
    ]);
    assert.deepEqual(check(backend({ tags, films, taggings: taggings.unique("film", "tag") } as never)), []);
    const priced = model("priced", { price: decimal(8, 2), cost: decimal(8, 2) })
      .computed("margin", decimal(8, 2))
      .from(({ row }) => expr.sub(row.price, row.cost))
      .access(({ me }) => ({ read: everyone, fields: { cost: { read: me.has("staff") }, margin: { read: me.signedIn } } }));
    assert.deepEqual(check(backend({ priced })), [
      "warning priced.margin: it is computed from cost, and some who may read it may not read cost.",
    ]);
    const misspelt = notes.access(({ me }) => ({ read: me.has("staff"), write: me.has("staf") }));
    assert.deepEqual(check(backend({ notes: misspelt })), ["warning role staf: there is also a role staff."]);
  });
});
