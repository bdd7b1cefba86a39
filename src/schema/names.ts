/** Names: what may be one, and how it becomes a name in the database. */
import { operators, quantifiers } from "./cond.ts";

/** Longest name of a model or field, so that every database takes it. */
export const nameLengthMax = 63;

const pattern = /^[a-z][a-zA-Z0-9]*$/;
const reservedFields: ReadonlySet<string> = new Set([...operators, ...quantifiers, "and", "or", "not", "group"]);
const reservedModels: ReadonlySet<string> = new Set(["batch", "actions"]);

/** What is wrong with a name, or null. */
export function nameFault(name: string, of: "model" | "field"): string | null {
  if (!pattern.test(name)) return "a name starts with a lower-case letter and has letters and digits only (camelCase).";
  if (name.length > nameLengthMax) return `a name has at most ${nameLengthMax} characters.`;
  if ((of === "field" ? reservedFields : reservedModels).has(name))
    return `${JSON.stringify(name)} is a word of the query language.`;
  return null;
}

/** `releasedOn` → `released_on`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
