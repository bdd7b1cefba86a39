/** SQL text and values as every driver of a server handles them: marks of parameters, long names, what can be bound. */
import { createHash } from "node:crypto";

/** Replaces each `?` outside of quotes by what `write` makes of its number, which counts from 0. */
export function replaceMarks(text: string, write: (index: number) => string): string {
  let count = 0;
  return text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g, (part) => (part === "?" ? write(count++) : part));
}

/** A name that is too long keeps its beginning and ends in a hash of the whole: a server would cut it, and two might meet. */
export function shortenName(name: string, bytesMax: number): string {
  if (Buffer.byteLength(name) <= bytesMax) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${Buffer.from(name)
    .subarray(0, bytesMax - 9)
    .toString()
    .replace(/\uFFFD+$/, "")}_${hash}`;
}

/** What is wrong with a value that a statement binds; null when it can be bound. */
export function faultOf(value: unknown): string | null {
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : "is not a finite number";
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? null : "is over 64 bits";
  return `is ${typeof value}, which no database binds`;
}

/** A whole number as the contract has it: a bigint only where a number would not hold it. */
export function toInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

const rememberedMax = 5_000;

/** Remembers what was made of texts, of each in its shapes. A text of its own keeps its hash, which one put together has not. */
export function rememberTexts<T>(): (text: string, shape: string, make: () => T) => T {
  const made = new Map<string, Map<string, T>>();
  return (text, shape, make) => {
    const known = made.get(text);
    const value = known?.get(shape);
    if (value !== undefined) return value;
    if (made.size >= rememberedMax) made.clear();
    const byShape = known ?? new Map<string, T>();
    const fresh = make();
    made.set(text, byShape.set(shape, fresh));
    return fresh;
  };
}
