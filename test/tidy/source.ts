/** What a style rule sees: files as path and text, parsed once, with every syntax node in one flat list. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { type ESTree, parseSync } from "rolldown/utils";

export type Node = ESTree.Node;

/** A syntax node with the one that holds it, in the order of the text. */
export interface Visited {
  readonly node: Node;
  readonly parent: Node | null;
}

/** An import of any kind; `target` is a path of this repository, or the name of a package. */
export interface Import {
  readonly target: string;
  readonly isLocal: boolean;
  /** `type`: gone at run time; `static`: loaded with the file; `lazy`: `import()`. */
  readonly kind: "type" | "static" | "lazy";
  readonly line: number;
}

/** One file of the project. Paths are relative to the top folder, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly folder: string;
  /** Tests and type tests: not part of the product, so some rules leave them out. */
  readonly isTest: boolean;
  readonly visited: readonly Visited[];
  readonly comments: readonly { readonly value: string; readonly start: number }[];
  readonly body: ESTree.Program["body"];
  readonly imports: readonly Import[];
  lineOf(offset: number): number;
}

/** Something that breaks a rule. `size` is the measured number of a rule with a limit, else each breach counts one. */
export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly what: string;
  readonly symbol?: string;
  readonly size?: number;
}

/** A file written down in a test: a planted fault, or something a rule must let pass. */
export interface Fixture {
  readonly path: string;
  readonly text: string;
}

/** One rule of the style guide. Each entry of `faults` is a project that the rule must refuse, each of `fine` one that it must not. */
export interface Rule {
  readonly name: string;
  check(sources: readonly Source[]): Breach[];
  readonly faults: readonly (readonly Fixture[])[];
  readonly fine: readonly (readonly Fixture[])[];
}

/** The folders whose code the style guide governs. */
export const codeFolders = ["src", "test", "examples", "bench", "scripts", "bin"] as const;

const codeFile = /\.(ts|tsx|mts|mjs|js)$/;
const leftOut = new Set(["node_modules", "dist", "data", "golden"]);
const selfEntries = new Map([
  ["holdfast", "src/index.ts"],
  ["holdfast/testing", "src/testing/index.ts"],
  ["holdfast/client", "src/client/index.ts"],
]);

/** Reads every file that the style guide governs under the given top folder (with a trailing slash). */
export function readSources(root: string): Source[] {
  const present = new Set(readdirSync(root));
  const paths = codeFolders.filter((folder) => present.has(folder)).flatMap((folder) => listFiles(root, folder));
  return paths.map((path) => parseSource(path, readFileSync(root + path, "utf8")));
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return leftOut.has(entry.name) ? [] : listFiles(root, path);
    return codeFile.test(entry.name) ? [path] : [];
  });
}

/** Parses one file. A file that does not parse is a fault of another check, so here it has no nodes. */
export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const visited: Visited[] = [];
  visit(parsed.program, null, visited);
  const lineStarts = findLineStarts(text);
  const lineOf = (offset: number) => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const imports = visited.flatMap(({ node }) => readImport(node, path, lineOf));
  const isTest = /\.(test|types)\.ts$/.test(path);
  const folder = posix.dirname(path);
  return { path, text, folder, isTest, visited, comments: parsed.comments, body: parsed.program.body, imports, lineOf };
}

function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function visit(node: Node, parent: Node | null, into: Visited[]): void {
  into.push({ node, parent });
  for (const child of (Object.values(node) as unknown[]).flat()) {
    if (isNode(child)) visit(child, node, into);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function readImport(node: Node, from: string, lineOf: (offset: number) => number): Import[] {
  const found = findSpecifier(node);
  if (found === null) return [];
  const local = resolveLocal(found.specifier, from);
  const target = local ?? packageOf(found.specifier);
  return [{ target, isLocal: local !== null, kind: found.kind, line: lineOf(node.start) }];
}

function findSpecifier(node: Node): { specifier: string; kind: Import["kind"] } | null {
  switch (node.type) {
    case "ImportDeclaration":
      return { specifier: node.source.value, kind: node.importKind === "type" ? "type" : "static" };
    case "ExportNamedDeclaration":
      return node.source === null ? null : { specifier: node.source.value, kind: node.exportKind === "type" ? "type" : "static" };
    case "ExportAllDeclaration":
      return { specifier: node.source.value, kind: node.exportKind === "type" ? "type" : "static" };
    case "ImportExpression":
      return node.source.type === "Literal" ? { specifier: String(node.source.value), kind: "lazy" } : null;
    case "TSImportType":
      return { specifier: node.source.value, kind: "type" };
    default:
      return null;
  }
}

function resolveLocal(specifier: string, from: string): string | null {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return selfEntries.get(specifier) ?? null;
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
