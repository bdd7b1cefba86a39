/** Reads texts as the servers' catalogs write them: in single quotes, with backslashes, whatever the mode of the session is. */

const quoted = /'((?:[^'\\]|\\[\s\S]|'')*)'/g;
const letters: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\u001a" };

const plain = (text: string) =>
  text.replace(/''|\\([\s\S])/g, (_, letter: string | undefined) => (letter === undefined ? "'" : (letters[letter] ?? letter)));

/** The texts that stand in an expression, in their order. */
export function readTexts(sql: string): readonly string[] {
  return [...sql.matchAll(quoted)].map(([, text = ""]) => plain(text));
}

const parts = new RegExp(String.raw`(?:(?<![\w$])(_\w+))?${quoted.source}|"(?:[^"]|"")*"|\x60(?:[^\x60]|\x60\x60)*\x60`, "g");

/** The same expression with its texts as standard SQL writes them. */
export function toStandard(sql: string): string {
  return sql.replace(parts, (part: string, set: string | undefined, text: string | undefined) =>
    text === undefined ? part : `${saysNothing(set, text) ? "" : set}'${plain(text).replaceAll("'", "''")}'`,
  );
}

const beyondAscii = /[\u0080-\uffff]/;

/** MySQL says of each text which character set it is of: it is the same in the one that we speak. */
function saysNothing(set: string | undefined, text: string): boolean {
  if (set === undefined || set.startsWith("_utf8")) return true;
  return set !== "_binary" && !beyondAscii.test(text);
}
