/** What holds of workers on any database: who dies is replaced, nothing acknowledged is lost, single use is single, the schema is made once. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createApp } from "holdfast";
import { openDatabase } from "../../src/app/wire.ts";
import { readEntries } from "../../src/engine/migrate/journal/journal.ts";
import { testSecret } from "../fresh.ts";
import { createLedger, type Ledger, work } from "../crash/ledger.ts";
import { faultyStore } from "../races/backend.ts";
import { ask, askOn, backendOf, type Line, nextReady, openLine, type Site, startSite } from "./site.ts";

export const ledgerFiles = backendOf("test/crash/backend.ts", "ledgerBackend");
export const clients = 12;
export const writesBefore = 150;

/** Where the workers keep their rows. */
export interface WorkersPlace {
  /** The URL of an empty database, which is gone after the test; none for a file in the folder of the workers. */
  readonly open: (t: TestContext) => Promise<string | undefined>;
  /** What is wrong with the rows, by what the clients know. */
  readonly verify: (url: string, ledger: Ledger) => Promise<readonly string[]>;
}

/** Connections until both workers have one; the balance is not the point here. */
async function openLines(site: Site): Promise<Line[]> {
  const lines: Line[] = [];
  while (new Set(lines.map(({ worker }) => worker)).size < site.pids.size) lines.push(await openLine(site));
  return lines;
}

export function promiseTests(place: WorkersPlace): void {
  testDeath(place);
  testSingleUse(place);
}

function testDeath({ open, verify }: WorkersPlace): void {
  void test("one that is killed under load is replaced; the others go on, and what was acknowledged is there", async (t) => {
    const site = await startSite(t, ledgerFiles, { server: await open(t) });
    const lines = await openLines(site);
    const ledger = createLedger();
    const state = { over: false, killed: false };
    const isOver = () => {
      if (!state.killed && ledger.acknowledged >= writesBefore) {
        state.killed = true;
        process.kill(site.pids.get(1) as number, "SIGKILL");
      }
      return state.over;
    };
    const target = { port: site.port, random: Math.random, newId: () => crypto.randomUUID(), isOver };
    const working = Array.from({ length: clients }, () => work(ledger, target));
    await site.running.said(/"msg":"worker_died".*SIGKILL.*"worker":1\}/);
    for (const { socket, worker } of lines) if (worker === 2) await askOn(socket);
    const { number, pid } = await nextReady(site.running);
    assert.deepEqual([number, pid === site.pids.get(1)], [1, false]);
    const again = await openLines(site);
    const { acknowledged } = ledger;
    const late = { ...target, isOver: () => ledger.acknowledged >= acknowledged + writesBefore };
    await Promise.all(Array.from({ length: clients }, () => work(ledger, late)));
    state.over = true;
    await Promise.all(working);
    for (const { socket } of [...lines, ...again]) socket.destroy();
    assert.deepEqual(await verify(site.database, ledger), []);
    assert.equal(await site.running.stop(), 0);
  });
}

function testSingleUse({ open }: WorkersPlace): void {
  void test("one key that is tried a hundred times at once has one effect", async (t) => {
    const site = await startSite(t, ledgerFiles, { server: await open(t) });
    const body = { tag: "once", value: 1 };
    const tries = Array.from({ length: 100 }, (_, index) =>
      ask(site, "/api/entries", {
        method: "POST",
        body,
        headers: { "idempotency-key": '"one"', "x-request-id": `try-${index}` },
      }),
    );
    const answers = await Promise.all(tries);
    const made = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status, body: text }) => status === 409 && text.includes("idempotency_in_progress"));
    assert.equal(made.length + waiting.length, answers.length);
    assert.equal(new Set(made.map(({ body: text }) => text)).size, 1, "all are answered alike, or told to wait");
    const { body: rows } = await ask(site, "/api/entries?filter[tag]=once");
    assert.equal((JSON.parse(rows) as { data: unknown[] }).data.length, 1);
    const served = new Set<string | undefined>();
    for (const _ of tries) served.add((await site.running.said(/"requestId":"try-\d+".*"worker":(\d+)\}/))[1]);
    assert.equal(served.size, 2, "both workers were asked");
    assert.equal(await site.running.stop(), 0);
  });

  void test("of fifty buyers of one copy one gets it, whichever worker is asked", async (t) => {
    const site = await startSite(t, backendOf("test/races/backend.ts", "faultyStore"), { server: await open(t) });
    const app = await createApp(faultyStore, { database: site.database, secret: testSecret, log: false });
    t.after(() => app.stop());
    const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
    await app.system.customers.createMany(ids.map((id) => ({ id, name: id })));
    const film = await app.system.films.create({ number: 1, title: "Film", price: "9.90", cost: "5.00", stock: 1 });
    const tokens = await Promise.all(ids.map((sub) => app.mint({ sub, roles: ["customer"] })));
    const body = { lines: [{ film: film.id, quantity: 1 }] };
    const answers = await Promise.all(
      tokens.map((token) => ask({ ...site, token }, "/api/actions/checkout", { method: "POST", body })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, ...Array.from({ length: 49 }, () => 409)],
    );
    assert.equal((await app.system.films.get(film.id)).stock, 0);
  });

  void test("the schema is made once, and a cursor of one worker is good at the other", async (t) => {
    const site = await startSite(t, ledgerFiles, { server: await open(t) });
    for (let value = 0; value < 12; value++) await ask(site, "/api/entries", { method: "POST", body: { tag: "page", value } });
    const values: number[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const after: string = next === "" ? "" : `&after=${encodeURIComponent(next)}`;
      const { body } = await ask(site, `/api/entries?sort=value&limit=2${after}`);
      const page = JSON.parse(body) as { data: { value: number }[]; page: { next: string | null } };
      values.push(...page.data.map(({ value }) => value));
      ({ next } = page.page);
    }
    assert.deepEqual(values, [...Array(12).keys()]);
    const { database } = await openDatabase(site.database, () => undefined);
    t.after(() => database.close());
    assert.equal((await readEntries(database)).length, 1);
  });
}
