/**
 * `npm run bench`: ours against a hand-written baseline, in turns within one run, printed as ratios with their bars.
 * `--json` prints one line of JSON a case; `--case NAME` runs some only; `--rows`, `--rounds` and `--seconds` set the size;
 * `--million` adds deep pages at a million rows. Ends with 1 where a bar is missed.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { root } from "../scripts/run.ts";
import { buildRequest, findDeepCursor, type LoadCase, loadCases, type Servers, type Stream } from "./cases.ts";
import { bundleOurs, load, type Process, type Server, startBaseline, startClient, startOurs } from "./processes.ts";
import { judgeLoad, judgeSize, type Outcome, renderJson, renderText, type Round } from "./report.ts";
import { mariadbCases, startMariadbSides } from "./mariadb.ts";
import { postgresCases, startPostgresSides } from "./postgres.ts";
import { seed } from "./seed.ts";
import { startSides, workerCases } from "./workers.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    case: { type: "string", multiple: true, default: [] },
    rows: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    million: { type: "boolean", default: false },
  },
});

const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1_000;
// On a disk rather than in memory, as durable writes are measured; of its own, as another bench may be running.
mkdirSync(`${root}data`, { recursive: true });
const folder = mkdtempSync(`${root}data/bench-`);
/** Our database, and where our log goes. */
const ourFile = [`sqlite:${folder}/ours.db`, `${folder}/ours.log`] as const;
/** Until the code is compiled for what it does most. */
const warmUpMs = 3_000;
const million = 1_000_000;
const startMsMax = 400;
const idleMbMax = 110;
const bytesPerMb = 1_048_576;

function isWanted(name: string): boolean {
  return values.case.length === 0 || values.case.includes(name);
}

async function compare(one: LoadCase, client: Process, servers: Servers): Promise<Outcome> {
  const streams = { ours: one.ours(servers), baseline: one.baseline(servers) };
  const measure = (stream: Stream, ms: number) => load(client, { ...stream, connections: one.connections, durationMs: ms });
  for (const stream of [streams.ours, streams.baseline]) await measure(stream, warmUpMs);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, as the second finds a warmer machine.
    const first = round % 2 === 0 ? await measure(streams.ours, durationMs) : null;
    const baseline = await measure(streams.baseline, durationMs);
    measured.push({ ours: first ?? (await measure(streams.ours, durationMs)), baseline });
  }
  if (one.call === null) return judgeLoad(one, measured, null);
  const { statements } = await servers.ours.ask<{ statements: number }>({ ask: "statements", call: one.call });
  return judgeLoad(one, measured, statements);
}

/** From the start of the process to the first answer to a request. */
async function timeStart(start: () => Promise<Server>, path: string): Promise<number> {
  const startMs = performance.now();
  const server = await start();
  const headers = server.token === "" ? {} : { authorization: `Bearer ${server.token}` };
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
  await response.arrayBuffer();
  const ms = performance.now() - startMs;
  await server.stop();
  return ms;
}

async function measureStart(bundle: string): Promise<Outcome> {
  const path = "/api/films?filter[rating]=PG&sort=-price&limit=1";
  const times = { ours: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.ours.push(await timeStart(() => startOurs(bundle, ...ourFile), path));
    times.baseline.push(await timeStart(() => startBaseline(`${folder}/baseline.db`), path));
  }
  return judgeSize({
    case: "start",
    title: "from the start of the process to the first answer",
    unit: "ms",
    bar: startMsMax,
    ...times,
  });
}

/** What the process holds once it has answered some requests and rests. */
async function measureMemory(servers: readonly Server[], client: Process): Promise<number[]> {
  const sizes: number[] = [];
  for (const server of servers) {
    const requests = [buildRequest(server, "/api/films?filter[rating]=PG&sort=-price&limit=20")];
    await load(client, { port: server.port, requests, connections: 4, durationMs: 200 });
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  for (const server of servers) sizes.push((await server.ask<{ bytes: number }>({ ask: "memory" })).bytes / bytesPerMb);
  return sizes;
}

async function memoryOutcome(bundle: string, client: Process): Promise<Outcome> {
  const servers = [await startOurs(bundle, ...ourFile), await startBaseline(`${folder}/baseline.db`)];
  const [ours = 0, baseline = 0] = await measureMemory(servers, client);
  for (const server of servers) await server.stop();
  return judgeSize({
    case: "memory",
    title: "resident memory at rest",
    unit: "MB",
    bar: idleMbMax,
    ours: [ours],
    baseline: [baseline],
  });
}

async function* runLoadCases(
  cases: readonly LoadCase[],
  at: { bundle: string; client: Process; rows: number },
): AsyncGenerator<Outcome> {
  if (cases.length === 0) return;
  const ours = await startOurs(at.bundle, ...ourFile);
  const baseline = await startBaseline(`${folder}/baseline.db`);
  const isDeep = cases.some(({ case: name }) => name.startsWith("deep-page"));
  const deepCursor = isDeep ? await findDeepCursor(ours, at.rows) : "";
  for (const one of cases) yield await compare(one, at.client, { ours, baseline, rows: at.rows, deepCursor });
  await ours.stop();
  await baseline.stop();
}

async function* runWorkerCases(cases: readonly LoadCase[], at: { bundle: string; client: Process; rows: number }) {
  if (cases.length === 0) return;
  const sides = await startSides(at.bundle, folder);
  for (const one of cases) yield await compare(one, at.client, { ...sides, rows: at.rows, deepCursor: "" });
  await sides.ours.stop();
  await sides.baseline.stop();
}

async function* runServerCases(
  cases: readonly LoadCase[],
  start: typeof startPostgresSides,
  at: { bundle: string; client: Process; rows: number },
) {
  if (cases.length === 0) return;
  const sides = await start(at.bundle, folder, at.rows);
  for (const one of cases) yield await compare(one, at.client, { ...sides, rows: at.rows, deepCursor: "" });
  await sides.stop();
}

async function* runAll(): AsyncGenerator<Outcome> {
  const rows = Number(values.rows);
  await seed(folder, rows);
  const bundle = await bundleOurs(folder);
  const client = startClient();
  yield* runLoadCases(
    loadCases.filter(({ case: name }) => isWanted(name)),
    { bundle, client, rows },
  );
  yield* runWorkerCases(
    workerCases.filter(({ case: name }) => isWanted(name)),
    { bundle, client, rows },
  );
  for (const [cases, start] of [
    [postgresCases, startPostgresSides],
    [mariadbCases, startMariadbSides],
  ] as const)
    yield* runServerCases(
      cases.filter(({ case: name }) => isWanted(name)),
      start,
      { bundle, client, rows },
    );
  if (isWanted("start")) yield await measureStart(bundle);
  if (isWanted("memory")) yield await memoryOutcome(bundle, client);
  if (values.million) {
    await seed(folder, million);
    const deep = loadCases.filter(({ case: name }) => name === "deep-page").map((one) => ({ ...one, case: "deep-page-million" }));
    yield* runLoadCases(deep, { bundle: await bundleOurs(folder), client, rows: million });
  }
  await client.stop();
}

try {
  for await (const outcome of runAll()) {
    console.log(values.json ? renderJson(outcome) : renderText(outcome));
    if (!outcome.met) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
