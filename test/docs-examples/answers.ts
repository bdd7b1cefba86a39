/** Compares what a page shows with what came. `…` stands for anything: within a text, as the rest of a list, as further members. */
import type { Block } from "./blocks.ts";

/** What is different; empty where the answer is as shown. */
export function compareAnswer(shown: Block, came: string): readonly string[] {
  if (shown.language === "json") return compareJson(shown.text, came);
  const lines = came.split(/\r?\n/);
  const faults = shown.text.split("\n").filter((line) => line.trim() !== "" && !lines.some((one) => fits(line, one)));
  return faults.map((line) => `no line is like: ${line}`);
}

function compareJson(shown: string, came: string): readonly string[] {
  try {
    return compareValue(JSON.parse(shown), JSON.parse(came), "");
  } catch (error) {
    return [`${(error as Error).message}: ${came.slice(0, 500)}`];
  }
}

function compareValue(shown: unknown, came: unknown, at: string): readonly string[] {
  if (typeof shown === "string" && typeof came === "string" && fits(shown, came)) return [];
  if (shown === "…") return [];
  if (Array.isArray(shown) && Array.isArray(came)) return compareList(shown, came, at);
  if (isObject(shown) && isObject(came)) return compareObject(shown, came, at);
  return Object.is(shown, came) ? [] : [`${at || "the answer"} is ${JSON.stringify(came)}, not ${JSON.stringify(shown)}`];
}

function compareList(shown: readonly unknown[], came: readonly unknown[], at: string): readonly string[] {
  const isOpen = shown.at(-1) === "…";
  const wanted = isOpen ? shown.slice(0, -1) : shown;
  if (isOpen ? came.length < wanted.length : came.length !== wanted.length)
    return [`${at || "the answer"} has ${came.length} elements, not ${wanted.length}`];
  return wanted.flatMap((one, index) => compareValue(one, came[index], `${at}/${index}`));
}

type Members = Readonly<Record<string, unknown>>;

function compareObject(shown: Members, came: Members, at: string): readonly string[] {
  const isOpen = "…" in shown;
  const names = Object.keys(shown).filter((name) => name !== "…");
  const missing = names.filter((name) => !(name in came)).map((name) => `${at}/${name} is not there`);
  const further = isOpen ? [] : Object.keys(came).filter((name) => !(name in shown));
  const inner = names.filter((name) => name in came).flatMap((name) => compareValue(shown[name], came[name], `${at}/${name}`));
  return [...missing, ...further.map((name) => `${at}/${name} is not shown`), ...inner];
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a text is as shown; the names of headers are compared without case. */
function fits(shown: string, came: string): boolean {
  const pattern = shown.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${pattern.join("[^]*")}$`, "i").test(came);
}
