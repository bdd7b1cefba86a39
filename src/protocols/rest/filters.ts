/** Builds the filter AST out of bracket parameters. Values stay texts; names and operators are the engine's to judge. */
import type { Where } from "../../engine/call.ts";
import { badParameter } from "../errors.ts";
import { listOperators, type Param } from "./params.ts";

type Node = { [name: string]: unknown };

/** A parameter and the part of its path that the filter begins after. */
interface Entry {
  readonly path: readonly string[];
  readonly value: string;
  readonly spelt: string;
}

/** The filter that parameters of one prefix make; `skip` brackets belong to the prefix. Undefined where there are none. */
export function buildFilter(params: readonly Param[], skip = 0): Where | undefined {
  if (params.length === 0) return undefined;
  const root: Node = {};
  for (const { path, value, spelt } of params) place(root, { path: path.slice(skip), value, spelt });
  return settle(root) as Where;
}

function place(root: Node, entry: Entry): void {
  const { path, value, spelt } = entry;
  if (path.length === 0) throw badParameter(`?${spelt}`, "malformed", "Name a field: filter[title]=Alien.");
  const listAt = path.findIndex((part) => listOperators.has(part));
  const end = listAt >= 0 ? listAt : path.length - 1;
  let node = root;
  for (const part of path.slice(0, end)) node = step(node, part, entry);
  const last = path[end] as string;
  checkName(last, entry);
  if (listAt >= 0) return placeListed(node, last, entry);
  if (Object.hasOwn(node, last)) throw clash(spelt);
  node[last] = last === "isNull" ? toBoolean(value, spelt) : value;
}

function step(node: Node, part: string, entry: Entry): Node {
  checkName(part, entry);
  if (!Object.hasOwn(node, part)) {
    const made: Node = {};
    node[part] = made;
    return made;
  }
  const found = node[part];
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw clash(entry.spelt);
  return found as Node;
}

// Assigned to a plain object, `__proto__` would not become a name of it.
function checkName(part: string, { spelt }: Entry): void {
  if (part === "") throw badParameter(`?${spelt}`, "malformed", "Brackets are empty here.");
  if (part === "__proto__") throw badParameter(`?${spelt}`, "unknown_field", 'There is no field "__proto__".');
}

// `[in]=a,b` and repeated `[in]=a&[in]=b` are split at commas; `[in][]=a` and `[in][0]=a` are taken whole.
function placeListed(node: Node, name: string, { path, value, spelt }: Entry): void {
  const at = path.indexOf(name);
  const index = path[at + 1];
  if (path.length > at + 2 || (index !== undefined && index !== "" && !/^\d{1,4}$/.test(index))) {
    throw badParameter(`?${spelt}`, "malformed", `${name} takes a list: [${name}]=a,b or [${name}][0]=a.`);
  }
  if (!Object.hasOwn(node, name)) node[name] = [];
  const list = node[name] as string[];
  if (!Array.isArray(list)) throw clash(spelt);
  if (index === undefined) list.push(...(value === "" ? [] : value.split(",")));
  else list.push(value);
}

function toBoolean(value: string, spelt: string): boolean {
  if (value === "true" || value === "false") return value === "true";
  throw badParameter(`?${spelt}`, "type", "isNull takes true or false.");
}

function clash(spelt: string): Error {
  return badParameter(`?${spelt}`, "contradiction", "Another parameter says something else of the same place.");
}

/** Turns the numbered arms of `and` and `or` into lists, at every depth. */
function settle(node: Node): Node {
  for (const [name, value] of Object.entries(node)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    const settled = settle(value as Node);
    node[name] = name === "and" || name === "or" ? toArms(name, settled) : settled;
  }
  return node;
}

function toArms(name: string, node: Node): unknown[] {
  const entries = Object.entries(node);
  const stray = entries.find(([index, arm]) => !/^\d{1,4}$/.test(index) || typeof arm !== "object");
  if (stray)
    throw badParameter(`?filter[${name}]`, "malformed", `The arms of ${name} are numbered: filter[${name}][0][title]=Alien.`);
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, arm]) => arm);
}
