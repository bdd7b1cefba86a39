/** Reads JSON bodies strictly: what two readers could understand differently, or a double cannot hold, is refused with its place. */
import type { AppError } from "../../base/errors.ts";
import { failWire } from "../errors.ts";

/** Containers within containers. */
export const jsonDepthMax = 64;

/**
 * Parses a body. The scan goes first: it bounds the depth, and knows the place of a fault where JSON.parse knows only that
 * there is one.
 * @throws invalid_json with the pointer of the first fault, empty_body.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw failWire("empty_body");
  const text = decodeUtf8(bytes);
  scanJson(text);
  return JSON.parse(text);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw refuse("", "encoding", "The body is not UTF-8.");
  }
}

function refuse(pointer: string, code: string, message: string): AppError {
  return failWire("invalid_json", { errors: [{ pointer, code, message }] });
}

/** What may come next. `firstKey` and `firstValue` may also be the end of an empty container. */
type Expected = "value" | "firstValue" | "key" | "firstKey" | "colon" | "next" | "end";

/** An open object or array. */
interface Frame {
  /** Names seen, of an object; null for an array. */
  readonly names: Set<string> | null;
  /** The name or index at hand; null between two members. */
  at: string | number | null;
}

interface Scan {
  readonly text: string;
  index: number;
  expected: Expected;
  readonly stack: Frame[];
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** One pass over the whole grammar, with a stack of its own. @throws invalid_json */
export function scanJson(text: string): void {
  const scan: Scan = { text, index: 0, expected: "value", stack: [] };
  for (;;) {
    skipSpace(scan);
    if (scan.index === text.length && scan.expected === "end") return;
    scanToken(scan, text.charCodeAt(scan.index));
  }
}

function scanToken(scan: Scan, char: number): void {
  switch (scan.expected) {
    case "firstKey":
      return char === closeObject ? close(scan) : scanName(scan, char);
    case "key":
      return scanName(scan, char);
    case "colon":
      if (char !== colon) throw unexpected(scan);
      scan.index++;
      scan.expected = "value";
      return;
    case "firstValue":
      return char === closeList ? close(scan) : scanValue(scan, char);
    case "value":
      return scanValue(scan, char);
    case "next":
      return scanNext(scan, char);
    case "end":
      throw unexpected(scan);
  }
}

function scanNext(scan: Scan, char: number): void {
  const frame = scan.stack[scan.stack.length - 1] as Frame;
  if (char === (frame.names ? closeObject : closeList)) return close(scan);
  if (char !== comma) throw unexpected(scan);
  scan.index++;
  frame.at = typeof frame.at === "number" ? frame.at + 1 : null;
  scan.expected = frame.names ? "key" : "value";
}

function close(scan: Scan): void {
  scan.stack.pop();
  scan.index++;
  settle(scan);
}

function settle(scan: Scan): void {
  scan.expected = scan.stack.length === 0 ? "end" : "next";
}

function scanName(scan: Scan, char: number): void {
  if (char !== quote) throw unexpected(scan);
  const name = readString(scan);
  const frame = scan.stack[scan.stack.length - 1] as Frame;
  const names = frame.names as Set<string>;
  frame.at = name;
  if (name === "__proto__") throw fault(scan, "forbidden_key", 'The name "__proto__" is not allowed.');
  if (names.has(name)) throw fault(scan, "duplicate_key", "This name stands twice in its object.");
  names.add(name);
  scan.expected = "colon";
}

function scanValue(scan: Scan, char: number): void {
  if (char === openObject || char === openList) {
    if (scan.stack.length === jsonDepthMax) throw fault(scan, "too_deep", `At most ${jsonDepthMax} levels are allowed.`);
    const isObject = char === openObject;
    scan.stack.push(isObject ? { names: new Set(), at: null } : { names: null, at: 0 });
    scan.expected = isObject ? "firstKey" : "firstValue";
    scan.index++;
    return;
  }
  if (char === quote) readString(scan);
  else if (char === 0x74) scanWord(scan, "true");
  else if (char === 0x66) scanWord(scan, "false");
  else if (char === 0x6e) scanWord(scan, "null");
  else scanNumber(scan);
  settle(scan);
}

function scanWord(scan: Scan, word: string): void {
  if (!scan.text.startsWith(word, scan.index)) throw unexpected(scan);
  scan.index += word.length;
}

/** Reads the string at hand and goes behind it. */
function readString(scan: Scan): string {
  const { text } = scan;
  const start = scan.index;
  let escaped = false;
  let index = start + 1;
  for (; ; index++) {
    const char = text.charCodeAt(index);
    if (char === quote) break;
    if (char === backslash) {
      escaped = true;
      index++;
    } else if (!(char >= 0x20)) {
      // Control characters, and NaN at the end of the text.
      scan.index = Math.min(index, text.length);
      throw unexpected(scan);
    }
  }
  scan.index = index + 1;
  return escaped ? unescape(scan, text.slice(start, index + 1)) : text.slice(start + 1, index);
}

function unescape(scan: Scan, literal: string): string {
  let value: string;
  try {
    value = JSON.parse(literal) as string;
  } catch {
    throw fault(scan, "syntax", `A text that ends at position ${scan.index} has a wrong escape.`);
  }
  if (!value.isWellFormed()) throw fault(scan, "lone_surrogate", "A text holds half of a surrogate pair.");
  return value;
}

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// A double holds every decimal number of this many digits.
const digitsExact = 15;

function scanNumber(scan: Scan): void {
  numberForm.lastIndex = scan.index;
  const literal = numberForm.exec(scan.text)?.[0];
  if (literal === undefined) throw unexpected(scan);
  scan.index += literal.length;
  const value = Number(literal);
  const isPlain = /^-?\d+$/.test(literal);
  if (!Number.isFinite(value)) throw fault(scan, "number_range", "The number is too large.");
  if (isPlain && !Number.isSafeInteger(value)) throw fault(scan, "number_range", "The number is beyond 2^53: write it as text.");
  const digits = digitsOf(literal);
  const exact = digits.length <= digitsExact ? value !== 0 || digits === "" : digits === digitsOf(String(value));
  if (!exact) throw fault(scan, "number_precision", "The number has more digits than a double holds: write it as text.");
}

/** The digits that count: without sign, point, exponent and the zeros around. */
function digitsOf(literal: string): string {
  return literal
    .replace(/[eE].*$/, "")
    .replace(/[-.]/g, "")
    .replace(/^0+/, "")
    .replace(/0+$/, "");
}

function skipSpace(scan: Scan): void {
  const { text } = scan;
  for (;;) {
    const char = text.charCodeAt(scan.index);
    if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return;
    scan.index++;
  }
}

function unexpected(scan: Scan): AppError {
  const atEnd = scan.index >= scan.text.length;
  return fault(scan, "syntax", atEnd ? "The body ends too early." : `Position ${scan.index} has an unexpected character.`);
}

const pointerMax = 512;

function fault({ stack }: Scan, code: string, message: string): AppError {
  const names = stack.map(({ at }) =>
    at === null ? "" : `/${String(at).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`,
  );
  return refuse(names.join("").slice(0, pointerMax).toWellFormed(), code, message);
}
