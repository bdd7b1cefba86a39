/** Replicas that are not what they should be: started anew from an older state, of another cluster, or following nobody. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { needs } from "./needs.ts";
import { startCluster } from "./replicas/cluster.ts";
import { hasPostgres, queryOnce, startPostgres } from "./servers/postgres.ts";
import { startReplica } from "./servers/replica.ts";
import { waitUntil } from "./servers/wait.ts";

const need = needs("PostgreSQL 18 (npm ci brings it)", hasPostgres("18"));
const ann = { as: "ann" };
const bob = { as: "bob" };

void describe("a replica that is not what it should be", need, async () => {
  if (need.skip !== false) return;
  const cluster = await startCluster();
  const { primary, replica } = cluster;
  const stranger = await startPostgres();
  const strangersReplica = await startReplica(stranger);
  after(async () => {
    await cluster.stop();
    await strangersReplica.stop();
    await stranger.stop();
  });

  test("the primary itself, a server without kin, and a standby of another cluster are refused, and the reason is told", async () => {
    for (const [url, why] of [
      [primary.url, /it is no standby/],
      [stranger.url, /it is no standby/],
      [strangersReplica.url, /a standby of another cluster/],
    ] as const) {
      const node = await cluster.openNode({ replicas: [url], replicaReads: "process" });
      assert.equal(node.follower().state, "foreign");
      await node.write("kin", 1);
      assert.equal((await node.countReads(() => node.list("kin", bob))).reads, 0);
      const health = await node.ask("GET", "/health/ready");
      assert.deepEqual([health.status, JSON.parse(health.body)], [200, { status: "ready", replicas: ["foreign"] }]);
      await node.app.stop();
      const lines = node.logged
        .join("")
        .split("\n")
        .filter((line) => line.includes("replica_foreign"));
      assert.equal(lines.length, 1, "it is told once");
      assert.match(lines[0] ?? "", why);
    }
  });

  test("whose kin nobody may know is refused, with the mend", async () => {
    await queryOnce(primary.url, "create role reader login password 'reader' in role pg_read_all_data");
    await queryOnce(primary.url, "revoke execute on function pg_control_system() from public");
    const standby = new URL(replica.url);
    [standby.username, standby.password] = ["reader", "reader"];
    const node = await cluster.openNode({ replicas: [standby.href] });
    await waitUntil(() => node.logged.join("").includes("grant execute on pg_control_system()"), "the mend is not told");
    assert.equal(node.follower().state, "foreign");
    await queryOnce(primary.url, "grant execute on function pg_control_system() to public");
    await node.becomes("ready");
  });

  test("one that is promoted answers nobody any more", async () => {
    const urls = { database: stranger.url, replicas: [strangersReplica.url] };
    const node = await cluster.openNode({ ...urls, replicaReads: "process" });
    await node.becomes("ready");
    await node.write("promoted", 1, ann);
    await waitUntil(async () => (await node.countReads(() => node.list("promoted", ann))).reads === 1, "it does not answer");
    await queryOnce(strangersReplica.url, "select pg_promote()");
    await node.becomes("foreign");
    assert.equal((await node.countReads(() => node.list("promoted", bob))).reads, 0);
  });

  test("back from an older state, it is never asked for what is beyond that, while it is gone and after it", async () => {
    const node = await cluster.openNode({ replicaReads: "process" });
    const isServed = async (asked: object) => (await node.countReads(() => node.list("back", asked))).reads === 1;
    await node.becomes("ready");
    await node.write("back", 1, ann);
    await waitUntil(() => isServed(ann), "the replica does not get the first write");
    await replica.catchUp();
    await replica.keep();
    await node.becomes("ready");
    // It has looked at the replica once, and hears of its end by nothing but a read.
    const sleeper = await cluster.openNode({ replicaReads: "process", databaseLimits: { replicaPollMs: 600_000 } });
    const { position } = await sleeper.write("back", 2, ann);
    await waitUntil(async () => {
      await sleeper.list("back", bob);
      return (await sleeper.countReads(() => sleeper.list("back", ann))).reads === 1;
    }, "the replica does not answer who looks no more");
    const token = { headers: { "holdfast-position": position ?? "" } };
    await waitUntil(() => isServed(token), "the replica does not get the second write");
    const state = { over: false };
    const seen = new Set<string>();
    const readers = [{}, bob, ann, bob]
      .map((as) => ({ ...as, ...token }))
      .map(async (asked) => {
        while (!state.over) seen.add(JSON.stringify((await node.list("back", asked)).values));
      });
    try {
      await replica.rewind();
      // Who wrote nothing may see what was: by that it is known that the replica answers again, and is in the past.
      await waitUntil(async () => {
        const { result, reads } = await node.countReads(() => node.list("back", bob));
        return reads > 0 && JSON.stringify(result.values) === "[1]";
      }, "the replica does not come back in the past");
      for (let more = 0; more < 20; more++) seen.add(JSON.stringify((await node.list("back", token)).values));
      seen.add(JSON.stringify((await sleeper.list("back", ann)).values));
    } finally {
      state.over = true;
      await Promise.all(readers);
    }
    assert.deepEqual([...seen], ["[1,2]"]);
  });
});
