/** Two workers against one, both our own command line, each on a copy of the same data. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { dirname } from "node:path";
import { buildRequest, createCase, type LoadCase } from "./cases.ts";
import type { Server } from "./processes.ts";
import { ratings } from "./seed.ts";

const secret = "a secret that is for the bench alone";
const workers = 2;
const connections = 32;
const variety = 5_000;

/**
 * What costs the server much and the load generator little: it takes from the same cores, so that with one request in four
 * of the server's cost two cores could not do better than 1.6.
 */
function longListsTo(server: Server) {
  const requests = Array.from({ length: variety }, (_, index) => {
    const filter = `filter[rating]=${ratings[index % ratings.length]}&filter[price][lt]=${1_000 - ((index * 7) % 800)}.${10 + (index % 90)}`;
    const fields = "fields=id,title,price,stock,director.name,director.country";
    return buildRequest(server, `/api/films?${filter}&sort=-price&limit=100&${fields}`);
  });
  return { port: server.port, requests };
}

export const workerCases: readonly LoadCase[] = [
  {
    case: "workers-read",
    title: `list 100 rows with a relation on ${workers} workers; the baseline is ours with one`,
    connections,
    ratio: "share",
    bar: 1.6,
    ours: ({ ours }) => longListsTo(ours),
    baseline: ({ baseline }) => longListsTo(baseline),
    call: null,
  },
  createCase({ case: "workers-write", title: `create durably on ${workers} workers; the baseline is ours with one`, bar: 1 }),
];

/** Starts `holdfast start` from the bundle; its log goes to a file beside the database. */
async function startCommand(bundle: string, database: string, count: number): Promise<Server> {
  const folder = dirname(bundle);
  const program = `${folder}/start.js`;
  const env = { ...process.env, HOLDFAST_SECRET: secret };
  const token = ["token", "--sub", "bench", "--role", "staff", "--claim", "team=red", "--database", database];
  const flags = ["--host", "127.0.0.1", "--port", "0", "--mode", "production", "--workers", String(count), "--json"];
  const child = spawn(
    process.execPath,
    [program, "start", "--backend", `${folder}/backend.js`, "--database", database, ...flags],
    { env, stdio: ["ignore", "pipe", openSync(`${database}.log`, "a")] },
  );
  const { url } = JSON.parse(await readDocument(child)) as { readonly url: string };
  return {
    port: Number(new URL(url).port),
    token: execFileSync(process.execPath, [program, ...token], { env, encoding: "utf8" }).trim(),
    ask: () => Promise.reject(new Error("a command is asked over HTTP only")),
    async stop() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

async function readDocument(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.endsWith("\n}\n")) return text;
  }
  throw new Error(`the command ended before it said where it listens:\n${text}`);
}

/** The two sides, each on its own file in the folder. */
export async function startSides(bundle: string, folder: string): Promise<{ ours: Server; baseline: Server }> {
  return {
    ours: await startCommand(bundle, `${folder}/ours.db`, workers),
    baseline: await startCommand(bundle, `${folder}/baseline.db`, 1),
  };
}
