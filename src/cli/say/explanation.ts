/** An explanation as text: the outcome, the facts of the caller, and each rule as a tree of clauses. */
import { styleText } from "node:util";
import type { Clause, Explanation } from "../../engine/explain/explain.ts";

const outcomes: Readonly<Record<Explanation["outcome"], string>> = {
  allowed: "Allowed.",
  unauthenticated: "Denied: 401 unauthenticated.",
  forbidden: "Denied: 403 forbidden.",
  not_found: "Not found: 404, as if there were no such row.",
  depends: "It depends on the row, or on the input.",
};

export function sayExplanation(said: Explanation): readonly string[] {
  const { actor, model, action, id, facts, row, outcome, because } = said;
  const who = actor.kind === "user" ? `${actor.id}${actor.roles.length > 0 ? ` (${actor.roles.join(", ")})` : ""}` : "A stranger";
  const title = `${who} · ${action} · ${model}${id === null ? "" : ` ${id}`}`;
  const color = outcome === "allowed" ? "green" : outcome === "depends" ? "yellow" : "red";
  return [
    title,
    styleText(["bold", color], outcomes[outcome]),
    ...(row === "missing" || row === "in the trash" ? [`  The row is ${row}.`] : []),
    ...because.map((line) => `  because ${line}`),
    "",
    "Facts",
    ...facts.map(({ says, holds }) => `  ${mark(holds)} ${says}`),
    ...said.rules.flatMap(({ action: asked, clause }) => ["", `${model}.access.${asked}`, ...sayClause(clause, 1)]),
    ...said.fields.flatMap(({ field, clause }) => ["", `${model}.access.fields.${field}.${action}`, ...sayClause(clause, 1)]),
  ];
}

function sayClause(clause: Clause, depth: number): readonly string[] {
  const indent = "  ".repeat(depth);
  const pointer = clause.decides && clause.parts.length === 0 ? styleText("bold", "  ← decides") : "";
  if (clause.parts.length === 0) return [`${indent}${mark(clause.holds)} ${clause.says}${pointer}`];
  const words = { and: "all of", or: "any of", not: "not" } as const;
  const head = `${indent}${mark(clause.holds)} ${clause.joins === null ? clause.says : words[clause.joins]}`;
  return [head, ...clause.parts.flatMap((part) => sayClause(part, depth + 1))];
}

function mark(holds: boolean | null): string {
  return holds === null ? styleText("yellow", "?") : holds ? styleText("green", "✔") : styleText("red", "✖");
}
