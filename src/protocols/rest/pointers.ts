/** Translates the places that the engine names in a call into places of the request: `/where/price/gte` is `?filter[price][gte]`. */
import { AppError, type Issue } from "../../base/errors.ts";
import type { Call } from "../../engine/call.ts";

const plain: Readonly<Record<string, string>> = {
  orderBy: "?sort",
  limit: "?limit",
  after: "?after",
  before: "?before",
  page: "?page[number]",
  count: "?count",
  trash: "?trash",
  group: "?group",
  sum: "?sum",
  avg: "?avg",
  min: "?min",
  max: "?max",
  maxAffected: "?maxAffected",
  onConflict: "?onConflict",
  onConflictDo: "?onConflictDo",
};
const nested: Readonly<Record<string, string>> = { where: "filter", having: "having" };

/** The same error, pointing into the request. */
export function pointIntoRequest(error: AppError, call: Call, search: string): AppError {
  if (error.errors.length === 0) return error;
  const errors = error.errors.map((issue): Issue => ({ ...issue, pointer: translate(issue.pointer, call, search) }));
  const { code, status, message, explanation, headers, cause } = error;
  return new AppError(code, { status, message, explanation }, { errors, headers, cause });
}

function translate(pointer: string, call: Call, search: string): string {
  const [, first = "", ...rest] = pointer.split("/");
  // A body is the data itself, or the action's input itself; an action may also be asked by query string.
  if (call.op === "action") return call.texts === true ? `?${rest.map(unescaped).join(".")}` : joined(rest);
  if (first === "data" && call.op !== "batch") return joined(rest);
  if (call.op === "list" && call.query.texts !== true) return pointer;
  if (first === "returning") return translate(`/${rest.join("/")}`, call, search);
  if (first === "select") return toSelect(rest, search);
  const prefix = nested[first];
  if (prefix !== undefined) return bracketed(prefix, rest);
  return (Object.hasOwn(plain, first) ? plain[first] : undefined) ?? pointer;
}

function joined(parts: readonly string[]): string {
  return parts.map((part) => `/${part}`).join("");
}

function unescaped(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

function bracketed(prefix: string, parts: readonly string[]): string {
  return `?${prefix}${parts.map((part) => `[${unescaped(part)}]`).join("")}`;
}

const selectWords: Readonly<Record<string, string>> = { $where: "filter", $orderBy: "sort", $limit: "limit" };

/** `/select/reviews/$where/rating` is `?expand[reviews][filter][rating]`; a name is in `fields`, or else in `expand`. */
function toSelect(parts: readonly string[], search: string): string {
  const at = parts.findIndex((part) => part.startsWith("$"));
  const word = at < 0 ? undefined : selectWords[parts[at] as string];
  if (word !== undefined)
    return bracketed("expand", [parts.slice(0, at).join("."), word, ...(word === "sort" ? [] : parts.slice(at + 1))]);
  const path = parts.join(".");
  if (/(^|&)fields=/.test(search)) return "?fields";
  return search.includes("expand%5B") || search.includes("expand[") ? `?expand[${path}]` : "?expand";
}
