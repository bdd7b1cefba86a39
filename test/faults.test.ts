/** Connections to the database that are lost before and after the commit, in every way: what is answered, and what is written. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Way } from "./faults/proxy.ts";
import { openSite } from "./faults/site.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";
import { waitUntil } from "./servers/wait.ts";

const need = needsService("postgres");

void describe("a connection that is lost", need, async () => {
  if (need.skip !== false) return;
  const site = await openSite(serviceUrl("postgres"));
  after(() => site.close());
  const ways: readonly Way[] = ["reset", "close", "silence"];

  for (const way of ways) {
    for (const when of ["before", "after"] as const) {
      const commit = { on: "commit\0", answer: "COMMIT\0", when, way };
      const written = when === "after" ? 1 : 0;

      test(`${way} ${when} the commit of a write: nobody knows, and says so`, async () => {
        const tag = `unit-${way}-${when}`;
        const struck = site.proxy.plant(commit);
        const { status, code, retryAfter } = await site.write(tag);
        await struck;
        assert.deepEqual({ status, code, retryAfter }, { status: 503, code: "write_outcome_unknown", retryAfter: "1" });
        assert.deepEqual(await site.count(tag), { rows: written, changes: written });
        assert.equal((await site.write(tag)).status, 201, "the next write has a connection");
      });

      test(`${way} ${when} the commit of a keyed write: the retry makes it one`, async () => {
        const tag = `keyed-${way}-${when}`;
        const struck = site.proxy.plant(commit);
        const { status, code } = await site.write(tag, tag);
        await struck;
        assert.deepEqual({ status, code }, { status: 503, code: "write_outcome_unknown" });
        assert.equal((await site.count(tag)).rows, written);
        const again = await site.write(tag, tag);
        assert.deepEqual([again.status, again.isReplay], [201, when === "after"]);
        const third = await site.write(tag, tag);
        assert.deepEqual([third.status, third.isReplay, third.body], [201, true, again.body]);
        assert.deepEqual(await site.count(tag), { rows: 1, changes: 1 });
      });
    }

    test(`${way} within a transaction, before its commit: nothing was written, and that is said`, async () => {
      const tag = `pair-${way}`;
      const struck = site.proxy.plant({ on: `savepoint unit`, answer: "SAVEPOINT\0", when: "after", way });
      const { status, code, retryAfter } = await site.pair(tag);
      await struck;
      assert.deepEqual({ status, code, retryAfter }, { status: 503, code: "database_unreachable", retryAfter: "1" });
      assert.deepEqual(await site.count(tag), { rows: 0, changes: 0 });
      assert.equal((await site.pair(tag)).status, 200);
      assert.deepEqual(await site.count(tag), { rows: 2, changes: 2 });
    });

    test(`${way} while a read waits for its answer`, async () => {
      const tag = `read-${way}`;
      await site.write(tag);
      const struck = site.proxy.plant({ on: tag, answer: "SELECT 1\0", when: "after", way });
      const { status, code } = await site.list(tag);
      await struck;
      // A silent server has used up the time of the read; else it is asked again.
      if (way === "silence") assert.deepEqual({ status, code }, { status: 503, code: "database_unreachable" });
      else assert.equal(status, 200);
      assert.equal((await site.list(tag)).status, 200);
    });
  }

  test("a retry without a key is what doubles a write", async () => {
    const struck = site.proxy.plant({ on: "commit\0", answer: "COMMIT\0", when: "after", way: "reset" });
    assert.equal((await site.write("doubled")).status, 503);
    await struck;
    assert.equal((await site.write("doubled")).status, 201);
    assert.deepEqual(await site.count("doubled"), { rows: 2, changes: 2 });
  });

  test("a slow answer is no lost one", async () => {
    site.proxy.delay(200);
    assert.equal((await site.write("slow", "slow")).status, 201);
    site.proxy.delay(0);
    assert.deepEqual(await site.count("slow"), { rows: 1, changes: 1 });
  });

  test("a network that is silent and then there again: every request ends, health tells, and no restart is needed", async () => {
    const isReady = async () => (await site.ask("GET", "/health/ready")).status === 200;
    await Promise.all([site.write("warm"), site.list("warm"), site.pair("warm")]);
    site.proxy.silence();
    const replies = await Promise.all([site.write("gone"), site.list("gone"), site.pair("gone"), site.write("gone", "gone")]);
    for (const { status } of replies) assert.equal(status, 503);
    await waitUntil(async () => !(await isReady()), "health does not tell that the database is gone");
    assert.equal((await site.ask("GET", "/health/live")).status, 200);
    site.proxy.heal();
    await waitUntil(isReady, "the pool does not heal");
    const [keyed, plain, list] = await Promise.all([site.write("gone", "gone"), site.write("here"), site.list("here")]);
    assert.deepEqual([keyed.status, plain.status, list.status], [201, 201, 200]);
    assert.equal((await site.count("here")).rows, 1);
  });

  test("a server that refuses connections and then takes them again", async () => {
    const isReady = async () => (await site.ask("GET", "/health/ready")).status === 200;
    site.proxy.refuse();
    const replies = await Promise.all([site.write("refused"), site.list("refused"), site.pair("refused")]);
    for (const { status, code } of replies) assert.deepEqual([status, code], [503, "database_unreachable"]);
    assert.deepEqual(JSON.parse((await site.ask("GET", "/health/ready")).body), { status: "unreachable" });
    site.proxy.heal();
    await waitUntil(isReady, "the pool does not heal");
    assert.equal((await site.write("again")).status, 201);
    assert.deepEqual(await site.count("refused"), { rows: 0, changes: 0 });
  });
});
