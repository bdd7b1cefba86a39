/** kill -9 of the database under load, again and again: nothing acknowledged is lost, no key is doubled, and the app stays up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "holdfast";
import { ledgerBackend } from "./crash/backend.ts";
import { createLedger } from "./crash/ledger.ts";
import { loadAndEnd, retryKeys } from "./crash/rounds.ts";
import { verifyPostgres } from "./crash/verify-postgres.ts";
import { testSecret } from "./fresh.ts";
import { needs } from "./needs.ts";
import { hasPostgres, startPostgres } from "./servers/postgres.ts";
import { waitUntil } from "./servers/wait.ts";

/** DATABASE_CRASH_ROUNDS asks for more (20 take a minute or two), CRASH_SEED for others. */
const rounds = Number(process.env["DATABASE_CRASH_ROUNDS"] ?? 4);
const seed = Number(process.env["CRASH_SEED"] ?? 1);

test(
  `the database is killed ${rounds} times under load (seed ${seed})`,
  needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18")),
  async (t) => {
    const server = await startPostgres();
    const logged: string[] = [];
    const app = await createApp(ledgerBackend, {
      database: server.url,
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
        await loadAndEnd(ledger, { port, seed: seed + round, afterMs, end: () => server.kill() });
        await waitUntil(async () => !(await isReady()), "health does not tell that the database is gone");
        await server.restart();
        await waitUntil(isReady, "the app does not heal");
        const verify = () => verifyPostgres(server.url, ledger);
        const faults = [...(await verify()), ...(await retryKeys(port, ledger)), ...(await verify())];
        assert.deepEqual(faults, [], `round ${round}`);
        assert.ok(ledger.acknowledged > before, "nothing was acknowledged in this round");
      }
      t.diagnostic(`${ledger.acknowledged} writes acknowledged in ${rounds} rounds`);
    } finally {
      await app.stop();
      await server.stop();
    }
    assert.ok(!logged.join("").includes(new URL(server.url).password), "no password is logged");
  },
);
