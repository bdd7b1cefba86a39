/**
 * `npm run docs`: writes the pages of docs/reference that follow from the source. `test/docs.test.ts` compares them.
 * Error codes come from the exported tables named `…Errors`, options from the exported interfaces named `…Options`.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { type ESTree, parseSync } from "rolldown/utils";
import { root } from "./run.ts";

/** One code of an error table. */
export interface ErrorDoc {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly explanation: string;
}

/** One field of an options interface; `default` is null when the field must be given. */
export interface OptionDoc {
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
  readonly isOptional: boolean;
  readonly text: string;
}

/** An options interface. */
export interface OptionsDoc {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly fields: readonly OptionDoc[];
}

/** Every generated page: its path, and the function that writes its text. */
export const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/reference/errors.md": async () => renderErrors(await collectErrors()),
  "docs/reference/options.md": () => renderOptions(collectOptions()),
};

const notice = "<!-- Written by `npm run docs` from the source; change it there. -->";

function productFiles(): string[] {
  return globSync("src/**/*.ts", { cwd: root, exclude: ["**/*.test.ts", "**/*.types.ts"] }).sort();
}

/** Every error table of the product, by its name. */
export async function collectErrors(): Promise<Map<string, ErrorDoc[]>> {
  const tables = new Map<string, ErrorDoc[]>();
  for (const path of productFiles()) {
    if (!/^export const \w+Errors\b/m.test(readFileSync(root + path, "utf8"))) continue;
    const module = (await import(pathToFileURL(root + path).href)) as Record<string, unknown>;
    for (const [name, table] of Object.entries(module)) {
      if (name.endsWith("Errors") && typeof table === "object" && table !== null) tables.set(name, readTable(table));
    }
  }
  return tables;
}

function readTable(table: object): ErrorDoc[] {
  const specs = Object.entries(table as Record<string, Omit<ErrorDoc, "code">>);
  return specs.map(([code, { status, message, explanation }]) => ({ code, status, message, explanation }));
}

/** Codes that stand in two tables: a code means one thing. */
export function findRepeated(tables: ReadonlyMap<string, readonly ErrorDoc[]>): string[] {
  const codes = [...tables.values()].flat().map(({ code }) => code);
  return codes.filter((code, index) => codes.indexOf(code) !== index);
}

/** The page of error codes; each has a heading, so that a problem document can point to it. */
export function renderErrors(tables: ReadonlyMap<string, readonly ErrorDoc[]>): string {
  const sections = [...tables].map(([name, errors]) => {
    const floor = name.replace(/Errors$/, "");
    const entries = errors.map(
      ({ code, status, message, explanation }) => `### ${code}\n\n\`${status}\` · ${inline(message)}\n\n${inline(explanation)}\n`,
    );
    return `## ${floor.charAt(0).toUpperCase()}${floor.slice(1)}\n\n${entries.join("\n")}`;
  });
  const intro =
    "Every error that Holdfast answers with has one of these codes, whatever the protocol. Words in braces are filled in.";
  return `${notice}\n\n# Errors\n\n${intro}\n\n${sections.join("\n")}`;
}

/** Every options interface of the product that has a choice to make: one whose fields are all required is no reference matter. */
export function collectOptions(): OptionsDoc[] {
  return productFiles()
    .flatMap((path) => readOptions(path, readFileSync(root + path, "utf8")))
    .filter(({ fields }) => fields.some(({ isOptional }) => isOptional))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The exported options interfaces of one file. */
export function readOptions(path: string, text: string): OptionsDoc[] {
  const { program, comments } = parseSync(path, text);
  const docOf = (start: number) => {
    const before = comments.findLast(({ end }) => end <= start);
    const isNext = before !== undefined && text.slice(before.end, start).trim() === "" && before.value.startsWith("*");
    return isNext ? before.value : "";
  };
  return program.body.flatMap((statement): OptionsDoc[] => {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration?.type !== "TSInterfaceDeclaration") return [];
    const { id, body } = statement.declaration;
    if (!id.name.endsWith("Options")) return [];
    const fields = body.body.flatMap((member) => readField(member, text, docOf));
    return [{ name: id.name, path, text: readDoc(docOf(statement.start)).text, fields }];
  });
}

function readField(member: ESTree.TSSignature, text: string, docOf: (start: number) => string): OptionDoc[] {
  if (member.type !== "TSPropertySignature" || member.key.type !== "Identifier") return [];
  const annotation = member.typeAnnotation?.typeAnnotation;
  const type = annotation === undefined ? "unknown" : text.slice(annotation.start, annotation.end).replace(/\s+/g, " ");
  return [{ name: member.key.name, type, isOptional: member.optional, ...readDoc(docOf(member.start)) }];
}

function readDoc(comment: string): { text: string; default: string | null } {
  const said = comment.replace(/^\s*\*+ ?/gm, "").trim();
  const [text = "", fallback] = said.split(/\s*@default\s+/);
  return { text: text.trim(), default: fallback?.trim() ?? null };
}

/** The page of options: a table for each interface. */
export function renderOptions(options: readonly OptionsDoc[]): string {
  const sections = options.map(({ name, path, text, fields }) => {
    const rows = fields.map((field) => {
      const fallback = field.isOptional ? (field.default ?? "") : "required";
      return `| \`${field.name}\` | ${code(field.type)} | ${fallback === "required" ? fallback : code(fallback)} | ${cell(field.text)} |`;
    });
    const head = "| Option | Type | Default | What it does |\n|---|---|---|---|";
    return `## ${name}\n\n${text === "" ? "" : `${inline(text)}\n\n`}From \`${path}\`.\n\n${head}\n${rows.join("\n")}\n`;
  });
  const intro = "An unknown option is an error with a suggestion. Units come last in a name.";
  return `${notice}\n\n# Options\n\n${intro}\n\n${sections.join("\n")}`;
}

/** Text on one line, angle brackets outside of code made harmless. */
function inline(text: string): string {
  const parts = text.replace(/\n/g, " ").split("`");
  return parts.map((part, index) => (index % 2 === 0 ? part.replace(/[<>]/g, "\\$&") : part)).join("`");
}

/** Text that stays in one cell of a table, a list in it as lines. */
function cell(text: string): string {
  return text.split(/\n+- /).map(inline).join("<br>").replace(/\|/g, "\\|");
}

function code(text: string): string {
  return `\`${text.replace(/\|/g, "\\|")}\``;
}

if (import.meta.main) {
  for (const [path, render] of Object.entries(pages)) {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, await render());
    console.log(path);
  }
}
