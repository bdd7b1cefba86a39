/** Ten anomalies on every database, through the API: none happens in a transaction, and the page of the reference says how. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { perform } from "./feed/notes.ts";
import { openPlace, type Place } from "./feed/places.ts";
import { anomalies } from "./isolation/anomalies.ts";
import { play, playBare } from "./isolation/conductor.ts";
import { readTable } from "./isolation/page.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";

const page = readTable(readFileSync(new URL("../docs/reference/isolation.md", import.meta.url), "utf8"));

describe("SQLite", () => {
  anomalyTests("SQLite", () => null);
  singleTests(() => null);
});
describe("PostgreSQL 18", needsService("postgres"), () => postgresTests(() => serviceUrl("postgres")));
describe("PostgreSQL 15", needsService("postgres-15"), () => postgresTests(() => serviceUrl("postgres-15")));

function postgresTests(server: () => string): void {
  anomalyTests("PostgreSQL", server);
  singleTests(server);
  conflictTests(server);
}

/** Long enough that no transaction is undone for having to wait for its turn. */
const patience = { transactionTimeoutMs: 60_000 };

const waitingText =
  "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and wait_event_type = 'Lock'";

function anomalyTests(column: string, server: () => string | null): void {
  const opened: Place[] = [];
  after(async () => {
    for (const place of opened) await place[Symbol.asyncDispose]();
  });
  const open = async () => {
    const place = await openPlace(server());
    opened.push(place);
    const isServer = server() !== null;
    const countWaiting = isServer ? async () => Number((await place.query(waitingText))[0]?.[0]) : null;
    return { app: await place.openNode(patience), countWaiting };
  };
  const shared: { made: ReturnType<typeof open> | null } = { made: null };

  for (const anomaly of anomalies) {
    const { code, title } = anomaly;
    test(`${code}, ${title}, does not happen, and the page says how`, async () => {
      const { app, countWaiting } = await (shared.made ??= open());
      const { happened, how } = await play(anomaly, app, countWaiting);
      assert.equal(happened, false);
      assert.equal(page.get(`${code} ${title}`)?.get(column), how);
    });

    test(`${code} without transactions is caught`, async () => {
      const { app } = await (shared.made ??= open());
      assert.equal(await playBare(anomaly, app), true);
    });
  }

  test("the page has these anomalies and no others", () => {
    assert.deepEqual(
      [...page.keys()],
      anomalies.map(({ code, title }) => `${code} ${title}`),
    );
  });
}

/** What a read is that stands in no transaction: one statement, which sees what was committed when it began. */
function singleTests(server: () => string | null): void {
  test("a read without a transaction sees all of a transaction or nothing, and the next one may see more", async () => {
    await using place = await openPlace(server());
    const [app, other] = [await place.openNode(patience), await place.openNode(patience)];
    for (const id of ["x", "y"]) await app.system.notes.create({ id, body: "start", count: 10 });
    const counts = async () => (await other.system.notes.list({ orderBy: "id" })).data.map(({ count }) => count);
    const seen: unknown[] = [];
    await perform(app, async (tx) => {
      await tx.notes.update("x", { count: 11 });
      seen.push(await counts());
      await tx.notes.update("y", { count: 11 });
      seen.push(await counts());
    });
    seen.push(await counts());
    assert.deepEqual(seen, [
      [10, 10],
      [10, 10],
      [11, 11],
    ]);
  });
}

const retriesMax = 10;

function conflictTests(server: () => string): void {
  test("a transaction that meets a conflict every time is run so often and no more, and answers 409", async () => {
    await using place = await openPlace(server());
    const [app, other] = [await place.openNode(patience), await place.openNode(patience)];
    await app.system.notes.create({ id: "x", body: "start", count: 0 });
    let runs = 0;
    const conflict = perform(app, async (tx) => {
      runs++;
      const { count } = await tx.notes.get("x");
      await other.system.notes.update("x", { body: `in the way ${runs}` });
      await tx.notes.update("x", { count: count + 1 });
    });
    await assert.rejects(conflict, { code: "database_conflict", status: 409 });
    assert.equal(runs, retriesMax + 1);
    const { count, body } = await app.system.notes.get("x");
    assert.deepEqual([count, body], [0, `in the way ${runs}`], "nothing of it is left");
  });

  test("one that meets a conflict until its last run succeeds", async () => {
    await using place = await openPlace(server());
    const [app, other] = [await place.openNode(patience), await place.openNode(patience)];
    await app.system.notes.create({ id: "x", body: "start", count: 0 });
    let runs = 0;
    await perform(app, async (tx) => {
      runs++;
      const { count } = await tx.notes.get("x");
      if (runs <= retriesMax) await other.system.notes.update("x", { body: `in the way ${runs}` });
      await tx.notes.update("x", { count: count + 1 });
    });
    assert.deepEqual([runs, (await app.system.notes.get("x")).count], [retriesMax + 1, 1]);
  });
}
