/** Strict JSON: takes what JSON.parse takes, but for what is refused by name. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AppError } from "../../base/errors.ts";
import { parseJson } from "./json-body.ts";

const parse = (text: string) => parseJson(Buffer.from(text));

function faultOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    const [issue] = error.errors;
    return issue ? `${issue.code} ${issue.pointer}` : error.code;
  }
  return "none";
}

describe("parseJson", () => {
  test("reads what JSON.stringify writes", () => {
    const value = fc
      .jsonValue({ maxDepth: 8, stringUnit: "grapheme" })
      .filter((json) => !JSON.stringify(json).includes("__proto__"));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (json, indent) => {
        const text = JSON.stringify(json, null, indent);
        // Whole numbers beyond 2^53 are refused on purpose.
        if (faultOf(text).startsWith("number_range")) return;
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test("refuses whatever JSON.parse refuses", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      "1",
      "-",
      "0",
      ".5",
      "e1",
      "true",
      "nul",
      " ",
      "\n",
      '"',
      "\\",
      "\\u00",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const isJson = isParsed(text);
        const fault = faultOf(text);
        if (isJson) assert.ok(fault === "none" || fault.startsWith("duplicate_key"), `${text}: ${fault}`);
        else assert.notEqual(fault, "none", text);
      }),
      { seed: 11, numRuns: 20_000 },
    );
  });

  const cases: readonly (readonly [text: string, fault: string])[] = [
    ["", "empty_body"],
    [" ", "syntax "],
    ['{"a":{"b":[1,{"c":1,"c":2}]}}', "duplicate_key /a/b/1/c"],
    ['{"a/b~":[1e999]}', "number_range /a~1b~0/0"],
    ['"\\udc00"', "lone_surrogate "],
    ['{"\\ud800":1}', "lone_surrogate "],
    ["9007199254740991", "none"],
    ["9007199254740992", "number_range "],
    ["-9007199254740993", "number_range "],
    ["1e25", "none"],
    ["1e-400", "number_precision "],
    ["0.0", "none"],
    ["-0", "none"],
    ["0e5", "none"],
    ["1.50", "none"],
    ["123456.789012345678", "number_precision "],
    ['"a\u0001"', "syntax "],
    ['"\\x"', "syntax "],
    [`${"[".repeat(64)}${"]".repeat(64)}`, "none"],
    ["[".repeat(65), `too_deep ${"/0".repeat(64)}`],
  ];
  for (const [text, fault] of cases)
    test(`${text.slice(0, 40)}: ${fault.slice(0, 40)}`, () => assert.equal(faultOf(text), fault));
});

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
