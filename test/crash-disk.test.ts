/** A disk that is full, and one that fails, as a caller sees them over HTTP: what is answered, and what is there afterwards. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { canMount, canTrace, failSyncs, withSmallDisk } from "./crash/disks.ts";
import { createLedger } from "./crash/ledger.ts";
import { kill, startServer } from "./crash/rounds.ts";
import { verify } from "./crash/verify.ts";
import { needs } from "./needs.ts";

const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

async function get(
  port: number,
  path: string,
): Promise<{ status: number; json: { readonly data: readonly unknown[]; readonly page: { readonly count: number } } }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, json: (await response.json()) as never };
}

interface Written {
  readonly status: number;
  readonly code: string | undefined;
}

async function write(port: number, number: number): Promise<Written> {
  const body = JSON.stringify({ id: idOf(number), tag: "x".repeat(100), value: number });
  const response = await fetch(`http://127.0.0.1:${port}/api/entries`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, code };
}

/** Writes until so many were refused. Gives what was acknowledged, and the refusals. */
async function writeUntilRefused(port: number, refusals: number): Promise<{ acknowledged: number[]; refused: Written[] }> {
  const acknowledged: number[] = [];
  const refused: Written[] = [];
  for (let number = 1; refused.length < refusals; number++) {
    assert.ok(number < 20_000, "nothing was ever refused");
    const written = await write(port, number);
    if (written.status === 201) acknowledged.push(number);
    else refused.push(written);
  }
  return { acknowledged, refused };
}

function assertKept(file: string, acknowledged: readonly number[]): void {
  const ledger = createLedger();
  for (const number of acknowledged) ledger.rows.set(idOf(number), { sure: number, maybe: null });
  assert.deepEqual(verify(file, ledger), []);
}

test(
  "a full disk: 507 for writes, reads go on, and writes too once there is room",
  needs("the right to mount a disk", canMount()),
  () =>
    withSmallDisk("6m", async (folder) => {
      const file = join(folder, "data.db");
      const { child, port } = await startServer(file, "honest");
      try {
        const filler = join(folder, "filler");
        writeFileSync(filler, Buffer.alloc(4_500_000));
        const { acknowledged, refused } = await writeUntilRefused(port, 10);
        assert.deepEqual([...new Set(refused.map(({ status, code }) => `${status} ${code}`))], ["507 database_full"]);
        assert.equal((await get(port, "/api/entries?limit=5")).json.data.length, 5);
        assert.equal((await get(port, `/api/entries/${idOf(1)}`)).status, 200);
        assert.equal((await get(port, "/health/ready")).status, 200);
        rmSync(filler);
        assert.equal((await write(port, 30_000)).status, 201);
        assertKept(file, [...acknowledged, 30_000]);
        const { page } = (await get(port, "/api/entries?limit=1&count=exact")).json;
        assert.equal(page.count, acknowledged.length + 1, "nothing that was refused is there");
      } finally {
        await kill(child);
      }
    }),
);

test(
  "a disk that does not sync: 503 for writes and for readiness, reads go on, and nothing acknowledged is lost",
  needs("strace", canTrace()),
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
    const file = join(folder, "data.db");
    try {
      const { child, port } = await startServer(file, "honest", failSyncs(40));
      const { acknowledged, refused } = await writeUntilRefused(port, 10);
      assert.ok(acknowledged.length > 0, "it failed too early");
      assert.deepEqual([...new Set(refused.map(({ status, code }) => `${status} ${code}`))], ["503 database_read_only"]);
      assert.deepEqual([(await get(port, "/health/ready")).status, (await get(port, "/health/live")).status], [503, 200]);
      assert.equal((await get(port, `/api/entries/${idOf(1)}`)).status, 200);
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
      const next = await startServer(file, "honest");
      assertKept(file, acknowledged);
      assert.equal((await get(next.port, "/health/ready")).status, 200);
      assert.equal((await write(next.port, 30_000)).status, 201);
      await kill(next.child);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
