/** Rules of shape: constants at module level, no star exports, no circle of imports, no swallowed or guessed error. */
import type { Breach, Node, Rule, Source } from "./source.ts";

/** Breaches of every node that `says` has something to say about. */
function judge(sources: readonly Source[], says: (node: Node, source: Source) => string | null): Breach[] {
  return sources.flatMap((source) =>
    source.visited.flatMap(({ node }) => {
      const what = says(node, source);
      return what === null ? [] : [{ path: source.path, line: source.lineOf(node.start), what }];
    }),
  );
}

const planOf = (text: string) => [{ path: "src/engine/plan.ts", text }];

export const moduleConstants: Rule = {
  name: "module-constants",
  check: (sources) =>
    sources.flatMap((source) =>
      source.body.flatMap((statement): Breach[] => {
        const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
        if (declared?.type !== "VariableDeclaration" || (declared.kind !== "let" && declared.kind !== "var")) return [];
        if (declared.declare === true) return [];
        return [{ path: source.path, line: source.lineOf(statement.start), what: `\`${declared.kind}\` at module level` }];
      }),
    ),
  faults: [planOf("let plans = 0;"), planOf("export var plans = 0;")],
  fine: [planOf("export const plans = 0; function f() { let a = 1; return a; }")],
};

export const starExports: Rule = {
  name: "star-exports",
  check: (sources) =>
    judge(sources, (node) => (node.type === "ExportAllDeclaration" ? "a star export hides what is exported" : null)),
  faults: [planOf('export * from "./a.ts";'), planOf('export * as a from "./a.ts";')],
  fine: [planOf('export { a } from "./a.ts";')],
};

export const emptyCatch: Rule = {
  name: "empty-catch",
  check: (sources) =>
    judge(sources, (node) => {
      const swallows = "an error is swallowed: act on it, or return what stands for it";
      if (node.type === "CatchClause") return node.body.body.length === 0 ? swallows : null;
      if (node.type !== "CallExpression" || propertyOf(node.callee) !== "catch") return null;
      const [handler] = node.arguments;
      if (handler?.type !== "ArrowFunctionExpression" && handler?.type !== "FunctionExpression") return null;
      return handler.body?.type === "BlockStatement" && handler.body.body.length === 0 ? swallows : null;
    }),
  faults: [planOf("try { a(); } catch {}"), planOf("try { a(); } catch (e) { /* fine */ }"), planOf("a().catch(() => {});")],
  fine: [planOf("try { a(); } catch { return null; }"), planOf("a().catch((e) => { log(e); });")],
};

const matchers = new Set(["includes", "startsWith", "endsWith", "match", "matchAll", "search", "indexOf"]);

/** Best effort: `.message` of something that is named like an error, searched or compared. */
export const messageText: Rule = {
  name: "message-text",
  check: (sources) =>
    judge(
      sources.filter(({ path, isTest }) => path.startsWith("src/") && !isTest),
      (node) => {
        const what = "an error is told by its message text: use its code";
        if (node.type === "BinaryExpression" && /^[!=]==?$/.test(node.operator)) {
          return isMessage(node.left) || isMessage(node.right) ? what : null;
        }
        if (node.type === "SwitchStatement") return isMessage(node.discriminant) ? what : null;
        if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return null;
        const method = propertyOf(node.callee) ?? "";
        if (matchers.has(method)) return isMessage(node.callee.object) ? what : null;
        return (method === "test" || method === "exec") && node.arguments.some(isMessage) ? what : null;
      },
    ),
  faults: [
    'if (error.message.includes("UNIQUE")) a();',
    'if ((cause as Error).message === "gone") a();',
    "if (/UNIQUE/.test(error.message)) a();",
    'if (String(error).startsWith("E")) a();',
    "switch (err.message) { case 1: }",
  ].map(planOf),
  fine: ["log(error.message);", 'if (error.code === "gone") a();', 'if (issue.message === "") a();'].map(planOf),
};

function propertyOf(node: Node): string | null {
  return node.type === "MemberExpression" && node.property.type === "Identifier" ? node.property.name : null;
}

function isMessage(node: Node): boolean {
  if (node.type === "ChainExpression") return isMessage(node.expression);
  if (node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "String") {
    return node.arguments.some(isError);
  }
  return node.type === "MemberExpression" && propertyOf(node) === "message" && isError(node.object);
}

function isError(node: Node): boolean {
  if (node.type === "TSAsExpression" || node.type === "ParenthesizedExpression") return isError(node.expression);
  const name = node.type === "Identifier" ? node.name : (propertyOf(node) ?? "");
  return /^(e|err|ex|error|cause|reason|exception|thrown)$|(Error|Cause)$/.test(name);
}

export const importCycles: Rule = {
  name: "import-cycles",
  check(sources) {
    const product = sources.filter(({ isTest }) => !isTest);
    const next = new Map(product.map(({ path, imports }) => [path, imports.filter(isLoaded).map(({ target }) => target)]));
    return findCycles(next).map((cycle) => ({
      path: cycle[0] ?? "",
      line: 1,
      what: `a circle of imports: ${[...cycle, cycle[0]].join(" → ")}`,
    }));
  },
  faults: [
    [
      { path: "src/engine/a.ts", text: 'import { b } from "./b.ts";' },
      { path: "src/engine/b.ts", text: 'export { c } from "./c.ts";' },
      { path: "src/engine/c.ts", text: 'import { type A } from "./a.ts";' },
    ],
  ],
  fine: [
    [
      { path: "src/engine/a.ts", text: 'import { b } from "./b.ts";' },
      { path: "src/engine/b.ts", text: 'import type { A } from "./a.ts"; const a = () => import("./a.ts");' },
    ],
  ],
};

function isLoaded({ kind, isLocal }: { kind: string; isLocal: boolean }): boolean {
  return isLocal && kind === "static";
}

/** One circle for each back edge of a depth-first walk, each file being entered once. */
function findCycles(next: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string): void => {
    const at = trail.indexOf(path);
    if (at !== -1) cycles.push(trail.slice(at));
    if (at !== -1 || done.has(path)) return;
    trail.push(path);
    for (const target of next.get(path) ?? []) walk(target);
    trail.pop();
    done.add(path);
  };
  for (const path of next.keys()) walk(path);
  return cycles;
}

export const shapeRules: readonly Rule[] = [moduleConstants, starExports, emptyCatch, messageText, importCycles];
