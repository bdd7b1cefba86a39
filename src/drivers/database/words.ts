/** Where the words of a compiled statement stand: outside of quotes and of brackets. */

const words = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]| where /g;

/** Where a statement's own ` where ` stands; null where it has none. */
export function placeOfWhere(text: string): number | null {
  let depth = 0;
  for (const { 0: word, index } of text.matchAll(words)) {
    if (word === "(") depth++;
    else if (word === ")") depth--;
    else if (word === " where " && depth === 0) return index;
  }
  return null;
}
