/** More work than the database does, and a stop while it is gone: everybody gets an answer in time, and nothing waits for ever. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { type Proxy, startProxy } from "./faults/proxy.ts";
import { openSite, type Reply } from "./faults/site.ts";
import { needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { serviceUrl } from "./servers/names.ts";
import { waitUntil } from "./servers/wait.ts";

const serverFile = fileURLToPath(new URL("./faults/server.ts", import.meta.url));
const tooLongMs = 10_000;

/** Runs while somebody else has the whole table. */
async function whileLocked<T>(url: string, run: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("begin; lock table entries in access exclusive mode");
    return await run();
  } finally {
    await client.end();
  }
}

function codesOf(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code, retryAfter } of replies) {
    assert.equal(status, 503);
    assert.match(retryAfter ?? "", /^\d+$/);
    counts[code ?? ""] = (counts[code ?? ""] ?? 0) + 1;
  }
  return counts;
}

const times = <T>(count: number, run: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => run(index)));

void describe("more than the database can do", needsService("postgres"), () => {
  test("slow reads use up the connections: the next ones are told so, in time", async () => {
    const site = await openSite(serviceUrl("postgres"), { readersMax: 2, readQueueMax: 2, waitTimeoutMs: 300 });
    const areOpen = async () => (await times(2, () => site.list("slow"))).every(({ status }) => status === 200);
    try {
      await waitUntil(areOpen, "two connections cannot be opened");
      await whileLocked(site.url, async () => {
        const startMs = performance.now();
        const codes = codesOf(await times(10, () => site.list("slow")));
        // Two had a connection for all the time that a read has, two waited for one, and six were too many.
        assert.deepEqual(codes, { read_timeout: 2, database_busy: 8 });
        assert.ok(performance.now() - startMs < tooLongMs);
        assert.equal((await site.ask("GET", "/health/ready")).status, 200, "a busy database is there");
      });
      assert.deepEqual(new Set((await times(4, () => site.list("slow"))).map(({ status }) => status)), new Set([200]));
    } finally {
      await site.close();
    }
  });

  test("slow writes: the queue is bounded, in length and in time, and nothing is written that was refused", async () => {
    const limits = { writeQueueMax: 3, groupUnitsMax: 1, waitTimeoutMs: 300, lockTimeoutMs: 1_000 };
    const site = await openSite(serviceUrl("postgres"), limits);
    try {
      await whileLocked(site.url, async () => {
        const startMs = performance.now();
        const codes = codesOf(await times(10, () => site.write("slow")));
        assert.deepEqual(codes, { transaction_queue_full: 7, database_busy: 3 });
        const held = codesOf(await times(10, () => site.pair("slow")));
        assert.deepEqual(Object.keys(held).sort(), ["database_busy", "transaction_queue_full"]);
        assert.ok(performance.now() - startMs < tooLongMs);
      });
      assert.equal((await site.write("slow")).status, 201);
      assert.deepEqual(await site.count("slow"), { rows: 1, changes: 1 });
    } finally {
      await site.close();
    }
  });
});

void describe("PostgreSQL that says nothing any more", needsService("postgres"), () => silenceTest(() => serviceUrl("postgres")));
void describe("MariaDB that says nothing any more", needsService("mariadb"), () => silenceTest(() => serviceUrl("mariadb")));
void describe("MySQL that says nothing any more", needsService("mysql"), () => silenceTest(() => serviceUrl("mysql")));

function silenceTest(server: () => string): void {
  test("under load everybody is told in time, further ones at once, and it is found again without a restart", async () => {
    const site = await openSite(server(), { readersMax: 3, writersMax: 2 });
    const isReady = async () => (await site.ask("GET", "/health/ready")).status === 200;
    const askOne = (tag: string, number: number) =>
      [() => site.write(tag), () => site.list(tag), () => site.pair(tag)][number % 3]?.() as Promise<Reply>;
    const askAll = (tag: string, count: number) => times(count, (number) => askOne(tag, number));
    const isGood = ({ status }: Reply) => status < 300;
    try {
      await waitUntil(async () => (await askAll("before", 6)).every(isGood), "the connections cannot be opened");
      site.proxy.silence();
      codesOf(await askAll("meanwhile", 45));
      await waitUntil(async () => !(await isReady()), "health does not tell");
      // Who waited would open one connection after the other, each for its whole time.
      const [openedBefore, asked] = [site.proxy.opened(), 60];
      for (let number = 0; number < asked; number++)
        assert.deepEqual(codesOf([await askOne("late", number)]), { database_unreachable: 1 });
      const opened = site.proxy.opened() - openedBefore;
      assert.ok(opened < asked / 4, `${opened} connections for ${asked} requests`);
      site.proxy.heal();
      await waitUntil(isReady, "it is not found again");
      assert.deepEqual(new Set((await askAll("after", 6)).map(({ status }) => status)), new Set([200, 201]));
      assert.deepEqual(JSON.parse((await site.list("late")).body).data, [], "what was refused was not written");
    } finally {
      await site.close();
    }
  });
}

void describe("a stop while the database is gone", needsService("postgres"), () => {
  const losses: readonly [name: string, lose: (proxy: Proxy) => void][] = [
    ["ended", (proxy) => proxy.refuse()],
    ["silent", (proxy) => proxy.silence()],
  ];
  for (const [name, lose] of losses) {
    test(`${name}: the process ends by itself within ten seconds, whatever it was asked`, async () => {
      const { url, drop } = await freshDatabase(serviceUrl("postgres"));
      const proxy = await startProxy(url);
      const child = fork(serverFile, [proxy.url], { execArgv: ["--conditions=holdfast-source"] });
      try {
        const [{ port }] = (await once(child, "message")) as [{ port: number }];
        const post = { method: "POST", headers: { "content-type": "application/json" }, body: '{"tag":"a","value":1}' };
        const write = () =>
          fetch(`http://127.0.0.1:${port}/api/entries`, post).then(
            (answer) => answer.status,
            () => 0,
          );
        assert.equal(await write(), 201);
        lose(proxy);
        const open = times(3, write);
        if (name === "ended") await waitUntil(() => proxy.count() === 0, "connections are still open");
        const startMs = performance.now();
        const gone = once(child, "exit");
        child.disconnect();
        await gone;
        assert.ok(performance.now() - startMs < tooLongMs, `it took ${Math.round(performance.now() - startMs)} ms`);
        for (const status of await open) assert.ok(status === 503 || status === 0, `an answer was ${status}`);
      } finally {
        child.kill("SIGKILL");
        await proxy.close();
        await drop();
      }
    });
  }
});
