/** `npm run services`: what it prints, and that nothing stays behind, however it is ended. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, describe, test } from "node:test";
import { needs } from "../test/needs.ts";
import { hasPostgres, queryOnce } from "../test/servers/postgres.ts";
import { waitUntil } from "../test/servers/wait.ts";

const script = new URL("servers.ts", import.meta.url).pathname;
const started: ChildProcess[] = [];

interface Running {
  readonly child: ChildProcess & { readonly stdout: Readable };
  readonly url: string;
  readonly folder: string;
}

/** Runs the command until it has printed where PostgreSQL is. */
async function startCommand(command: string, ...args: readonly string[]): Promise<Running> {
  const child = spawn(command, [...args, script, "--only", "postgres", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const said = JSON.parse(line) as Record<string, { url: string; version: string; variable: string }>;
  const { url = "", version, variable } = said["postgres"] ?? {};
  assert.deepEqual([Object.keys(said), variable], [["postgres"], "TEST_POSTGRES_URL"]);
  assert.match(version ?? "", /^18\./);
  const [row] = await queryOnce(url, "select current_setting('data_directory') as folder");
  return { child, url, folder: String(row?.["folder"]) };
}

async function assertGone({ url, folder }: Running): Promise<void> {
  await waitUntil(() => !existsSync(folder), `${folder} is still there`);
  await assert.rejects(queryOnce(url, "select 1"), { code: "ECONNREFUSED" });
}

after(() => {
  for (const child of started) child.kill("SIGKILL");
});

describe("npm run services", needs("PostgreSQL 18", hasPostgres("18")), () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`stops on ${signal}`, async () => {
      const running = await startCommand(process.execPath);
      running.child.kill(signal);
      assert.deepEqual(await once(running.child, "exit"), [0, null]);
      await assertGone(running);
    });
  }

  test("leaves nothing behind when it is killed itself", async () => {
    const running = await startCommand(process.execPath);
    running.child.kill("SIGKILL");
    await assertGone(running);
  });

  test("stops when whoever started it is gone", async () => {
    const running = await startCommand("sh", "-c", '"$0" "$@"; true', process.execPath);
    running.child.kill("SIGKILL");
    await once(running.child.stdout, "close");
    await assertGone(running);
  });
});

test("a service that there is not is named, with those that there are", () => {
  const { status, stderr } = spawnSync(process.execPath, [script, "--only", "postgres,oracle"], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /no service "oracle"[^]*postgres,postgres-15,mariadb,mysql/);
});
