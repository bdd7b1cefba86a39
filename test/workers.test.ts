/** Several workers on one port and one file: who dies is replaced, nothing acknowledged is lost, single use is single, all end together. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { launch, notesBackend, openFolder } from "./cli/run.ts";
import { createLedger, work } from "./crash/ledger.ts";
import { retryKeys } from "./crash/rounds.ts";
import { verify } from "./crash/verify.ts";
import { clients, ledgerFiles, promiseTests, writesBefore } from "./workers/promises.ts";
import { ask, backendOf, nextReady, nextWriter, type Site, startSite } from "./workers/site.ts";

const callingFiles = backendOf("test/workers/backend.ts", "callingBackend");

describe("workers on SQLite", () =>
  promiseTests({ open: async () => undefined, verify: async (url, ledger) => verify(url.slice("sqlite:".length), ledger) }));

describe("a worker that is killed", () => {
  test("leaves nobody waiting whose connection was on its way to it", async (t) => {
    const { running, pids, port } = await startSite(t, ledgerFiles);
    // It takes in nothing any more, and is not gone yet.
    process.kill(pids.get(1) as number, "SIGSTOP");
    let ended = 0;
    const ends = Array.from({ length: 6 }, async () => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk)));
      socket.on("error", () => null);
      socket.write("GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      // Its end is what is asked for, an error as well.
      await new Promise((resolve) => socket.once("close", resolve));
      ended++;
      return text.slice(0, 12);
    });
    // One connection at a time is on its way to a worker; the others go to the one that is alive.
    while (ended < ends.length - 1) await new Promise(setImmediate);
    process.kill(pids.get(1) as number, "SIGKILL");
    const answers = await Promise.all(ends);
    assert.deepEqual(answers.toSorted(), ["", ...Array.from({ length: 5 }, () => "HTTP/1.1 200")]);
    assert.equal(await running.stop(), 0);
  });

  test("again and again is given up, and all end", async (t) => {
    const { running, pids } = await startSite(t, ledgerFiles);
    process.kill(pids.get(2) as number, "SIGKILL");
    for (let death = 1; death < 6; death++) process.kill((await nextReady(running)).pid, "SIGKILL");
    await running.said(/Worker 2 has ended 6 times in a row[^]*ended by SIGKILL/);
    assert.equal(await running.ended, 1);
  });
});

describe("the process that writes for all workers", () => {
  /** Clients at work until the ledger has so many more acknowledgements, or nothing more is answered. */
  const workOn = (site: Site, ledger: ReturnType<typeof createLedger>, more: number) => {
    const last = ledger.acknowledged + more;
    const target = { port: site.port, random: Math.random, newId: () => crypto.randomUUID() };
    return Array.from({ length: clients }, () => work(ledger, { ...target, isOver: () => ledger.acknowledged >= last }));
  };

  test("killed under load is replaced: what was acknowledged is there, the rest is answered, and a key makes it once", async (t) => {
    const site = await startSite(t, ledgerFiles);
    const ledger = createLedger();
    for (let round = 0, { writer } = site; round < 3; round++) {
      await Promise.all(workOn(site, ledger, writesBefore));
      const state = { over: false };
      const target = { port: site.port, random: Math.random, newId: () => crypto.randomUUID(), isOver: () => state.over };
      const working = Array.from({ length: clients }, () => work(ledger, target));
      const before = ledger.acknowledged;
      while (ledger.acknowledged < before + writesBefore) await new Promise(setImmediate);
      process.kill(writer, "SIGKILL");
      await site.running.said(/"msg":"writer_died".*SIGKILL/);
      writer = await nextWriter(site.running);
      // Nobody waits for ever: whose write was under way is told that it is not known what became of it, the others go on.
      state.over = true;
      await Promise.all(working);
      assert.deepEqual(await retryKeys(site.port, ledger), []);
      assert.deepEqual(verify(join(site.folder.path, "data.db"), ledger), []);
    }
    assert.equal(await site.running.stop(), 0);
  });

  test("stopped under load is killed and replaced: nobody waits for ever, what was acknowledged is there, a key makes it once", async (t) => {
    const env = { HOLDFAST_DATABASE_LIMITS: "writerSilenceMs=2000,busyTimeoutMs=1000" };
    const site = await startSite(t, ledgerFiles, { env });
    const ledger = createLedger();
    const working = workOn(site, ledger, Number.POSITIVE_INFINITY);
    while (ledger.acknowledged < writesBefore) await new Promise(setImmediate);
    process.kill(site.writer, "SIGSTOP");
    // Each of them is answered, though the disk, or whatever stopped it, never answers.
    await Promise.all(working);
    await site.running.said(/"msg":"writer_silent".*said nothing for 3000 ms/);
    await site.running.said(/"msg":"writer_died".*SIGKILL/);
    assert.notEqual(await nextWriter(site.running), site.writer);
    while ((await ask(site, "/health/ready")).status !== 200) await new Promise(setImmediate);
    await Promise.all(workOn(site, ledger, writesBefore));
    assert.deepEqual(await retryKeys(site.port, ledger), []);
    assert.deepEqual(verify(join(site.folder.path, "data.db"), ledger), []);
    assert.equal(await site.running.stop(), 0);
  });

  test("outlives a primary that is killed, until the last write is answered", async (t) => {
    const site = await startSite(t, ledgerFiles);
    const ledger = createLedger();
    const working = workOn(site, ledger, Number.POSITIVE_INFINITY);
    while (ledger.acknowledged < writesBefore) await new Promise(setImmediate);
    site.running.child.kill("SIGKILL");
    await Promise.all(working);
    // It ends when the last process that holds its output has ended.
    assert.equal(await site.running.ended, null);
    const left = readdirSync(site.folder.path).filter((name) => name.startsWith("data.db-"));
    assert.deepEqual(left, [], "the log was copied into the file");
    assert.deepEqual(verify(join(site.folder.path, "data.db"), ledger), []);
  });
});

