/**
 * `npm run services`: starts the servers that tests use, prints their addresses, and stops them when it is stopped itself or
 * whoever started it is gone. `--only postgres,mariadb` picks some, `--json` prints one line of JSON for a program.
 */
import { parseArgs, styleText } from "node:util";
import { isServiceName, type ServiceName, serviceNames, services } from "../test/servers/names.ts";
import { queryVersion } from "../test/servers/databases.ts";
import { type Outcome, startServices, stopServices } from "../test/servers/start.ts";

const usage = `npm run services [-- --only ${serviceNames.join(",")}] [--json]`;
const parentEveryMs = 500;

interface Row {
  readonly name: ServiceName;
  readonly version: string;
  readonly url: string;
}

function readArguments(): { names: readonly ServiceName[]; isAsked: boolean; json: boolean } {
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true, default: [] }, json: { type: "boolean", default: false } },
  });
  const asked = values.only.flatMap((list) => list.split(",")).map((name) => name.trim());
  const unknown = asked.find((name) => !isServiceName(name));
  if (unknown !== undefined) throw new RangeError(`there is no service "${unknown}"`);
  const names = asked.length > 0 ? serviceNames.filter((name) => asked.includes(name)) : serviceNames;
  return { names, isAsked: asked.length > 0, json: values.json };
}

async function describeRow({ name, server }: Outcome): Promise<Row[]> {
  return server === undefined ? [] : [{ name, version: await queryVersion(server.url), url: server.url }];
}

function renderTable(rows: readonly Row[]): string {
  const cells = [
    ["Product", "Version", "Variable", "URL"],
    ...rows.map(({ name, version, url }) => [services[name].title, version, services[name].variable, url]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line, index) => (index === 0 ? styleText("bold", line) : line)).join("\n");
}

function renderJson(rows: readonly Row[]): string {
  const entries = rows.map(({ name, version, url }) => [name, { version, variable: services[name].variable, url }]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** Resolves when it is time to end: a signal, or a parent that is gone without one. */
function waitForEnd(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(looking);
      resolve();
    };
    const looking = setInterval(() => process.ppid !== parent && end(), parentEveryMs);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  });
}

async function main(): Promise<void> {
  const { names, isAsked, json } = readArguments();
  const ended = waitForEnd();
  const outcomes = await startServices(names);
  try {
    for (const { name, why } of outcomes) if (why !== undefined) console.error(`${services[name].title}: ${why}`);
    const rows = (await Promise.all(outcomes.map(describeRow))).flat();
    if (rows.length === 0 || (isAsked && rows.length < names.length))
      throw new Error("not every service that was asked for runs");
    console.log(json ? renderJson(rows) : `\n${renderTable(rows)}\n\nCtrl-C stops them and removes their data.`);
    await ended;
  } finally {
    await stopServices(outcomes);
  }
}

try {
  await main();
  process.exitCode = 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof RangeError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS")) console.error(usage);
  process.exitCode = 1;
}
// The way out is not held up by what still listens for signals.
process.exit();
