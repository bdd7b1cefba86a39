/** Runs the shell blocks of a page as pasted, in one shell, against a started server. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "holdfast";
import { store } from "../../examples/store/backend.ts";
import { loadFilms, readMovies } from "../../examples/store/load.ts";
import { root, run } from "../../scripts/run.ts";
import { compareAnswer } from "./answers.ts";
import type { ShellBlock } from "./blocks.ts";

export interface Served {
  readonly port: number;
  stop(): Promise<unknown>;
}

/** What one block did. */
export interface Outcome {
  readonly block: ShellBlock;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Statuses of its requests, in order. */
  readonly statuses: readonly number[];
}

const environment = { ...process.env, NODE_OPTIONS: "--conditions=holdfast-source", NODE_TEST_CONTEXT: undefined };

/** Serves the folder's backend.ts as `holdfast start` does. */
export function serveBackend(folder: string): Promise<Served> {
  const child = spawn(process.execPath, [`${root}bin/holdfast.mjs`, "start", "--port", "0", "--json"], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let output = "";
  return new Promise((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
      const port = /"url": ?"http:\/\/localhost:(\d+)"/.exec(output)?.[1];
      if (port !== undefined) resolve({ port: Number(port), stop: () => (child.kill("SIGTERM"), ended) });
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    void ended.then((code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}

/** Serves the film shop with its films, as `npm start` does: in the folder, its database is data/store.db. */
export async function serveStore(folder: string): Promise<Served> {
  mkdirSync(join(folder, "data"), { recursive: true });
  const app = await createApp(store, { database: `sqlite:${folder}/data/store.db`, port: 0, log: false });
  await loadFilms(app.system, readMovies());
  const { port } = await app.start();
  return { port, stop: () => app.stop() };
}

// The status goes to standard error, whatever the block does with the answer.
const prelude = `
curl() { command curl -sS -w '%{stderr}\\n%{http_code}\\n' "$@"; }
npx() { "$@"; }
`;

/** Runs the blocks in order; what one sets, the next one knows. */
export async function runShell(blocks: readonly ShellBlock[], folder: string, { port }: Served): Promise<readonly Outcome[]> {
  const out = join(folder, ".out");
  mkdirSync(out, { recursive: true });
  const parts = blocks.map(
    ({ text }, index) => `{\n${text}\n} > ${out}/${index}.out 2> ${out}/${index}.err\necho $? > ${out}/${index}.code\n`,
  );
  const script = join(out, "script.sh");
  writeFileSync(script, prelude + parts.join("").replaceAll("localhost:3000", `localhost:${port}`));
  const env = { ...environment, PATH: `${folder}/../node_modules/.bin:${process.env["PATH"]}` };
  const { code, output } = await run("bash", [script], { cwd: folder, env, quiet: true });
  if (code !== 0) throw new Error(`the shell ended with ${code}: ${output}`);
  const read = (index: number, kind: string) => readFileSync(join(out, `${index}.${kind}`), "utf8");
  return blocks.map((block, index) => {
    const stderr = read(index, "err");
    const statuses = [...stderr.matchAll(/^(\d{3})$/gm)].map(([status]) => Number(status));
    return { block, code: Number(read(index, "code")), stdout: read(index, "out"), stderr, statuses };
  });
}

/** What is not as the page says: a command that fails, a request that is refused though no refusal is shown, another answer. */
export function judge({ block, code, stdout, stderr, statuses }: Outcome): readonly string[] {
  const faults: string[] = [];
  const shown = block.answer === null ? null : statusShown(block.answer.text);
  const last = statuses.at(-1);
  if (code !== 0 && !block.words.includes("fails")) faults.push(`it ended with ${code}: ${stderr}`);
  const served = shown === null ? statuses : statuses.slice(0, -1);
  if (served.some((status) => status >= 400)) faults.push(`it was answered with ${statuses.join(", ")}: ${stdout}`);
  if (shown !== null && last !== undefined && last !== shown) faults.push(`the status is ${last}, not ${shown}: ${stdout}`);
  if (block.answer !== null) faults.push(...compareAnswer(block.answer, stdout));
  return faults.map((fault) => `line ${block.line}: ${fault}`);
}

function statusShown(answer: string): number | null {
  const found = /^HTTP\/1\.1 (\d{3})/m.exec(answer) ?? /"status": ([45]\d\d)\b/.exec(answer);
  return found === null ? null : Number(found[1]);
}
