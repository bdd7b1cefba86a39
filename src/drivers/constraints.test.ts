/** Tests of constraint texts: what is found in a definition, and what of it is understood, as each database spells it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findChecks, readCheck } from "./constraints.ts";

describe("constraints", () => {
  test("finds the checks of a definition, whatever stands in quotes and comments", () => {
    const definition = `CREATE TABLE "check (" (a TEXT CHECK (a IN ('x)', 'y''s')), -- CHECK (no)
      [check] INT, "b" INT DEFAULT 1 CONSTRAINT c CHECK("b" >= 0 AND ("b") < 9), /* CHECK (no) */ CHECK (a <> 'CHECK (x)'))`;
    assert.deepEqual(findChecks(definition), ["a IN ('x)', 'y''s')", `"b" >= 0 AND ("b") < 9`, "a <> 'CHECK (x)'"]);
  });

  const understood: readonly (readonly [string, unknown])[] = [
    ["rating IN ('G', 'it''s')", [{ column: "rating", choices: ["G", "it's"] }]],
    ["`rating` in ('G','PG')", [{ column: "rating", choices: ["G", "PG"] }]],
    [
      "((rating)::text = ANY ((ARRAY['G'::character varying, 'PG'::character varying])::text[]))",
      [{ column: "rating", choices: ["G", "PG"] }],
    ],
    ["(rating = ANY (ARRAY['G'::text, 'PG'::text]))", [{ column: "rating", choices: ["G", "PG"] }]],
    ["(price >= (0)::numeric)", [{ column: "price", bounds: { min: "0" } }]],
    [
      "((price >= '-1'::integer) AND (price <= 10))",
      [
        { column: "price", bounds: { min: "-1" } },
        { column: "price", bounds: { max: "10" } },
      ],
    ],
    ["[Unit Price] BETWEEN 0.5 AND 9.99", [{ column: "Unit Price", bounds: { min: "0.5", max: "9.99" } }]],
  ];
  for (const [condition, said] of understood)
    test(`understands ${condition}`, () => assert.deepEqual(readCheck(condition), said));

  const strange = [
    "price > 0",
    "a >= b",
    "length(name) <= 3",
    "a IN (1, 2)",
    "a IN ('x') OR b IN ('y')",
    "NOT a IN ('x')",
    "a >= 0 AND b > 0",
    "",
    "(",
  ];
  for (const condition of strange)
    test(`leaves ${JSON.stringify(condition)} to the database`, () => assert.deepEqual(readCheck(condition), []));
});
