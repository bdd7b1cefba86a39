/** Aggregates grouped by what is masked through relations of relations, and over fields that are named as the statement's own parts are. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { backend, belongsTo, boolean, everyone, integer, model, text } from "../src/index.ts";
import type { Many, RowOf } from "../src/schema/rule.ts";
import { createFreshTestApp } from "./fresh.ts";

const teams = model("teams", { name: text(), isOpen: boolean() }).access(() => ({ read: everyone }));
const people = model("people", { name: text(), team: belongsTo(() => teams, { inverse: "people" }) }).access(() => ({
  read: everyone,
}));
const notes = model("notes", {
  kind: text(),
  place: text(),
  size: integer(),
  isOpen: boolean(),
  author: belongsTo(() => people, { inverse: "notes" }),
}).access(({ row }) => {
  // Types do not know the other sides, which nobody declares.
  const author = row.author as unknown as RowOf<typeof people> & { readonly notes: Many<typeof notes> };
  const peopleOf = (note: RowOf<typeof notes>) =>
    (note.author.team as unknown as { readonly people: Many<typeof people> }).people;
  return {
    read: everyone,
    fields: {
      // What a subquery within a subquery compares with the row itself.
      kind: { read: row.author.team.name.eq(row.place) },
      place: { read: author.notes.some((note) => peopleOf(note).none((one) => one.name.eq(row.kind))) },
      size: { read: row.author.team.isOpen.eq(row.isOpen) },
    },
  };
});
const odd = model("odd", { g0: text(), m0: integer(), v0: integer(), a: text() }).access(() => ({ read: everyone }));

const app = await createFreshTestApp(backend({ teams, people, notes, odd }));
after(() => app.close());
const { system } = app;
const red = await system.teams.create({ name: "red", isOpen: true });
const ann = await system.people.create({ name: "ann", team: red.id });
for (const [kind, place, size, isOpen] of [
  ["a", "red", 1, true],
  ["ann", "red", 2, true],
  ["a", "blue", 4, false],
  ["a", "red", 8, true],
] as const)
  await system.notes.create({ kind, place, size, isOpen, author: ann.id });
for (const [g0, m0, v0, a] of [
  ["x", 1, 10, "p"],
  ["y", 2, 20, "p"],
  ["x", 4, 40, "q"],
] as const)
  await system.odd.create({ g0, m0, v0, a });

test("a value that is masked by what stands two relations away is grouped as it is seen", async () => {
  const reader = app.as(null).notes;
  // Thrice: a server prepares a statement once.
  for (let times = 0; times < 3; times++) {
    const kinds = await reader.aggregate({ group: ["kind"], count: ["*"], orderBy: ["-count"] });
    assert.deepEqual(kinds, [
      { group: { kind: "a" }, count: 2 },
      { group: { kind: null }, count: 1 },
      { group: { kind: "ann" }, count: 1 },
    ]);
    const places = await reader.aggregate({ group: ["place"], sum: ["size"], orderBy: ["place"] });
    assert.deepEqual(places, [
      { group: { place: null }, sum: { size: 2 } },
      { group: { place: "blue" }, sum: { size: null } },
      { group: { place: "red" }, sum: { size: 9 } },
    ]);
  }
});

test("fields may be named as the parts of the statement are", async () => {
  const found = await app.as(null).odd.aggregate({ group: ["a", "g0"], sum: ["m0", "v0"], orderBy: ["a", "g0"] });
  assert.deepEqual(found, [
    { group: { a: "p", g0: "x" }, sum: { m0: 1, v0: 10 } },
    { group: { a: "p", g0: "y" }, sum: { m0: 2, v0: 20 } },
    { group: { a: "q", g0: "x" }, sum: { m0: 4, v0: 40 } },
  ]);
});