/** A server that is called by an action, and answers when it is told to. */
async function openCallee(t: TestContext) {
  const called = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => called.resolve(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, called: called.promise };
}

/** A request that is in flight, and what lets it end. */
async function askSlowly(t: TestContext, site: Site) {
  const { url, called } = await openCallee(t);
  const answer = ask(site, "/api/actions/call", { method: "POST", body: { url } });
  const held = await called;
  return { answer, finish: () => held.end("done") };
}

describe("the end", () => {
  test("a signal lets all workers finish what is in flight", async (t) => {
    const site = await startSite(t, callingFiles);
    const slow = [await askSlowly(t, site), await askSlowly(t, site)];
    site.running.child.kill("SIGTERM");
    await site.running.said(/SIGTERM: finishing what is in flight/);
    for (const { finish } of slow) finish();
    for (const { answer } of slow) assert.match((await answer).body, /done/);
    assert.equal(await site.running.ended, 0);
  });

  test("a second signal ends them at once", async (t) => {
    const site = await startSite(t, callingFiles);
    const { answer } = await askSlowly(t, site);
    site.running.child.kill("SIGTERM");
    await site.running.said(/SIGTERM: finishing what is in flight/);
    site.running.child.kill("SIGTERM");
    await assert.rejects(answer);
    assert.equal(await site.running.ended, 1);
  });

  test("a primary that is killed takes its workers along, once they have answered", async (t) => {
    const site = await startSite(t, callingFiles);
    const { answer, finish } = await askSlowly(t, site);
    site.running.child.kill("SIGKILL");
    await once(site.running.child, "exit");
    finish();
    assert.match((await answer).body, /done/);
    // It ends when the last process that holds its output has ended.
    assert.equal(await site.running.ended, null);
  });

  test("a worker that cannot start ends the whole, with its reason", async (t) => {
    const broken = `${notesBackend}if (process.argv.includes("--worker")) throw new Error("no such luck");\n`;
    const running = launch(t, openFolder(t, { "backend.ts": broken }), ["start", "--port", "0", "--workers", "2"]);
    await running.said(/Worker \d could not be started[^]*no such luck[^]*Nothing is served/);
    assert.equal(await running.ended, 1);
  });

  test("what cannot be shared is refused, and so is a port that is taken", async (t) => {
    const folder = openFolder(t);
    const alone = launch(t, folder, ["start", "--workers", "2", "--database", "sqlite::memory:"]);
    await alone.said(/sqlite::memory: is private to one process: 2 workers cannot share it/);
    assert.equal(await alone.ended, 1);
    const wrong = launch(t, folder, ["start", "--workers", "many"]);
    await wrong.said(/--workers \(or HOLDFAST_WORKERS\) takes a whole number from 1 to 256, or auto/);
    assert.equal(await wrong.ended, 2);
    const { url } = await openCallee(t);
    const late = launch(t, folder, ["start", "--workers", "2", "--port", new URL(url).port]);
    await late.said(/Port \d+ is taken/);
    assert.equal(await late.ended, 1);
  });
});
