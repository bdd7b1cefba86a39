/** Rules of names and openings: what a file may be called, and the sentence that it begins with. */
import type { Breach, Rule, Source } from "./source.ts";

export const bannedWords: ReadonlySet<string> = new Set(
  "util utils helper helpers common shared misc core lib libs manager managers service services".split(" "),
);
const bannedPrefix = /^(base|abstract)-/;
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const wordsMax = 2;

function faultOfName(name: string): string | null {
  const words = name.split("-");
  const banned = words.find((word) => bannedWords.has(word));
  if (!kebab.test(name)) return `"${name}" is not kebab-case`;
  if (banned !== undefined) return `"${banned}" says nothing of what is in it`;
  if (bannedPrefix.test(name)) return `"${name}" is named for its place in a hierarchy`;
  if (words.length > wordsMax) return `"${name}" has ${words.length} words; ${wordsMax} at most`;
  return null;
}

export const fileNames: Rule = {
  name: "file-names",
  check: (sources) =>
    sources.flatMap(({ path }): Breach[] => {
      const parts = path.split("/");
      const file = parts.pop()?.split(".")[0] ?? "";
      const fault = [...parts, file].map(faultOfName).find((found) => found !== null);
      return fault === undefined ? [] : [{ path, line: 1, what: fault }];
    }),
  faults: ["planMaker.ts", "plan_maker.ts", "utils.ts", "row-helper.ts", "base-plan.ts", "a-long-name.ts", "shared/plan.ts"].map(
    (name) => [{ path: `src/engine/${name}`, text: "" }],
  ),
  fine: ["plan.ts", "plan-cache.ts", "plan-cache.test.ts", "plan.types.ts"].map((name) => [
    { path: `src/engine/${name}`, text: "" },
  ]),
};

const wordsMin = 3;

export const openingSentence: Rule = {
  name: "opening-sentence",
  check: (sources) =>
    sources.flatMap((source): Breach[] =>
      opensWithSentence(source) ? [] : [{ path: source.path, line: 1, what: "does not open with a sentence on what it is for" }],
    ),
  faults: ["const a = 1;", "/** */\nconst a = 1;", "// TODO\nconst a = 1;", "const a = 1;\n/** Plans a call into steps. */"].map(
    (text) => [{ path: "src/engine/plan.ts", text }],
  ),
  fine: [
    "/** Plans a call into steps. */\nconst a = 1;",
    "/**\n * Plans a call into steps,\n * one by one.\n */\nconst a = 1;",
    "#!/usr/bin/env node\n// Plans a call into steps.\nconst a = 1;",
  ].map((text) => [{ path: "src/engine/plan.ts", text }]),
};

function opensWithSentence({ text, comments, body }: Source): boolean {
  const [first] = comments.filter((comment) => !text.startsWith("#!") || comment.start > 0);
  if (first === undefined || (body[0] !== undefined && body[0].start < first.start)) return false;
  const said = first.value.replace(/^[\s*]+/gm, " ").trim();
  return said.split(/\s+/).length >= wordsMin && /[.:?!](\s|$)/.test(said);
}

export const nameRules: readonly Rule[] = [fileNames, openingSentence];
