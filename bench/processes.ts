/** The processes of a bench: the bundle of our server, the baseline, and the load generator; each talks over IPC. */
import { type ChildProcess, fork } from "node:child_process";
import { openSync } from "node:fs";
import { rolldown } from "rolldown";
import { bundled } from "../scripts/build.ts";
import { root } from "../scripts/run.ts";
import type { Job, Load } from "./client.ts";

export interface Process {
  ask<T>(message: object): Promise<T>;
  stop(): Promise<void>;
}

export interface Server extends Process {
  readonly port: number;
  readonly token: string;
}

const secret = "a secret that is for the bench alone";

/** Bundles our server as a release is bundled: what is measured is what users run. */
export async function bundleOurs(folder: string): Promise<string> {
  const threads = "src/drivers/database/sqlite";
  const build = await rolldown({
    cwd: root,
    input: {
      ours: "bench/ours.ts",
      start: "bench/start.ts",
      backend: "bench/backend.ts",
      "writer-thread": `${threads}/writer-thread.ts`,
      "writer-process": `${threads}/writer-process.ts`,
      "reader-thread": `${threads}/reader-thread.ts`,
    },
    platform: "node",
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && id !== "holdfast" && !bundled.has(id),
    resolve: { conditionNames: ["holdfast-source", "node", "import", "default"] },
  });
  await build.write({ dir: `${folder}/bundle`, format: "esm", entryFileNames: "[name].js", chunkFileNames: "part-[name].js" });
  await build.close();
  return `${folder}/bundle/ours.js`;
}

/** Starts our server on a database; its log goes to a file. */
export function startOurs(file: string, url: string, log: string): Promise<Server> {
  return startServer(file, [url, secret], log);
}

export function startBaseline(database: string): Promise<Server> {
  return startServer(`${root}bench/baseline.ts`, [database], `${database}.log`);
}

export function startBaselinePostgres(url: string, log: string): Promise<Server> {
  return startServer(`${root}bench/baseline-postgres.ts`, [url], log);
}

async function startServer(file: string, args: readonly string[], log: string): Promise<Server> {
  const out = openSync(log, "a");
  const child = fork(file, args, { execArgv: [], stdio: ["ignore", out, "inherit", "ipc"] });
  const { port, token } = await hear<{ port: number; token: string }>(child);
  return { ...wrap(child), port, token };
}

export function startClient(): Process {
  return wrap(fork(`${root}bench/client.ts`, [], { execArgv: [] }));
}

/** Runs a job. @throws where any answer was no success: a bench of errors says nothing. */
export async function load(client: Process, job: Job): Promise<Load> {
  const result = await client.ask<Load & { readonly error?: string }>(job);
  if (result.error !== undefined) throw new Error(result.error);
  if (result.failures > 0) throw new Error(`${result.failures} answers failed; the first:\n${result.failure}`);
  return result;
}

function wrap(child: ChildProcess): Process {
  return {
    ask<T>(message: object) {
      const answer = hear<T>(child);
      child.send(message);
      return answer;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.disconnect();
      await gone;
    },
  };
}

function hear<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the process ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}
