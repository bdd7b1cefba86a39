/** `npm start`: serves the film shop of examples/store. The first run loads its films; data/ holds everything, and may be removed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { store } from "../examples/store/backend.ts";
import { type LoadReport, loadFilms, readMovies, summarize } from "../examples/store/load.ts";
import { createProgress } from "../examples/store/progress.ts";
import { createApp } from "../src/index.ts";
import { root } from "./run.ts";

const portDefault = 3000;
const tokenTtlS = 30 * 24 * 60 * 60;
const usage = `npm start [-- --port <number>]   (or the variable PORT; ${portDefault} otherwise)`;

type StoreApp = Awaited<ReturnType<typeof open>>;

function readPort(): number {
  const { values } = parseArgs({ options: { port: { type: "string", short: "p" } } });
  const port = Number(values.port ?? process.env["PORT"] ?? portDefault);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError("a port is a whole number from 0 to 65535");
  return port;
}

function open(port: number, folder: string) {
  mkdirSync(folder, { recursive: true });
  return createApp(store, { title: "Film shop", database: `sqlite:${folder}/store.db`, port });
}

/** Loads what is not there yet, and says what became of every row that was not as it should be. */
async function load(app: StoreApp, folder: string): Promise<void> {
  const report = await loadFilms(app.system, readMovies(), createProgress("Loading films", process.stderr));
  if (report.loaded === 0) return;
  writeReport(report, `${folder}/load-report.json`);
  console.log(`${summarize(report).join("\n")}\n  (every row of these: data/load-report.json)`);
}

function writeReport(report: LoadReport, file: string): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** Addresses, a token, and lines to paste into a shell. */
async function greet(app: StoreApp, url: string): Promise<string> {
  const staff = await app.mint({ sub: "admin", roles: ["staff"], ttlS: tokenTtlS });
  const ann = await app.mint({ sub: "ann", roles: ["customer"], ttlS: tokenTtlS });
  const film = await app.system.films.first({ where: { stock: { gt: 0 }, title: { startsWith: "The Big" } }, orderBy: "title" });
  const order = JSON.stringify({ lines: [{ film: film?.id, quantity: 1 }] });
  return `
The shop is open:
  API      ${url}/api
  Docs     ${url}/docs
  OpenAPI  ${url}/openapi.json

Admin token (staff, 30 days):
  ${staff}

Look around:
  curl -g '${url}/api/films?filter[rating]=PG&sort=-price,title&fields=title,price,director.name&limit=3'

See what customers cannot, costs and margins:
  curl -g '${url}/api/films?fields=title,price,cost,margin&limit=3' -H 'Authorization: Bearer ${staff}'

Buy "${film?.title}" as the customer Ann:
  curl '${url}/api/actions/checkout' -H 'Content-Type: application/json' -d '${order}' -H 'Authorization: Bearer ${ann}'

Stop with Ctrl+C.
`;
}

async function start(): Promise<void> {
  const port = readPort();
  const folder = `${root}data`;
  const app = await open(port, folder);
  try {
    await load(app, folder);
    const { url } = await app.start();
    console.log(await greet(app, url));
  } catch (error) {
    await app.stop();
    throw error;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void app.stop());
}

/** What went wrong, for a person: the mend where it is a known one. */
function explain(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE")
    return `Port ${(error as { port?: number }).port} is taken. Take another one: npm start -- --port 3001`;
  if (error instanceof RangeError || error.code?.startsWith("ERR_PARSE_ARGS")) return `${error.message}\n${usage}`;
  return error.stack ?? error.message;
}

try {
  await start();
} catch (error) {
  console.error(explain(error as NodeJS.ErrnoException));
  process.exitCode = 1;
}
