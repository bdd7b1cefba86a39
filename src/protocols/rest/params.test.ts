/** A query string that is cut in two, its kept part and the values of its filters, says what it says whole. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { holes } from "../../engine/call.ts";
import { cutFilling } from "./params.ts";
import { readListQuery } from "./queries.ts";

/** The query with its holes filled. */
function fill(value: unknown, filling: readonly string[]): unknown {
  if (typeof value === "symbol") return filling[holes.indexOf(value)];
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fill(item, filling));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, filling)]));
}

const cuts: readonly (readonly [search: string, rest: string, filling: readonly string[]])[] = [
  ["sort=-price&limit=5", "&sort=-price&limit=5", []],
  ["filter[title]=Alien&sort=title", "&filter[title]=&sort=title", ["Alien"]],
  ["filter%5Btitle%5D=A%20b+c", "&filter%5Btitle%5D=", ["A b c"]],
  ["filter[title]=", "&filter[title]=", [""]],
  [
    "filter[price][gte]=1&filter[title]=a=b&filter[price][lt]=2",
    "&filter[price][gte]=&filter[title]=&filter[price][lt]=",
    ["1", "a=b", "2"],
  ],
  ["filter[or][0][title]=a&filter[or][1][stock]=2", "&filter[or][0][title]=&filter[or][1][stock]=", ["a", "2"]],
  [
    "filter[director][name]=x&filter[reviews][some][rating]=3",
    "&filter[director][name]=&filter[reviews][some][rating]=",
    ["x", "3"],
  ],
  // Of these the value says what is asked.
  ["filter[id][in]=1,2&filter[stock]=3", "&filter[id][in]=1,2&filter[stock]=", ["3"]],
  ["filter[id][in][]=1&filter[id][in][]=2", "&filter[id][in][]=1&filter[id][in][]=2", []],
  ["filter[price][between]=1,2", "&filter[price][between]=1,2", []],
  ["filter[title][isNull]=true", "&filter[title][isNull]=true", []],
  ["filter[director][isNull]=false&filter[title]=a", "&filter[director][isNull]=false&filter[title]=", ["a"]],
  // A name that is not spelt plainly is left alone.
  ["filter[%69n]=1", "&filter[%69n]=1", []],
  ["expand[reviews][filter][rating]=3&filter[stock]=1", "&expand[reviews][filter][rating]=3&filter[stock]=", ["1"]],
];

describe("cutting", () => {
  for (const [search, rest, filling] of cuts)
    test(search, () => {
      assert.deepEqual(cutFilling(search), { rest, filling });
      assert.deepEqual(fill(readListQuery(search, true), filling), readListQuery(search));
    });

  test("ends after as many values as there are holes", () => {
    const search = Array.from({ length: holes.length + 3 }, (_, index) => `filter[f${index}]=${index}`).join("&");
    const { rest, filling } = cutFilling(search);
    assert.equal(filling.length, holes.length);
    assert.ok(rest.endsWith("&filter[f34]=34"));
    assert.deepEqual(fill(readListQuery(search, true), filling), readListQuery(search));
  });

  test("refuses what reading refuses", () => {
    for (const search of ["filter[title]=%zz", "filter[title]=%00"]) {
      assert.throws(() => cutFilling(search), { code: "malformed_request" });
      assert.throws(() => readListQuery(search), { code: "malformed_request" });
    }
  });
});
