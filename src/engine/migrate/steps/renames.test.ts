/** Renames in any order and circle end where they should, and no name is ever taken twice. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { orderRenames } from "./renames.ts";

const fold = (name: string) => name.toLowerCase();

/** Plays the renames on the names and fails where a database would refuse one. */
function play(
  present: ReadonlyMap<string, string>,
  renames: readonly { from: string; to: string }[],
): ReadonlyMap<string, string> {
  const names = new Map(present);
  for (const { from, to } of renames) {
    const id = [...names].find(([, name]) => name === from)?.[0];
    assert.ok(id !== undefined, `nothing is called ${from}`);
    assert.ok(![...names.values()].some((name) => fold(name) === fold(to)), `${to} is taken`);
    names.set(id, to);
  }
  return names;
}

describe("renames", () => {
  const cases: readonly (readonly [present: string, wanted: string, renames: string])[] = [
    ["a", "a", ""],
    ["a", "b", "a>b"],
    ["a b", "b c", "b>_was_b a>b _was_b>c"],
    ["a b", "b a", "b>_was_b a>b _was_b>a"],
    ["a", "A", "a>_was_a _was_a>A"],
  ];
  for (const [present, wanted, renames] of cases) {
    test(`${present} to ${wanted}`, () => {
      const byId = (names: string) => new Map(names.split(" ").map((name, index) => [String(index), name]));
      const ordered = orderRenames(byId(present), byId(wanted)).renames.map(({ from, to }) => `${from}>${to}`);
      assert.equal(ordered.join(" "), renames);
    });
  }

  test("any names to any names, some dropped and some new", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "A", "b", "B", "c", "d", "_was_a", "_was_b"), {
      selector: fold,
      maxLength: 6,
    });
    const ids = fc.shuffledSubarray(["1", "2", "3", "4", "5", "6"]);
    const named = fc
      .tuple(ids, names)
      .map(([some, list]) => new Map(some.slice(0, list.length).map((id, index) => [id, list[index] as string])));
    fc.assert(
      fc.property(named, named, (present, wanted) => {
        const { renames, names: after } = orderRenames(present, wanted);
        const played = play(present, renames);
        assert.deepEqual(played, after);
        for (const [id, name] of wanted) {
          const holder = [...played].find(([, held]) => fold(held) === fold(name))?.[0];
          assert.ok(holder === (present.has(id) ? id : undefined), `${name} is held by ${holder}`);
        }
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
