/** Reads texts as MariaDB's catalog writes them: in single quotes, with backslashes, whatever the mode of the session is. */

const quoted = /'((?:[^'\\]|\\[\s\S]|'')*)'/g;
const letters: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\u001a" };

const plain = (text: string) =>
  text.replace(/''|\\([\s\S])/g, (_, letter: string | undefined) => (letter === undefined ? "'" : (letters[letter] ?? letter)));

/** The texts that stand in an expression, in their order. */
export function readTexts(sql: string): readonly string[] {
  return [...sql.matchAll(quoted)].map(([, text = ""]) => plain(text));
}

const parts = new RegExp(String.raw`${quoted.source}|"(?:[^"]|"")*"|\x60(?:[^\x60]|\x60\x60)*\x60`, "g");

/** The same expression with its texts as standard SQL writes them. */
export function toStandard(sql: string): string {
  return sql.replace(parts, (part: string, text: string | undefined) =>
    text === undefined ? part : `'${plain(text).replaceAll("'", "''")}'`,
  );
}
