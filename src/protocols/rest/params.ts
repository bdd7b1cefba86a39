/** Splits a query string into named parameters with bracket paths: `filter[price][gte]=10`. Knows no parameter by name. */
import { holes } from "../../engine/call.ts";
import { badParameter, failWire } from "../errors.ts";

export interface Param {
  /** What stands before the first bracket. */
  readonly name: string;
  /** What stands in the brackets, in order. */
  readonly path: readonly string[];
  readonly value: string;
  /** As sent, decoded and shortened: for pointers. */
  readonly spelt: string;
}

const paramsMax = 1000;
const bracketsMax = 64;
const speltMax = 128;
const nameForm = /^([A-Za-z][\w.$]*)((?:\[[^[\]]*\])*)$/;

// A filter's value says nothing of its query, unless it is a list's or that of `isNull`.
const filling = /^filter(?:(?:\[|%5B)[\w.$-]+(?:\]|%5D))+=/i;
const telling = /(?:\[|%5B)(?:in|nin|between|isNull)(?:\]|%5D)/i;

function isFilling(pair: string): boolean {
  return pair.startsWith("filter") && filling.test(pair) && !telling.test(pair);
}

/** A query string without the values of its filters, alike for all that differ in nothing else. */
export interface Cut {
  readonly rest: string;
  /** What was cut out, decoded. */
  readonly filling: readonly string[];
}

/** @throws malformed_request */
export function cutFilling(search: string): Cut {
  let rest = "";
  const cut: string[] = [];
  for (const pair of search.split("&")) {
    if (cut.length < holes.length && isFilling(pair)) {
      const end = pair.indexOf("=") + 1;
      cut.push(decode(pair.slice(end)));
      rest += `&${pair.slice(0, end)}`;
    } else rest += `&${pair}`;
  }
  return { rest, filling: cut };
}

/**
 * With `withHoles`, the values that `cutFilling` cuts out are holes.
 * @throws malformed_request for wrong percent-encoding or NUL, invalid_parameter for wrong brackets.
 */
export function parseParams(search: string, withHoles = false): readonly Param[] {
  if (search === "") return [];
  const params: Param[] = [];
  let made = 0;
  for (const pair of search.split("&")) {
    if (pair === "") continue;
    if (params.length === paramsMax) throw badParameter("?", "too_many", `A query string has at most ${paramsMax} parameters.`);
    const equals = pair.indexOf("=");
    const spelt = decode(equals < 0 ? pair : pair.slice(0, equals));
    const isHole = withHoles && made < holes.length && isFilling(pair);
    params.push(toParam(spelt, isHole ? holes[made++] : equals < 0 ? "" : decode(pair.slice(equals + 1))));
  }
  return params;
}

// Nobody looks into the value of a filter that is neither a list's nor that of `isNull`: a hole is handed on like a text.
function toParam(spelt: string, given: string | symbol | undefined): Param {
  const value = given as string;
  if (!spelt.includes("[")) return { name: spelt, path: [], value, spelt: spelt.slice(0, speltMax) };
  const shown = spelt.slice(0, speltMax);
  const parts = nameForm.exec(spelt);
  if (parts === null) throw badParameter(`?${shown}`, "malformed", "The brackets of this parameter do not match.");
  const path = (parts[2] as string).slice(1, -1).split("][");
  if (path.length > bracketsMax) throw badParameter(`?${shown}`, "too_deep", `A parameter has at most ${bracketsMax} brackets.`);
  return { name: parts[1] as string, path, value, spelt: shown };
}

/** Decodes a part of a query string, where `+` is a space. @throws malformed_request */
function decode(text: string): string {
  return decodePart(text.includes("+") ? text.replaceAll("+", " ") : text, "the query string");
}

/** Decodes percent-encoding. @throws malformed_request where it is wrong or hides a NUL. */
export function decodePart(text: string, where: string): string {
  if (!text.includes("%")) return text;
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw failWire("malformed_request", { fields: { fault: `wrong percent-encoding in ${where}` } });
  }
  if (decoded.includes("\0")) throw failWire("malformed_request", { fields: { fault: `a NUL in ${where}` } });
  return decoded;
}

/** The one parameter of that name. @throws invalid_parameter where it is repeated or has brackets. */
export function refuseRepeated(params: readonly Param[]): void {
  const seen = new Set<string>();
  for (const { spelt, path, name } of params) {
    const key = path.length === 0 ? name : `${name}[${path.join("][")}]`;
    // Lists may be repeated: `[in]=a&[in]=b`, `[in][]=a&[in][]=b`.
    const last = path.at(-1);
    if (last === "" || (last !== undefined && listOperators.has(last))) continue;
    if (seen.has(key)) throw badParameter(`?${spelt}`, "repeated", "This parameter may stand once only.");
    seen.add(key);
  }
}

/** The operators whose value is a list. */
export const listOperators: ReadonlySet<string> = new Set(["in", "nin", "between"]);
