/** Finds the fenced blocks of a Markdown page: their language, the words beside it, and where they stand. */

export interface Block {
  readonly language: string;
  /** What stands behind the language: `file=backend.ts`, `db`, `check`. */
  readonly words: readonly string[];
  readonly text: string;
  /** The page's line that the text begins at, from 1. */
  readonly line: number;
}

const fence = /^```(?:(\S+)(?: +(.+))?)?$/;

export function findBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const opened = fence.exec(lines[at] as string);
    if (opened === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`the block of line ${at + 1} is not closed`);
    const words = (opened[2] ?? "").split(" ").filter((word) => word !== "");
    blocks.push({ language: opened[1] ?? "", words, text: lines.slice(at + 1, end).join("\n"), line: at + 2 });
    at = end;
  }
  return blocks;
}

/** The name that a block gives its file, or null. */
export function fileOf({ words }: Block): string | null {
  return words.find((word) => word.startsWith("file="))?.slice("file=".length) ?? null;
}

/** A block that is run in a shell, and the answer that the page shows of it. */
export interface ShellBlock extends Block {
  readonly answer: Block | null;
}

const answers: ReadonlySet<string> = new Set(["json", "http", "text"]);
const runnable = /^\s*(?:\w+=\S*\$\()?(?:curl|npx holdfast (?:token|explain|check|backup|openapi|migrate|adopt)) /m;

/** The shell blocks that ask a server or the command line something; those that install or serve are for the reader. */
export function findShell(markdown: string): readonly ShellBlock[] {
  const blocks = findBlocks(markdown);
  return blocks.flatMap((block, index) => {
    if (block.language !== "sh" || !runnable.test(block.text) || block.words.includes("check")) return [];
    const next = blocks[index + 1];
    return [{ ...block, answer: next && answers.has(next.language) ? next : null }];
  });
}
