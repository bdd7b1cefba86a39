/** kill -9 of the database under load, again and again: nothing acknowledged is lost, no key is doubled, and the app stays up. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createApp } from "holdfast";
import { ledgerBackend } from "./crash/backend.ts";
import { createLedger, type Ledger } from "./crash/ledger.ts";
import { loadAndEnd, retryKeys } from "./crash/rounds.ts";
import { verifyMysql } from "./crash/verify-mysql.ts";
import { verifyPostgres } from "./crash/verify-postgres.ts";
import { testSecret } from "./fresh.ts";
import { needs, needsService } from "./needs.ts";
import { freshDatabase } from "./servers/databases.ts";
import { startMariadb } from "./servers/mariadb.ts";
import { startMysql } from "./servers/mysql.ts";
import { hasPostgres, startPostgres } from "./servers/postgres.ts";
import type { Server } from "./servers/server.ts";
import { waitUntil } from "./servers/wait.ts";

/** DATABASE_CRASH_ROUNDS asks for more (20 take a minute or two), CRASH_SEED for others. */
const rounds = Number(process.env["DATABASE_CRASH_ROUNDS"] ?? 4);
const seed = Number(process.env["CRASH_SEED"] ?? 1);

interface Killed {
  readonly start: () => Promise<Server>;
  readonly verify: (url: string, ledger: Ledger) => Promise<string[]>;
}

describe("PostgreSQL under kills", needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18")), () =>
  crashTest({ start: () => startPostgres(), verify: verifyPostgres }),
);
// Ones of their own, as they are killed.
describe("MariaDB under kills", needsService("mariadb"), () => crashTest({ start: () => startMariadb(), verify: verifyMysql }));
describe("MySQL under kills", needsService("mysql"), () => crashTest({ start: () => startMysql(), verify: verifyMysql }));

function crashTest({ start, verify }: Killed): void {
  test(`the database is killed ${rounds} times under load (seed ${seed})`, async (t) => {
    const server = await start();
    const { url } = server.url.startsWith("mysql:") ? await freshDatabase(server.url) : server;
    const logged: string[] = [];
    const app = await createApp(ledgerBackend, {
      database: url,
      secret: testSecret,
      port: 0,
      log: (text) => void logged.push(text),
    });
    const ledger = createLedger();
    try {
      const { port } = await app.start();
      const isReady = async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200;
      for (let round = 0; round < rounds; round++) {
        const afterMs = 500 + (((seed + round) * 97) % 700);
        const before = ledger.acknowledged;
        const end = async () => {
          await waitUntil(() => ledger.acknowledged > before, "nothing is acknowledged in this round");
          await server.kill();
        };
        await loadAndEnd(ledger, { port, seed: seed + round, afterMs, end });
        await waitUntil(async () => !(await isReady()), "health does not tell that the database is gone");
        await server.restart();
        await waitUntil(isReady, "the app does not heal");
        const faults = [...(await verify(url, ledger)), ...(await retryKeys(port, ledger)), ...(await verify(url, ledger))];
        assert.deepEqual(faults, [], `round ${round}`);
      }
      t.diagnostic(`${ledger.acknowledged} writes acknowledged in ${rounds} rounds`);
    } finally {
      await app.stop();
      await server.stop();
    }
    assert.ok(!logged.join("").includes(new URL(server.url).password), "no password is logged");
  });
}
