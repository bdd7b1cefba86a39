/** Converters from what callers send to what the database compares with, per field and operator. */
import { foldText } from "../../base/fold.ts";
import type { Operator } from "../../schema/cond.ts";
import { isMisfit, type Misfit, misfit } from "../../schema/fields/field-type.ts";
import { looseType, parseLooseOrder } from "../../schema/fields/json.ts";
import { parseElement } from "../../schema/fields/list.ts";
import type { Term } from "../../schema/filter.ts";
import { parseKeyText } from "../../schema/key.ts";
import type { Field, FieldParams } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import type { Convert } from "./slot.ts";

interface ConvertOptions {
  /** The value is a text from a URL, or a claim. */
  readonly texts: boolean;
  /** Which bound of a `between` that came as one value. */
  readonly part?: 0 | 1 | undefined;
}

/** Words of one search. */
export const searchWordsMax = 16;

/** The converter of the right side of a comparison. */
export function converterFor(left: Term, operator: Operator, options: ConvertOptions): Convert {
  const element = elementConverter(left, operator, options.texts);
  const { parts } = left.field;
  if (operator === "in" || operator === "nin")
    return (value) => convertList(parts && options.texts ? joinKeys(value, parts.length) : value, element, options.texts);
  if (operator === "between" && options.part !== undefined) return (value) => convertBound(value, element, options);
  return element;
}

/** The converter of one part of a composite key that comes as its text. */
export function keyPartConverter(parts: readonly Field[], index: number): Convert {
  return (value) => {
    const values = typeof value === "string" ? parseKeyText(parts, value) : null;
    return values?.[index] ?? misfit("type", `must be a key of ${parts.length} parts with commas between them`);
  };
}

// In a URL a comma stands between the keys of a list as between the parts of a key: so many parts are one key.
function joinKeys(value: unknown, count: number): unknown {
  if (typeof value === "string" ? value.startsWith("[") : !Array.isArray(value)) return value;
  const texts = (Array.isArray(value) ? value.join(",") : (value as string)).split(",");
  return Array.from({ length: Math.ceil(texts.length / count) }, (_, key) =>
    texts.slice(key * count, (key + 1) * count).join(","),
  );
}

function elementConverter(left: Term, operator: Operator, texts: boolean): Convert {
  if (operator === "search") return searchWords;
  const whole = left.inside ?? left.field;
  const isItem = operator === "contains" && whole.params.item !== undefined;
  const item = isItem ? whole.params.item : undefined;
  const { type, params: own } = item ?? whole;
  if (operator === "contains" && !isItem) return plainText;
  if (operator === "startsWith" || operator === "endsWith" || operator === "like") return plainText;
  // The bounds of a field are for what is stored; any value of its type may be asked for.
  const params: FieldParams = { ...own, min: undefined, max: undefined, pattern: undefined };
  const isChoice = type.name === "choice";
  return (value) => {
    if (Array.isArray(value) || value === null) return misfit("type", "must be a single value");
    const given = texts && typeof value === "string" && type.fromText ? type.fromText(value) : value;
    if (isMisfit(given)) return given;
    if (item) return parseElement(given, item);
    if (type === looseType && isOrdering(operator)) return parseLooseOrder(given);
    // A text that is no choice of the field is a misspelling worth telling, unless the comparison is by order.
    return isChoice && operator !== "eq" && operator !== "ne" && operator !== "in" && operator !== "nin"
      ? plainText(given)
      : type.parse(given, params);
  };
}

function isOrdering(operator: Operator): boolean {
  return operator === "gt" || operator === "gte" || operator === "lt" || operator === "lte" || operator === "between";
}

function plainText(value: unknown): Value | Misfit {
  if (typeof value !== "string") return misfit("type", "must be a text");
  return value.isWellFormed() && !value.includes("\0") ? value : misfit("encoding", "must be valid Unicode");
}

function searchWords(value: unknown): Value | Misfit {
  if (typeof value !== "string") return misfit("type", "must be a text");
  const words = foldText(value)
    .split(/\s+/)
    .filter((word) => word !== "");
  return words.length > searchWordsMax ? misfit("max", `must have at most ${searchWordsMax} words`) : JSON.stringify(words);
}

/** A JSON array of stored values. */
function convertList(value: unknown, element: Convert, texts: boolean): Value | Misfit {
  const list = texts && typeof value === "string" ? splitTexts(value) : value;
  if (!Array.isArray(list)) return misfit("type", "must be a list of values");
  const parts: string[] = [];
  for (const one of list) {
    const stored = element(one);
    if (isMisfit(stored)) return stored;
    parts.push(
      typeof stored === "bigint"
        ? stored.toString()
        : JSON.stringify(stored instanceof Uint8Array ? Buffer.from(stored).toString("base64") : stored),
    );
  }
  return `[${parts.join(",")}]`;
}

// A claim may be a list itself; then it is JSON.
function splitTexts(text: string): unknown {
  if (text.startsWith("[")) {
    try {
      return JSON.parse(text);
    } catch {
      return text.split(",");
    }
  }
  return text.split(",");
}

function convertBound(value: unknown, element: Convert, { texts, part }: ConvertOptions): Value | Misfit {
  const pair = texts && typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(pair) || pair.length !== 2) return misfit("type", "must be two values, from and to");
  return element(pair[part as 0 | 1]);
}

/** A path inside a document, as the database's JSON functions read it. */
export function documentPath(path: readonly string[]): string {
  return `$${path.map((name) => `.${JSON.stringify(name)}`).join("")}`;
}
