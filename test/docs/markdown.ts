/** What the docs test reads in a Markdown page: links, headings, and the scripts and pages that it names. */
import { posix } from "node:path";

/** The pages of the repository by path, with their texts. */
export type Pages = ReadonlyMap<string, string>;

const linkPattern = /\[[^\]]*\]\(([^)\s]+)(?: "[^"]*")?\)/g;

/** Links to a file or heading that is not there. `exists` says whether a path of the repository does. */
export function findDeadLinks(pages: Pages, exists: (path: string) => boolean): string[] {
  return [...pages].flatMap(([page, text]) =>
    [...withoutCode(text).matchAll(linkPattern)].flatMap(([, link = ""]) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = "", heading] = link.split("#");
      const target = path === "" ? page : posix.join(posix.dirname(page), decodeURI(path)).replace(/\/$/, "");
      if (target.startsWith("..") || !exists(target)) return [`${page}: ${link}`];
      const there = pages.get(target);
      const isDead = heading !== undefined && there !== undefined && !slugsOf(there).includes(heading);
      return isDead ? [`${page}: ${link} (no such heading)`] : [];
    }),
  );
}

/** Pages that are named by their path from the top folder, without a link, and are not there. */
export function findLostPages(pages: Pages, exists: (path: string) => boolean): string[] {
  return [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/(?<![\w./-])docs\/[\w./-]+\.md\b/g)].flatMap(([path]) => (exists(path) ? [] : [`${page}: ${path}`])),
  );
}

/** Names of npm scripts that a page tells the reader to run and that package.json does not have. */
export function findLostScripts(pages: Pages, scripts: ReadonlySet<string>): string[] {
  return [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/\bnpm run ([\w:-]+)/g)].flatMap(([, name = ""]) =>
      scripts.has(name) ? [] : [`${page}: npm run ${name}`],
    ),
  );
}

/** The text without fenced and inline code, in which brackets are no links. */
function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").replace(/`[^`\n]*`/g, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
function slugsOf(text: string): string[] {
  const headings = [...text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").matchAll(/^#{1,6} +(.+?) *$/gm)];
  return headings.map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}
