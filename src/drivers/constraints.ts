/** Reads SQL text of constraints: finds CHECK clauses in a definition, and tells what the simple ones say of one column. */
import type { Bounds } from "./catalog.ts";

/** What a condition says of a column; null where it says something that no field can. */
export type Said =
  | { readonly column: string; readonly choices: readonly string[] }
  | { readonly column: string; readonly bounds: Bounds };

type Token =
  | { readonly kind: "name" | "word" | "text" | "number" | "sign"; readonly value: string }
  | { readonly kind: "end"; readonly value: "" };

const end: Token = Object.freeze({ kind: "end", value: "" });
const pattern =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]'][^\]]*)\]|(\d+(?:\.\d+)?)|([\p{L}_$][\p{L}\p{N}_$]*)|(::|<=|>=|<>|!=|\S)/guy;

type Placed = Token & { readonly at: number; readonly to: number };

function tokensOf(sql: string): readonly Placed[] {
  return [...sql.matchAll(pattern)].flatMap((found): readonly Placed[] => {
    const token = tokenOf(found);
    return token ? [{ ...token, at: found.index, to: found.index + found[0].length }] : [];
  });
}

// Neither for spaces nor for comments.
function tokenOf([, text, double, tick, bracket, number, word, sign]: RegExpExecArray): Token | null {
  const name = double?.replaceAll('""', '"') ?? tick?.replaceAll("``", "`") ?? bracket;
  if (text !== undefined) return { kind: "text", value: text.replaceAll("''", "'") };
  if (name !== undefined) return { kind: "name", value: name };
  if (number !== undefined) return { kind: "number", value: number };
  if (word !== undefined) return { kind: "word", value: word };
  return sign === undefined ? null : { kind: "sign", value: sign };
}

/** The words of a definition in capitals, and the names in it; no texts and no comments. */
export function wordsOf(definition: string): readonly string[] {
  return tokensOf(definition).flatMap(({ kind, value }) => (kind === "word" || kind === "name" ? [value.toUpperCase()] : []));
}

/** The conditions of all CHECK clauses in a table's definition. */
export function findChecks(definition: string): readonly string[] {
  const tokens = tokensOf(definition);
  return tokens.flatMap((token, index) => {
    const open = tokens[index + 1];
    if (token.kind !== "word" || token.value.toUpperCase() !== "CHECK" || open?.value !== "(" || open.kind !== "sign") return [];
    let depth = 0;
    for (const { kind, value, at } of tokens.slice(index + 1)) {
      if (kind !== "sign") continue;
      depth += value === "(" ? 1 : value === ")" ? -1 : 0;
      if (depth === 0) return [definition.slice(open.to, at).trim()];
    }
    return [];
  });
}

/** What a condition says, one statement for each column and bound; empty where any part of it is not understood. */
export function readCheck(condition: string): readonly Said[] {
  const reading: Reading = { tokens: tokensOf(condition), next: 0 };
  try {
    const said = readAll(reading);
    return peek(reading).kind === "end" ? said : [];
  } catch (error) {
    if (error instanceof NotUnderstood) return [];
    throw error;
  }
}

class NotUnderstood extends Error {}

interface Reading {
  readonly tokens: readonly Token[];
  next: number;
}

const peek = ({ tokens, next }: Reading): Token => tokens[next] ?? end;

function take(reading: Reading): Token {
  const token = peek(reading);
  reading.next++;
  return token;
}

/** Takes the word or sign, if it is next. */
function takeIf(reading: Reading, value: string): boolean {
  const token = peek(reading);
  const isIt = (token.kind === "word" || token.kind === "sign") && token.value.toUpperCase() === value;
  if (isIt) reading.next++;
  return isIt;
}

function expect(reading: Reading, value: string): void {
  if (!takeIf(reading, value)) throw new NotUnderstood();
}

function readAll(reading: Reading): readonly Said[] {
  const said = [...readOne(reading)];
  while (takeIf(reading, "AND")) said.push(...readOne(reading));
  return said;
}

// A parenthesis opens a condition or an operand: whichever can be read to its end.
function readOne(reading: Reading): readonly Said[] {
  const start = reading.next;
  try {
    return readComparison(reading);
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    reading.next = start;
    expect(reading, "(");
    const said = readAll(reading);
    expect(reading, ")");
    return said;
  }
}

function readComparison(reading: Reading): readonly Said[] {
  const column = readColumn(reading);
  if (takeIf(reading, "IN")) return [{ column, choices: readTexts(reading, "(", ")") }];
  if (takeIf(reading, "BETWEEN")) {
    const min = readNumber(reading);
    expect(reading, "AND");
    return [{ column, bounds: { min, max: readNumber(reading) } }];
  }
  const { value: sign } = take(reading);
  if (sign === "=" && takeIf(reading, "ANY")) return [{ column, choices: readArray(reading) }];
  if (sign === ">=") return [{ column, bounds: { min: readNumber(reading) } }];
  if (sign === "<=") return [{ column, bounds: { max: readNumber(reading) } }];
  throw new NotUnderstood();
}

function readColumn(reading: Reading): string {
  if (takeIf(reading, "(")) {
    const column = readColumn(reading);
    expect(reading, ")");
    skipCast(reading);
    return column;
  }
  const token = take(reading);
  if (token.kind !== "name" && token.kind !== "word") throw new NotUnderstood();
  skipCast(reading);
  return token.value;
}

// PostgreSQL writes what it has read with every cast spelt out.
function skipCast(reading: Reading): void {
  while (takeIf(reading, "::")) {
    if (take(reading).kind === "sign") throw new NotUnderstood();
    if (!takeIf(reading, "VARYING")) takeIf(reading, "PRECISION");
    if (takeIf(reading, "(")) {
      while (!takeIf(reading, ")")) if (take(reading).kind === "end") throw new NotUnderstood();
    }
    if (takeIf(reading, "[")) expect(reading, "]");
  }
}

function readTexts(reading: Reading, open: string, close: string): readonly string[] {
  expect(reading, open);
  const texts: string[] = [];
  do {
    const isWrapped = takeIf(reading, "(");
    const token = take(reading);
    if (token.kind !== "text") throw new NotUnderstood();
    skipCast(reading);
    if (isWrapped) {
      expect(reading, ")");
      skipCast(reading);
    }
    texts.push(token.value);
  } while (takeIf(reading, ","));
  expect(reading, close);
  return texts;
}

// `ANY ((ARRAY['a'::text, 'b'::text])::text[])`
function readArray(reading: Reading): readonly string[] {
  if (takeIf(reading, "(")) {
    const texts = readArray(reading);
    expect(reading, ")");
    skipCast(reading);
    return texts;
  }
  expect(reading, "ARRAY");
  const texts = readTexts(reading, "[", "]");
  skipCast(reading);
  return texts;
}

function readNumber(reading: Reading): string {
  if (takeIf(reading, "(")) {
    const number = readNumber(reading);
    expect(reading, ")");
    skipCast(reading);
    return number;
  }
  const sign = takeIf(reading, "-") ? "-" : "";
  const token = take(reading);
  // PostgreSQL quotes some constants before it casts them.
  if (token.kind !== "number" && !(token.kind === "text" && /^-?\d+(\.\d+)?$/.test(token.value))) throw new NotUnderstood();
  skipCast(reading);
  return sign + token.value;
}
