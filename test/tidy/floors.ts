/** Rules of the house: who may import whom, who names drivers, and who sees the clock, chance and the environment. */
import { readFileSync } from "node:fs";
import { bundled } from "../../scripts/build.ts";
import type { Breach, Import, Node, Rule, Source } from "./source.ts";

/** The floors of the tower; a file imports lower floors and its own folder. Two folders on one floor do not meet. */
export const floors: ReadonlyMap<string, number> = new Map([
  ["base", 0],
  ["schema", 1],
  ["drivers", 2],
  ["engine", 3],
  ["protocols", 4],
  ["features", 4],
  ["app", 5],
  ["cli", 6],
]);

/** Beside the tower: they import what they need of it, and nothing in it imports them. */
const beside: ReadonlySet<string> = new Set(["index.ts", "testing", "client"]);

/** Folders of islands, and how deep islands lie in them: drivers/database/sqlite is one in drivers/database. */
const islandDepths: ReadonlyMap<string, number> = new Map([
  ["drivers", 2],
  ["protocols", 1],
  ["features", 1],
]);

const wire = "src/app/wire.ts";
const config = "src/app/config.ts";

/** Every import of a file of the product by a file of the product, tests left out. */
function* productImports(sources: readonly Source[]): Generator<{ source: Source; imported: Import; from: string; to: string }> {
  for (const source of sources) {
    if (!source.path.startsWith("src/") || source.isTest) continue;
    const from = source.path.split("/")[1] ?? "";
    for (const imported of source.imports) {
      if (imported.isLocal) yield { source, imported, from, to: imported.target.split("/")[1] ?? "" };
    }
  }
}

function breachOf(source: Source, imported: Import, why: string): Breach {
  return { path: source.path, line: imported.line, what: `imports ${imported.target}: ${why}` };
}

export const floorOrder: Rule = {
  name: "floor-order",
  check(sources) {
    const strays = sources
      .filter(({ path, isTest }) => path.startsWith("src/") && !isTest)
      .filter(({ path }) => !floors.has(path.split("/")[1] ?? "") && !beside.has(path.split("/")[1] ?? ""))
      .map(({ path }) => ({ path, line: 1, what: "stands on no floor" }));
    const climbs = [...productImports(sources)].flatMap(({ source, imported, from, to }) => {
      if (beside.has(from) || !floors.has(from)) return [];
      if (!imported.target.startsWith("src/")) return [breachOf(source, imported, "the product imports nothing outside src")];
      if (beside.has(to)) return [breachOf(source, imported, "it stands beside the tower")];
      const above = (floors.get(to) ?? Number.POSITIVE_INFINITY) >= (floors.get(from) ?? 0);
      return from !== to && above ? [breachOf(source, imported, `${to} is not below ${from}`)] : [];
    });
    return [...strays, ...climbs];
  },
  faults: [
    [{ path: "src/schema/model.ts", text: 'import { plan } from "../engine/plan.ts";' }],
    [{ path: "src/schema/model.ts", text: 'import type { Plan } from "../engine/plan.ts";' }],
    [{ path: "src/protocols/rest/list.ts", text: 'const a = () => import("../../features/audit/read.ts");' }],
    [{ path: "src/engine/plan.ts", text: 'import { model } from "holdfast";' }],
    [{ path: "src/engine/plan.ts", text: 'import { open } from "../testing/index.ts";' }],
    [{ path: "src/engine/plan.ts", text: 'import { a } from "../../scripts/run.ts";' }],
    [{ path: "src/extras/plan.ts", text: "" }],
  ],
  fine: [
    [{ path: "src/engine/plan.ts", text: 'import { a } from "../schema/a.ts"; import { b } from "./b.ts"; import "node:fs";' }],
    [{ path: "src/engine/plan.test.ts", text: 'import { open } from "../testing/index.ts";' }],
    [{ path: "src/testing/index.ts", text: 'import { wire } from "../app/wire.ts";' }],
  ],
};

export const islands: Rule = {
  name: "islands",
  check: (sources) =>
    [...productImports(sources)].flatMap(({ source, imported, from, to }) => {
      const depth = islandDepths.get(from);
      if (from !== to || depth === undefined) return [];
      const here = source.path.split("/").slice(2, -1);
      const there = imported.target.split("/").slice(2, -1);
      const meets = there.slice(0, depth).some((folder, index) => folder !== here[index]);
      return meets ? [breachOf(source, imported, "every sub-folder is an island")] : [];
    }),
  faults: [
    [{ path: "src/protocols/rest/list.ts", text: 'import { a } from "../openapi/a.ts";' }],
    [{ path: "src/protocols/http.ts", text: 'import { a } from "./rest/a.ts";' }],
    [{ path: "src/features/audit/read.ts", text: 'import type { A } from "../cache/a.ts";' }],
    [{ path: "src/drivers/database/sqlite/open.ts", text: 'import { a } from "../postgres/a.ts";' }],
    [{ path: "src/drivers/cache/redis.ts", text: 'import { a } from "../database/a.ts";' }],
    [{ path: "src/drivers/database.ts", text: 'import { a } from "./database/a.ts";' }],
  ],
  fine: [
    [
      {
        path: "src/protocols/rest/list.ts",
        text: 'import "./a.ts"; import "../http.ts"; import "./parse/b.ts"; import "../../engine/c.ts";',
      },
    ],
    [{ path: "src/protocols/rest/parse/list.ts", text: 'import "../a.ts"; import "../render/b.ts";' }],
    [
      {
        path: "src/drivers/database/sqlite/open.ts",
        text: 'import "./a.ts"; import "../../database.ts"; import "../dialect.ts";',
      },
    ],
  ],
};

