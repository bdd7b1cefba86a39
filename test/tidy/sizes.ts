/** Rules of size: lines of a file and of a function, parameters, members of a driver contract, files in a folder. */
import type { Breach, Node, Rule, Visited } from "./source.ts";

export const fileLinesMax = 500;
export const functionLinesMax = 70;
export const parametersMax = 3;
export const contractMembersMax = 12;
export const folderFilesMax = 20;

type Callable = Extract<Node, { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }>;

const lines = (count: number, line: string) => `${line}\n`.repeat(count);

export const fileLines: Rule = {
  name: "file-lines",
  check: (sources) =>
    sources.flatMap(({ path, text }) => {
      const size = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
      return size > fileLinesMax ? [{ path, line: 1, size, what: `a file of ${size} lines; ${fileLinesMax} at most` }] : [];
    }),
  faults: [[{ path: "src/engine/plan.ts", text: lines(fileLinesMax + 1, "// x") }]],
  fine: [[{ path: "src/engine/plan.ts", text: lines(fileLinesMax, "// x") }]],
};

export const functionLines: Rule = {
  name: "function-lines",
  check: (sources) =>
    sources.flatMap((source) =>
      source.visited.flatMap((visited): Breach[] => {
        if (!isCallable(visited.node) || isGrouping(visited)) return [];
        const line = source.lineOf(visited.node.start);
        const size = source.lineOf(visited.node.end) - line + 1;
        if (size <= functionLinesMax) return [];
        const symbol = nameOf(visited);
        return [{ path: source.path, line, symbol, size, what: `${symbol} has ${size} lines; ${functionLinesMax} at most` }];
      }),
    ),
  faults: [
    [{ path: "src/engine/plan.ts", text: `function plan() {\n${lines(functionLinesMax, "  run();")}}` }],
    [{ path: "src/engine/plan.ts", text: `const plan = () => {\n${lines(functionLinesMax, "  run();")}}` }],
    [{ path: "src/engine/plan.test.ts", text: `test("a", () => {\n${lines(functionLinesMax, "  run();")}})` }],
  ],
  fine: [
    [{ path: "src/engine/plan.ts", text: `function plan() {\n${lines(functionLinesMax - 2, "  run();")}}` }],
    [{ path: "src/engine/plan.test.ts", text: `describe("a", () => {\n${lines(functionLinesMax, "  run();")}})` }],
  ],
};

export const parameters: Rule = {
  name: "parameters",
  check: (sources) =>
    sources.flatMap((source) =>
      source.visited.flatMap((visited): Breach[] => {
        const { node } = visited;
        if (!isCallable(node) && node.type !== "TSMethodSignature" && node.type !== "TSFunctionType") return [];
        const size = node.params.filter((param) => !(param.type === "Identifier" && param.name === "this")).length;
        if (size <= parametersMax) return [];
        const symbol = nameOf(visited);
        const what = `${symbol} takes ${size} parameters; ${parametersMax} at most, else one options object`;
        return [{ path: source.path, line: source.lineOf(node.start), symbol, size, what }];
      }),
    ),
  faults: [
    [{ path: "src/engine/plan.ts", text: "function plan(a, b, c, d) {}" }],
    [{ path: "src/engine/plan.ts", text: "const plan = (a, b, c, d) => a;" }],
    [{ path: "src/engine/plan.ts", text: "class Plan { add(a, b, c, ...d) {} }" }],
    [{ path: "src/engine/plan.ts", text: "interface Plan { add(a: 1, b: 1, c: 1, d: 1): void }" }],
  ],
  fine: [[{ path: "src/engine/plan.ts", text: "function plan(this: Plan, a: 1, b: 1, { c, d, e }: Options) {}" }]],
};

export const contractMembers: Rule = {
  name: "contract-members",
  check: (sources) =>
    sources
      .filter(({ path, isTest }) => /^src\/drivers\/[^/]+\.ts$/.test(path) && !isTest)
      .flatMap((source) =>
        source.visited.flatMap(({ node }): Breach[] => {
          if (node.type !== "TSInterfaceDeclaration") return [];
          const size = node.body.body.length;
          const symbol = node.id.name;
          const what = `${symbol} has ${size} members; a driver contract has ${contractMembersMax} at most`;
          return size > contractMembersMax ? [{ path: source.path, line: source.lineOf(node.start), symbol, size, what }] : [];
        }),
      ),
  faults: [[{ path: "src/drivers/cache.ts", text: `export interface Cache { ${manyMembers(contractMembersMax + 1)} }` }]],
  fine: [
    [{ path: "src/drivers/cache.ts", text: `export interface Cache { ${manyMembers(contractMembersMax)} }` }],
    [{ path: "src/engine/plan.ts", text: `export interface Plan { ${manyMembers(contractMembersMax + 1)} }` }],
  ],
};

export const folderFiles: Rule = {
  name: "folder-files",
  check(sources) {
    const folders = Map.groupBy(
      sources.filter(({ isTest }) => !isTest),
      ({ folder }) => folder,
    );
    return [...folders].flatMap(([path, { length: size }]) =>
      size > folderFilesMax ? [{ path, line: 1, size, what: `a folder of ${size} files; about ${folderFilesMax} at most` }] : [],
    );
  },
  faults: [manyFiles(folderFilesMax + 1, ".ts")],
  fine: [manyFiles(folderFilesMax, ".ts"), manyFiles(folderFilesMax + 1, ".test.ts")],
};

function manyMembers(count: number): string {
  return Array.from({ length: count }, (_, index) => `m${index}(): void;`).join(" ");
}

function manyFiles(count: number, ending: string): { path: string; text: string }[] {
  return Array.from({ length: count }, (_, index) => ({ path: `src/engine/f${index}${ending}`, text: "" }));
}

function isCallable(node: Node): node is Callable {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";
}

/** A callback that only groups tests is as long as its tests are many. */
function isGrouping({ node, parent }: Visited): boolean {
  if (parent?.type !== "CallExpression" || parent.callee === node) return false;
  return parent.callee.type === "Identifier" && ["describe", "suite"].includes(parent.callee.name);
}

/** What a function is called, or the place it is handed to. */
function nameOf({ node, parent }: Visited): string {
  if ("id" in node && node.id !== null && "name" in node.id) return String(node.id.name);
  if ("key" in node && node.key.type === "Identifier") return node.key.name;
  if (parent === null) return "(anonymous)";
  if (parent.type === "VariableDeclarator" && parent.id.type === "Identifier") return parent.id.name;
  if ("key" in parent && parent.key?.type === "Identifier") return parent.key.name;
  if (parent.type === "CallExpression") {
    const [title] = parent.arguments;
    if (title?.type === "Literal") return String(title.value);
    return parent.callee.type === "Identifier" ? `(argument of ${parent.callee.name})` : "(argument)";
  }
  return "(anonymous)";
}

export const sizeRules: readonly Rule[] = [fileLines, functionLines, parameters, contractMembers, folderFiles];
