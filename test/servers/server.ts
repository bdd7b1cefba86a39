/** One server of a test as a process: started, asked until it answers, ended in order or killed, started again on the same data. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { User } from "./folders.ts";
import { type Keeper, startKeeper } from "./keeper.ts";
import { waitUntil } from "./wait.ts";

/** A server that runs. It ends with this process at the latest, and does not keep it from ending. */
export interface Server {
  /** With a user who may do everything, and a password. */
  readonly url: string;
  /** Everything that it has said since its first start; gone with `stop`. */
  readonly logFile: string;
  /** Ends it in order and removes its data. */
  readonly stop: () => Promise<void>;
  /** Starts it on the same data and port; ends it in order first if it runs. */
  readonly restart: () => Promise<void>;
  /** Ends it and its processes at once (SIGKILL), as a crash of the machine does. `restart` brings it back. */
  readonly kill: () => Promise<void>;
}

export interface ServerSpec {
  /** Its temporary folder, which `stop` removes. */
  readonly folder: string;
  /** Null is oneself. */
  readonly user: User | null;
  readonly command: string;
  readonly args: readonly string[];
  /** What makes it end in order without waiting for its clients. */
  readonly stopSignal: NodeJS.Signals;
  readonly url: string;
  /** Resolves if it answers a query, else rejects. */
  readonly ask: () => Promise<unknown>;
}

const startMsMax = 60_000;
const stopMsMax = 30_000;
const askEveryMs = 25;
const logTail = 2000;

/** Starts a server and resolves once it answers. @throws with the end of its log where it does not; its folder is then gone */
export async function startServer(spec: ServerSpec): Promise<Server> {
  const logFile = join(spec.folder, "server.log");
  const keeper = startKeeper(spec.folder);
  let child: ChildProcess | null = null;
  const launch = async () => {
    child = await launchUntilUp(spec, keeper, logFile);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child !== null) await endProcess(child, signal);
    child = null;
  };
  const stop = async () => {
    await end(spec.stopSignal);
    keeper.dismiss();
    rmSync(spec.folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const restart = async () => {
    await end(spec.stopSignal);
    await launch();
  };
  try {
    await launch();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: spec.url, logFile, stop, restart, kill: () => end("SIGKILL") };
}

/** After a kill the rest of a server may need a moment to go, and a new one refuses to start beside it: so it is tried again. */
async function launchUntilUp(spec: ServerSpec, keeper: Keeper, logFile: string): Promise<ChildProcess> {
  const giveUpMs = performance.now() + startMsMax;
  const isRestart = existsSync(logFile);
  for (;;) {
    const child = await launchOnce(spec, logFile);
    keeper.watch(child.pid ?? null);
    child.once("exit", () => keeper.watch(null));
    while (isRunning(child)) {
      const why = await spec.ask().then(
        () => null,
        (error: unknown) => error,
      );
      if (why === null && isRunning(child)) return child;
      if (performance.now() > giveUpMs) {
        await endProcess(child, "SIGKILL");
        throw new Error(`${spec.command} does not answer:\n${tailOf(logFile)}`, { cause: why });
      }
      await wait(askEveryMs);
    }
    if (!isRestart || performance.now() > giveUpMs) throw new Error(`${spec.command} has ended:\n${tailOf(logFile)}`);
    await wait(askEveryMs);
  }
}

async function launchOnce(spec: ServerSpec, logFile: string): Promise<ChildProcess> {
  const log = openSync(logFile, "a");
  try {
    const child = spawn(spec.command, spec.args, { cwd: spec.folder, detached: true, stdio: ["ignore", log, log], ...spec.user });
    child.unref();
    await once(child, "spawn");
    return child;
  } finally {
    closeSync(log);
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Resolves when it is gone; one that takes too long is killed. */
async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  child.ref();
  const others = signal === "SIGKILL" ? listChildren(child.pid) : [];
  const tooLong = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  const gone = once(child, "exit");
  child.kill(signal);
  for (const pid of others) killProcess(pid);
  await gone;
  clearTimeout(tooLong);
  await waitUntil(() => !others.some(isAlive), `processes of a killed server are still there: ${others.join()}`);
}

/** The processes that a server has started, where the system tells (Linux); elsewhere they notice by themselves that it is gone. */
function listChildren(pid: number | undefined): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  return existsSync(list)
    ? readFileSync(list, "utf8")
        .split(" ")
        .filter((word) => word !== "")
        .map(Number)
    : [];
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether such a process does anything still: one that has ended stays listed until its parent has asked (state Z). */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function tailOf(logFile: string): string {
  return readFileSync(logFile, "utf8").slice(-logTail);
}