export const driverNames: Rule = {
  name: "driver-names",
  check: (sources) =>
    [...productImports(sources)].flatMap(({ source, imported, from }) => {
      if (from === "drivers" || from === "testing" || source.path === wire) return [];
      const named = /^src\/drivers\/[^/]+\//.test(imported.target);
      return named ? [breachOf(source, imported, `only ${wire} names drivers`)] : [];
    }),
  faults: [
    [{ path: "src/app/app.ts", text: 'import { openSqlite } from "../drivers/database/sqlite/open.ts";' }],
    [{ path: "src/engine/run.ts", text: 'const a = () => import("../drivers/database/sqlite/open.ts");' }],
    [{ path: "src/index.ts", text: 'export { openSqlite } from "./drivers/database/sqlite/open.ts";' }],
  ],
  fine: [
    [{ path: wire, text: 'import { openSqlite } from "../drivers/database/sqlite/open.ts";' }],
    [{ path: "src/engine/run.ts", text: 'import type { Database } from "../drivers/database.ts";' }],
    [{ path: "src/testing/open.ts", text: 'import { openSqlite } from "../drivers/database/sqlite/open.ts";' }],
  ],
};

export const publicDoor: Rule = {
  name: "public-door",
  check: (sources) =>
    sources
      .filter(({ path }) => path.startsWith("examples/"))
      .flatMap((source) =>
        source.imports
          .filter(({ target, isLocal }) => isLocal && target.startsWith("src/") && !target.endsWith("/index.ts"))
          .map((imported) => breachOf(source, imported, "an example uses what a user can import")),
      ),
  faults: [[{ path: "examples/store/backend.ts", text: 'import { model } from "../../src/schema/model.ts";' }]],
  fine: [[{ path: "examples/store/backend.ts", text: 'import { model } from "holdfast"; import { a } from "./a.ts";' }]],
};

const randomness = new Set(["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync", "getRandomValues"]);

export const ambientState: Rule = {
  name: "ambient-state",
  check: (sources) =>
    sources
      .filter(({ path, isTest }) => path.startsWith("src/") && !isTest)
      .flatMap((source) =>
        source.visited.flatMap(({ node }): Breach[] => {
          const found = findAmbient(node);
          if (found === null || mayUse(source.path, found)) return [];
          return [{ path: source.path, line: source.lineOf(node.start), what: `${found} is ambient: it must be handed in` }];
        }),
      ),
  faults: [
    ["src/engine/plan.ts", "const a = Date.now();"],
    ["src/engine/plan.ts", "const a = { clock: Date.now };"],
    ["src/engine/plan.ts", "const a = new Date();"],
    ["src/engine/plan.ts", "const a = Math.random();"],
    ["src/engine/plan.ts", 'import { randomUUID as id } from "node:crypto";'],
    ["src/engine/plan.ts", "const a = crypto.randomUUID();"],
    ["src/engine/plan.ts", 'const a = process.env["A"];'],
    ["src/engine/plan.ts", 'import { env } from "node:process";'],
    ["src/base/ids.ts", "const a = Math.random();"],
    ["src/app/app.ts", "const a = process.env.A;"],
  ].map(([path = "", text = ""]) => [{ path, text }]),
  fine: [
    ["src/engine/plan.ts", "const a = new Date(0); const b = performance.now(); const c = Math.max(1);"],
    ["src/base/ids.ts", 'import { randomFillSync } from "node:crypto";'],
    ["src/app/app.ts", "const a = Date.now;"],
    [config, "const a = process.env.A;"],
    ["src/cli/start.ts", "configure(process.env); const a = Date.now();"],
    ["src/engine/plan.test.ts", "const a = Date.now();"],
  ].map(([path = "", text = ""]) => [{ path, text }]),
};

function findAmbient(node: Node): string | null {
  if (node.type === "NewExpression" && node.arguments.length === 0) return isNamed(node.callee, "Date") ? "new Date()" : null;
  if (node.type === "ImportSpecifier") {
    const name = "name" in node.imported ? node.imported.name : node.imported.value;
    return randomness.has(name) ? name : name === "env" ? "process.env" : null;
  }
  if (node.type !== "MemberExpression") return null;
  const property = node.property.type === "Identifier" ? node.property.name : "";
  if (property === "now" && isNamed(node.object, "Date")) return "Date.now";
  if (property === "random" && isNamed(node.object, "Math")) return "Math.random";
  if (property === "env" && isNamed(node.object, "process")) return "process.env";
  return randomness.has(property) ? property : null;
}

function isNamed(node: Node, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function mayUse(path: string, found: string): boolean {
  if (path.startsWith("src/cli/") || path === config) return true;
  if (path.startsWith("src/app/")) return found !== "process.env";
  return path === "src/base/ids.ts" && found === "randomFillSync";
}

const shipped = readShipped();

/** What an installed copy has, beside it or in its bundle: everything else is only on a developer's machine. */
function readShipped(): ReadonlySet<string> {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  return new Set([...bundled, ...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
}

export const shippedPackages: Rule = {
  name: "shipped-packages",
  check: (sources) =>
    sources
      .filter(({ path, isTest }) => path.startsWith("src/") && !isTest)
      .flatMap((source) =>
        source.imports
          .filter(({ target, isLocal }) => !isLocal && !target.startsWith("node:") && !shipped.has(target))
          .map((imported) => breachOf(source, imported, "it is no dependency of the package")),
      ),
  faults: [[{ path: "src/engine/plan.ts", text: 'import fc from "fast-check";' }]],
  fine: [[{ path: "src/app/token.ts", text: 'import { jwtVerify } from "jose"; import "node:fs";' }]],
};

export const floorRules: readonly Rule[] = [floorOrder, islands, driverNames, publicDoor, ambientState, shippedPackages];
