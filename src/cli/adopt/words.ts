/** Words of names: splits what databases call their tables and columns, joins them as the schema language wants them, counts one and many. */

// Letters whose base letter Unicode does not know of.
const letters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  Æ: "AE",
  ø: "o",
  Ø: "O",
  œ: "oe",
  Œ: "OE",
  ł: "l",
  Ł: "L",
  đ: "d",
  Đ: "D",
};

/** `InvoiceLine`, `invoice_line`, `INVOICE LINE` → `["invoice", "line"]`; empty where no ASCII letter or digit is in it. */
export function wordsOf(name: string): readonly string[] {
  const plain = name
    .replace(/[^\p{ASCII}]/gu, (letter) => letters[letter] ?? letter)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/['’]/g, "");
  const isShouted = !/[a-z]/.test(plain);
  const found = plain.match(isShouted ? /[A-Z]+|\d+/g : /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [];
  return found.map((word) => word.toLowerCase());
}

/** `["invoice", "line"]` → `invoiceLine`. */
export function camelCase(words: readonly string[]): string {
  const joined = words.map((word, index) => (index === 0 ? word : capitalize(word))).join("");
  return /^\d/.test(joined) ? `x${joined}` : joined;
}

export function capitalize(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

const irregular: Readonly<Record<string, string>> = {
  person: "people",
  child: "children",
  man: "men",
  woman: "women",
  foot: "feet",
  tooth: "teeth",
  mouse: "mice",
  datum: "data",
  criterion: "criteria",
  index: "indexes",
  shelf: "shelves",
  leaf: "leaves",
  life: "lives",
  half: "halves",
};
const singulars: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(irregular).map(([one, many]) => [many, one]),
);
const uncounted: ReadonlySet<string> = new Set([
  "series",
  "species",
  "news",
  "media",
  "information",
  "equipment",
  "staff",
  "stuff",
  "feedback",
  "metadata",
]);

/** The plural of a lower-case word; a plural stays as it is. */
export function pluralOf(word: string): string {
  if (uncounted.has(word) || singulars[word] !== undefined || /\d$/.test(word)) return word;
  const known = irregular[word];
  if (known !== undefined) return known;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(ss|us|is|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return word.endsWith("s") ? word : `${word}s`;
}

/** The singular of a lower-case word. */
export function singularOf(word: string): string {
  if (uncounted.has(word)) return word;
  const known = singulars[word];
  if (known !== undefined) return known;
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(sses|uses|ises|xes|zes|ches|shes)$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) && !/(us|is)$/.test(word) ? word.slice(0, -1) : word;
}
