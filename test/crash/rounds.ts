/** Starts a server, loads it, kills it, and starts it again: as often as is asked for. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLedger, type Ledger, sendKeyed, work } from "./ledger.ts";
import { verify } from "./verify.ts";

const serverFile = fileURLToPath(new URL("./server.ts", import.meta.url));
const clients = 12;
/** Answers to the rounds before are forgotten with their database, so that verifying stays quick. */
const roundsOfOneFile = 10;

export type Mode = "honest" | "early";

/** Starts the server, under another program where `tracer` names one. */
export function startServer(
  file: string,
  mode: Mode,
  tracer: readonly string[] = [],
): Promise<{ child: ChildProcess; port: number }> {
  const [command, ...args] = [...tracer, process.execPath, "--conditions=holdfast-source", serverFile, file, mode];
  const child = spawn(command as string, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    child.once("message", (message) => resolve({ child, port: (message as { port: number }).port }));
  });
}

export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

export interface Load {
  readonly port: number;
  readonly seed: number;
  readonly afterMs: number;
  /** Ends it in the middle of its work: the server, or what it needs. */
  readonly end: () => Promise<unknown>;
}

/** Loads a server for a while, and resolves when it has been ended and every client has noticed. */
export async function loadAndEnd(ledger: Ledger, { port, seed, afterMs, end }: Load): Promise<void> {
  const state = { over: false };
  const random = createRandom(seed);
  const newId = () => `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`;
  const target = { port, random, newId, isOver: () => state.over };
  const working = Promise.all(Array.from({ length: clients }, () => work(ledger, target)));
  await Promise.race([new Promise((resolve) => setTimeout(resolve, afterMs)), working]);
  await end();
  state.over = true;
  await working;
}

export interface Outcome {
  readonly acknowledged: number;
  readonly faults: readonly string[];
}

/** Runs the rounds, two files at a time. */
export async function runRounds(rounds: number, { mode, seed }: { mode: Mode; seed: number }): Promise<Outcome> {
  const firsts = Array.from({ length: Math.ceil(rounds / roundsOfOneFile) }, (_, index) => index * roundsOfOneFile);
  const outcomes: Outcome[] = [];
  async function runLane(): Promise<void> {
    for (let first = firsts.shift(); first !== undefined; first = firsts.shift())
      outcomes.push(await runOnOneFile(Math.min(roundsOfOneFile, rounds - first), { mode, seed: seed + first }));
  }
  await Promise.all([runLane(), runLane()]);
  return {
    acknowledged: outcomes.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    faults: outcomes.flatMap(({ faults }) => faults),
  };
}

async function runOnOneFile(rounds: number, { mode, seed }: { mode: Mode; seed: number }): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-crash-"));
  const file = join(folder, "data.db");
  const ledger = createLedger();
  let server = await startServer(file, mode);
  try {
    for (let round = 0; round < rounds; round++) {
      const { child, port } = server;
      const afterMs = 40 + (((seed + round) * 97) % 400);
      await loadAndEnd(ledger, { port, seed: seed + round, afterMs, end: () => kill(child) });
      server = await startServer(file, mode);
      const faults = [...verify(file, ledger), ...(await retryKeys(server.port, ledger)), ...verify(file, ledger)];
      if (faults.length > 0)
        return { acknowledged: ledger.acknowledged, faults: faults.map((fault) => `seed ${seed}, round ${round}: ${fault}`) };
    }
    return { acknowledged: ledger.acknowledged, faults: [] };
  } finally {
    await kill(server.child);
    rmSync(folder, { recursive: true });
  }
}

/** Sends again what was sent with a key: what was answered before gets the same answer, and the rest happens now, once. */
export async function retryKeys(port: number, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  const recent = ledger.keyed.slice(-40);
  const open = ledger.keyed.filter(({ answer }) => answer === null);
  for (const keyed of new Set([...open, ...recent])) {
    const answer = await sendKeyed(port, keyed);
    if (answer === null) faults.push(`${keyed.tag} got no answer when it was tried again`);
    else if (keyed.answer !== null && answer !== keyed.answer)
      faults.push(`${keyed.tag} got another answer when it was tried again`);
    keyed.answer = answer;
  }
  return faults;
}

/** A small generator of numbers in [0, 1) (mulberry32), the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
}
