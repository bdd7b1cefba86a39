/** The style guide as a test: each rule of STYLE.md over the whole tree, and over faults planted to prove the rule. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Exception, exceptions } from "./tidy/exceptions.ts";
import { floorRules } from "./tidy/floors.ts";
import { nameRules } from "./tidy/names.ts";
import { shapeRules } from "./tidy/shape.ts";
import { sizeRules } from "./tidy/sizes.ts";
import { type Breach, type Fixture, parseSource, type Rule, readSources, type Source } from "./tidy/source.ts";

const rules: readonly Rule[] = [...sizeRules, ...nameRules, ...shapeRules, ...floorRules];
const sources = readSources(fileURLToPath(new URL("..", import.meta.url)));

/** What is wrong with the tree by one rule, after the exceptions; also exceptions that are larger than need be. */
function judge(rule: Rule, judged: readonly Source[], allowed: Readonly<Record<string, Exception>>): string[] {
  const breaches = Map.groupBy(rule.check(judged), (breach) => keyOf(rule, breach));
  const over = [...breaches].flatMap(([key, found]) => {
    const number = measure(found);
    const today = allowed[key]?.today ?? 0;
    if (number < today) return [`exception "${key}" says ${today} and is ${number}: lower it`];
    return number === today ? [] : found.map(({ path, line, what }) => `${path}:${line} ${what}`);
  });
  const stale = Object.keys(allowed).filter((key) => key.startsWith(`${rule.name} `) && !breaches.has(key));
  return [...over, ...stale.map((key) => `exception "${key}" is not needed any more: remove it`)];
}

function keyOf(rule: Rule, { path, symbol }: Breach): string {
  return `${rule.name} ${path}${symbol === undefined ? "" : `#${symbol}`}`;
}

function measure(found: readonly Breach[]): number {
  return Math.max(found.length, ...found.map(({ size }) => size ?? 0));
}

function parse(fixtures: readonly Fixture[]): Source[] {
  return fixtures.map(({ path, text }) => parseSource(path, text));
}

describe("the tree", () => {
  for (const rule of rules) {
    test(rule.name, () => {
      const wrong = judge(rule, sources, exceptions);
      assert.ok(wrong.length === 0, `\n${wrong.join("\n")}`);
    });
  }

  test("every exception names a rule", () => {
    const names = new Set(rules.map(({ name }) => name));
    const lost = Object.keys(exceptions).filter((key) => !names.has(key.split(" ")[0] ?? ""));
    assert.deepEqual(lost, []);
  });

  test("is read whole", () => {
    assert.ok(sources.some(({ path }) => path === "src/base/errors.ts"));
    assert.ok(sources.some(({ path }) => path === "test/tidy.test.ts"));
  });
});

describe("planted faults", () => {
  for (const rule of rules) {
    test(`${rule.name} catches its faults and nothing else`, () => {
      for (const fault of rule.faults) assert.notDeepEqual(rule.check(parse(fault)), [], `missed: ${JSON.stringify(fault)}`);
      for (const fine of rule.fine) assert.deepEqual(rule.check(parse(fine)), []);
      assert.ok(rule.faults.length > 0 && rule.fine.length > 0);
    });
  }

  test("an exception may fall, and may not rise or stay when it is no longer needed", () => {
    const rule = rules.find(({ name }) => name === "file-lines");
    assert.ok(rule);
    const long = parse([{ path: "src/engine/plan.ts", text: "// x\n".repeat(600) }]);
    const allow = (today: number) => ({ "file-lines src/engine/plan.ts": { today, why: "test" } });
    assert.equal(judge(rule, long, {}).length, 1);
    assert.equal(judge(rule, long, allow(600)).length, 0);
    assert.equal(judge(rule, long, allow(599)).length, 1);
    assert.equal(judge(rule, long, allow(601)).length, 1);
    assert.equal(judge(rule, parse([{ path: "src/engine/plan.ts", text: "" }]), allow(600)).length, 1);
  });
});
