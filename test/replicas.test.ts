/** Reads from a streaming replica: never without the reader's own writes, never one that feeds a write, and not at all where it is gone. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { needs } from "./needs.ts";
import { startCluster } from "./replicas/cluster.ts";
import { hasPostgres } from "./servers/postgres.ts";
import { waitUntil } from "./servers/wait.ts";

const need = needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18"));

void describe("a replica that streams", need, async () => {
  if (need.skip !== false) return;
  const cluster = await startCluster();
  const { replica } = cluster;
  after(() => cluster.stop());
  const node = await cluster.openNode({ replicaReads: "process" });
  const ann = { as: "ann" };
  const bob = { as: "bob" };

  /** Resolves when the replica answers this reader. */
  const isServed = async (tag: string, asked = {}) => (await node.countReads(() => node.list(tag, asked))).reads === 1;
  const waitForReplica = (tag: string, asked = {}) => waitUntil(() => isServed(tag, asked), "the replica does not answer");

  test("answers who has written nothing, and the writer once it has the write", async () => {
    const { position } = await node.write("first", 1, ann);
    assert.match(position ?? "", /^[\w-]{30,60}$/, "a write tells its position");
    assert.deepEqual((await node.list("first", ann)).values, [1]);
    await waitForReplica("first", ann);
    const { result, reads } = await node.countReads(() => node.list("first", bob));
    assert.deepEqual({ values: result.values, reads }, { values: [1], reads: 1 });
    const one = JSON.parse(result.body) as { data: { id: string }[] };
    const got = await node.countReads(() => node.ask("GET", `/api/entries/${one.data[0]?.id}`, bob));
    assert.deepEqual([got.result.status, got.reads], [200, 1], "and a single row");
    assert.equal(result.position, null, "a read tells no position");
  });

  test("held back, it never answers the writer, nor who has the writer's token; others see what was", async () => {
    await node.write("held", 1, ann);
    await waitForReplica("held", ann);
    await replica.pause();
    const { position } = await node.write("held", 2, ann);
    const own = await node.countReads(() => node.list("held", ann));
    assert.deepEqual([own.result.values, own.reads], [[1, 2], 0]);
    const others = await node.countReads(() => node.list("held", bob));
    assert.deepEqual([others.result.values, others.reads], [[1], 1], "the replica's answer is the older one");
    const told = await node.countReads(() => node.list("held", { ...bob, headers: { "holdfast-position": position ?? "" } }));
    assert.deepEqual([told.result.values, told.reads], [[1, 2], 0]);
    for (const bad of ["", "nonsense", `x${position?.slice(1)}`, "a".repeat(5000)]) {
      const forged = await node.countReads(() => node.list("held", { ...bob, headers: { "holdfast-position": bad } }));
      assert.deepEqual([forged.result.values, forged.reads], [[1, 2], 0], "a token that says nothing leads to the primary");
    }
    await replica.resume();
    await waitForReplica("held", ann);
    assert.deepEqual((await node.list("held", ann)).values, [1, 2]);
  });

  test("a read that feeds a write is the primary's", async () => {
    await replica.pause();
    await node.write("fed", 1, ann);
    const fed = await node.countReads(async () => ({
      many: await node.ask("PATCH", "/api/entries?filter[tag]=fed&maxAffected=5", { ...bob, body: { value: 7 } }),
      pair: await node.ask("POST", "/api/actions/pair", { ...bob, body: { tag: "fed", value: 8 } }),
    }));
    assert.deepEqual([fed.result.many.status, fed.result.many.body], [200, '{"affected":1}']);
    assert.equal(fed.result.pair.status, 200);
    assert.equal(fed.reads, 0);
    assert.deepEqual(
      (await node.list("fed", bob)).values.toSorted((a, b) => a - b),
      [7, 8, 9],
    );
    assert.equal((await node.countReads(() => node.app.system.entries.list({}))).reads, 0, "nor is the code's own read");
    await replica.resume();
  });

  test("a keyed write's token holds for its replay, also on another process", async () => {
    const other = await cluster.openNode();
    await replica.pause();
    const headers = { "idempotency-key": '"replayed"' };
    const first = await node.write("replayed", 1, { ...ann, headers });
    const again = await other.write("replayed", 1, { ...ann, headers });
    assert.equal(again.body, first.body);
    for (const { position } of [first, again]) {
      const seen = await other.list("replayed", { ...ann, headers: { "holdfast-position": position ?? "" } });
      assert.deepEqual(seen.values, [1]);
    }
    await replica.resume();
  });

  test("on another process a signed-in caller needs the token, and a stranger does not", async () => {
    const other = await cluster.openNode();
    // Where the primary was when this one began to look.
    await waitUntil(
      async () => (await other.countReads(() => other.list("apart"))).reads === 1,
      "the replica does not get there",
    );
    await replica.pause();
    const { position } = await node.write("apart", 1, ann);
    const headers = { "holdfast-position": position ?? "" };
    const bare = await other.countReads(() => other.list("apart", ann));
    assert.deepEqual([bare.result.values, bare.reads], [[1], 0]);
    const told = await other.countReads(() => other.list("apart", { ...ann, headers }));
    assert.deepEqual([told.result.values, told.reads], [[1], 0]);
    const stranger = await other.countReads(() => other.list("apart"));
    assert.deepEqual([stranger.result.values, stranger.reads], [[], 1]);
    await replica.resume();
    await waitUntil(
      async () => (await other.countReads(() => other.list("apart", { ...ann, headers }))).reads === 1,
      "the replica does not answer who has the token",
    );
    assert.equal((await other.countReads(() => other.list("apart", ann))).reads, 0, "without it, the primary always does");
  });

  test("too far behind, it answers nobody, and health says so", async () => {
    const strict = await cluster.openNode({ replicaReads: "process", databaseLimits: { replicaLagMaxMs: 1 } });
    await strict.becomes("ready");
    await replica.pause();
    await strict.write("late", 1, ann);
    // It is behind once it has had its time to get to the write, however it was found before.
    await waitUntil(async () => {
      const { result, reads } = await strict.countReads(() => strict.list("late", bob));
      return reads === 0 && result.values.length === 1;
    }, "the replica goes on answering");
    await strict.becomes("behind");
    const health = await strict.ask("GET", "/health/ready");
    assert.deepEqual([health.status, JSON.parse(health.body)], [200, { status: "ready", replicas: ["behind"] }]);
    await replica.resume();
    await strict.becomes("ready");
    await waitUntil(() => strict.logged.join("").includes("replica_behind"), "the log does not tell that it was behind");
  });

  test("killed under load it costs no read, and comes back by itself", async () => {
    await node.becomes("ready");
    await node.write("killed", 1, ann);
    await waitForReplica("killed", bob);
    const state = { over: false };
    const readers = Promise.all(
      Array.from({ length: 8 }, async () => {
        const statuses = new Set<number>();
        while (!state.over) statuses.add((await node.list("killed", bob)).status);
        return [...statuses];
      }),
    );
    await replica.kill();
    await node.becomes("unreachable");
    const health = await node.ask("GET", "/health/ready");
    assert.deepEqual([health.status, JSON.parse(health.body)], [200, { status: "ready", replicas: ["unreachable"] }]);
    state.over = true;
    assert.deepEqual(new Set((await readers).flat()), new Set([200]));
    await node.write("killed", 2, ann);
    await replica.restart();
    await node.becomes("ready");
    await waitForReplica("killed", ann);
    assert.deepEqual((await node.list("killed", ann)).values, [1, 2]);
    const { password } = new URL(replica.url);
    assert.ok(!node.logged.join("").includes(password), "no password is logged");
  });
});
