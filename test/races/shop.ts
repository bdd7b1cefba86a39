/** Two processes on one database file, and ways to ask both at once. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApp } from "holdfast";
import { faultyStore } from "./backend.ts";

const serverFile = fileURLToPath(new URL("./server.ts", import.meta.url));
const processes = 2;

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
}

interface Asking {
  readonly method: "POST" | "PATCH";
  readonly path: string;
  readonly token: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

function startServer(file: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(serverFile, [file], { execArgv: ["--conditions=holdfast-source"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    child.once("message", (message) => resolve({ child, port: (message as { port: number }).port }));
  });
}

/** The shop with the customers, and this process as a third that looks into the data. */
export async function openShop(customers: number) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-races-"));
  const file = join(folder, "store.db");
  const app = await createApp(faultyStore, { database: `sqlite:${file}`, port: 0, log: false });
  await app.system.customers.createMany(
    Array.from({ length: customers }, (_, index) => ({ id: `c${index}`, name: `C ${index}` })),
  );
  const servers = await Promise.all(Array.from({ length: processes }, () => startServer(file)));
  const tokens = await Promise.all(
    Array.from({ length: customers }, (_, index) => app.mint({ sub: `c${index}`, roles: ["customer"] })),
  );
  const staff = await app.mint({ sub: "sue", roles: ["staff"] });

  /** Asks the n-th process, counted round. */
  async function ask(process: number, { method, path, token, body, headers }: Asking): Promise<Reply> {
    const { port } = servers[process % processes] as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.text(), replayed: response.headers.has("idempotency-replayed") };
  }

  async function close(): Promise<void> {
    for (const { child } of servers) {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    }
    await app.stop();
    rmSync(folder, { recursive: true });
  }
  return { app, ask, close, tokens, staff };
}
