/** Builds the selection AST out of `fields` and `expand` parameters. Names are the engine's to judge. */
import type { Select } from "../../engine/call.ts";
import { didYouMean } from "../../base/suggest.ts";
import { badParameter } from "../errors.ts";
import { buildFilter } from "./filters.ts";
import type { Param } from "./params.ts";

type Node = { [name: string]: unknown };

const depthMax = 32;
const expandWords = ["limit", "sort", "fields", "filter"] as const;

/** Undefined where neither parameter is given: the whole row without relations. */
export function buildSelect(fields: Param | undefined, expands: readonly Param[]): Select | undefined {
  if (fields === undefined && expands.length === 0) return undefined;
  const root: Node = {};
  if (fields === undefined) root["*"] = true;
  else for (const path of splitList(fields)) addField(root, path, fields);
  const detailed = new Map<string, Param[]>();
  for (const param of expands) {
    const [relation] = param.path;
    if (relation === undefined) for (const path of splitList(param)) expand(root, path, param);
    else detailed.set(relation, [...(detailed.get(relation) ?? []), param]);
  }
  for (const [relation, params] of detailed) detail(root, relation, params);
  return root as Select;
}

/** The names of a comma list, none of them empty. */
export function splitList({ value, spelt }: Param): string[] {
  const names = value.split(",").map((name) => name.trim());
  if (names.includes("")) throw badParameter(`?${spelt}`, "malformed", "A name of the list is empty.");
  return names;
}

function addField(root: Node, path: string, param: Param): void {
  const names = namesOf(path, param);
  const last = names.pop() as string;
  const node = names.reduce((at, name) => enter(at, name), root);
  // `fields=director,director.name`: what is said in more detail stands.
  if (typeof node[last] !== "object" || !Object.hasOwn(node, last)) node[last] = true;
}

/** The whole row of the relation, unless `fields` has picked from it. */
function expand(root: Node, path: string, param: Param): Node {
  let node = root;
  for (const name of namesOf(path, param)) {
    const made = !Object.hasOwn(node, name) || node[name] === true;
    node = enter(node, name);
    if (made) node["*"] = true;
  }
  return node;
}

function enter(node: Node, name: string): Node {
  if (!Object.hasOwn(node, name) || node[name] === true) node[name] = {};
  return node[name] as Node;
}

function namesOf(path: string, { spelt }: Param): string[] {
  const names = path.split(".");
  if (names.length > depthMax) throw badParameter(`?${spelt}`, "too_deep", `A path has at most ${depthMax} names.`);
  if (names.includes("") || names.includes("__proto__") || names.some((name) => name.startsWith("$"))) {
    throw badParameter(`?${spelt}`, "unknown_field", `There is no field ${JSON.stringify(path.slice(0, 64))}.`);
  }
  return names;
}

function detail(root: Node, relation: string, params: readonly Param[]): void {
  const node = expand(root, relation, params[0] as Param);
  const filters = params.filter(({ path }) => path[1] === "filter");
  if (filters.length > 0) node["$where"] = buildFilter(filters, 2);
  for (const param of params) {
    const [, word = "", ...rest] = param.path;
    if (word === "filter") continue;
    if (rest.length > 0 || !(expandWords as readonly string[]).includes(word)) {
      throw badParameter(
        `?${param.spelt}`,
        "unknown_parameter",
        `expand knows ${expandWords.join(", ")}.${didYouMean(word, expandWords)}`,
      );
    }
    if (word === "limit") node["$limit"] = toWhole(param);
    else if (word === "sort") node["$orderBy"] = param.value;
    else {
      delete node["*"];
      for (const path of splitList(param)) addField(node, path, param);
    }
  }
}

/** A whole number from 1. @throws invalid_parameter */
export function toWhole({ value, spelt }: Param): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) < 1) throw badParameter(`?${spelt}`, "type", "must be a whole number from 1.");
  return Number(value);
}
