/** Ten anomalies on every database, through the API: none happens in a transaction, and the page of the reference says how. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { type NotesApp, perform } from "./feed/notes.ts";
import { openPlace, type Place } from "./feed/places.ts";
import { anomalies } from "./isolation/anomalies.ts";
import { play, playBare } from "./isolation/conductor.ts";
import { readTable } from "./isolation/page.ts";
import { countWaiting } from "./isolation/waiting.ts";
import { needsService } from "./needs.ts";
import { serviceUrl } from "./servers/names.ts";

const page = readTable(readFileSync(new URL("../docs/reference/isolation.md", import.meta.url), "utf8"));

describe("SQLite", () => {
  anomalyTests("SQLite", () => null, null);
  singleTests(() => null);
});
describe("PostgreSQL 18", needsService("postgres"), () => postgresTests(() => serviceUrl("postgres")));
describe("PostgreSQL 15", needsService("postgres-15"), () => postgresTests(() => serviceUrl("postgres-15")));
describe("MariaDB", needsService("mariadb"), () => lockTests("MariaDB", "mariadb"));
describe("MySQL", needsService("mysql"), () => lockTests("MySQL", "mysql"));

function lockTests(column: string, name: "mariadb" | "mysql"): void {
  const server = () => serviceUrl(name);
  anomalyTests(column, server, countWaiting[name]);
  singleTests(server);
  conflictTests(server, startCircle(countWaiting[name]));
}

function postgresTests(server: () => string): void {
  anomalyTests("PostgreSQL", server, countWaiting.postgres);
  singleTests(server);
  conflictTests(server, overtake);
}

const retriesMax = 10;
/** Long enough that no transaction is undone for having to wait for its turn. */
const patience = { transactionTimeoutMs: 60_000 };

type Count = (place: Place) => Promise<number>;

function anomalyTests(column: string, server: () => string | null, count: Count | null): void {
  const opened: Place[] = [];
  after(async () => {
    for (const place of opened) await place[Symbol.asyncDispose]();
  });
  const open = async () => {
    const place = await openPlace(server());
    opened.push(place);
    return { app: await place.openNode(patience), waiting: count === null ? null : () => count(place) };
  };
  const shared: { made: ReturnType<typeof open> | null } = { made: null };

  for (const anomaly of anomalies) {
    const { code, title } = anomaly;
    test(`${code}, ${title}, does not happen, and the page says how`, async () => {
      const { app, waiting } = await (shared.made ??= open());
      const { happened, how } = await play(anomaly, app, waiting);
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

/** What gets in the way of a transaction that has read `x` and is about to write it. */
interface Obstacle {
  readonly place: Place;
  readonly other: NotesApp;
  readonly number: number;
}
/** Resolves, with what is still under way, when the write is bound to fail. */
type Obstruct = (obstacle: Obstacle) => Promise<{ readonly done: Promise<unknown> }>;

/** Where readers hold nobody up: another has written it meanwhile. */
async function overtake({ other, number }: Obstacle): ReturnType<Obstruct> {
  await other.system.notes.update("x", { body: `in the way ${number}` });
  return { done: Promise.resolve() };
}

/** Where they do: another waits for the reader and has more to lose, so that of the two in the circle the reader is undone. */
function startCircle(count: Count): Obstruct {
  return async ({ place, other, number }) => {
    const state = { isOver: false };
    const done = perform(other, async (tx) => {
      for (const row of [1, 2, 3]) await tx.notes.create({ id: `${number}-${row}`, body: "weighs", count: 0 });
      await tx.notes.update("x", { body: `in the way ${number}` });
    }).finally(() => (state.isOver = true));
    while ((await count(place)) === 0) assert.equal(state.isOver, false, "it waits");
    return { done };
  };
}

function conflictTests(server: () => string, obstruct: Obstruct): void {
  async function open(place: Place): Promise<readonly [NotesApp, NotesApp]> {
    const [app, other] = [await place.openNode(patience), await place.openNode(patience)];
    await app.system.notes.create({ id: "x", body: "start", count: 0 });
    return [app, other];
  }

  test("a transaction that meets a conflict every time is run so often and no more, and answers 409", async () => {
    await using place = await openPlace(server());
    const [app, other] = await open(place);
    const others: Promise<unknown>[] = [];
    const conflict = perform(app, async (tx) => {
      const { count } = await tx.notes.get("x");
      others.push((await obstruct({ place, other, number: others.length + 1 })).done);
      await tx.notes.update("x", { count: count + 1 });
    });
    await assert.rejects(conflict, { code: "database_conflict", status: 409 });
    assert.equal(others.length, retriesMax + 1);
    await Promise.all(others);
    const { count, body } = await app.system.notes.get("x");
    assert.deepEqual([count, body], [0, `in the way ${others.length}`], "nothing of it is left");
  });

  test("one that meets a conflict until its last run succeeds", async () => {
    await using place = await openPlace(server());
    const [app, other] = await open(place);
    const others: Promise<unknown>[] = [];
    let runs = 0;
    await perform(app, async (tx) => {
      runs++;
      const { count } = await tx.notes.get("x");
      if (runs <= retriesMax) others.push((await obstruct({ place, other, number: runs })).done);
      await tx.notes.update("x", { count: count + 1 });
    });
    await Promise.all(others);
    assert.deepEqual([runs, (await app.system.notes.get("x")).count], [retriesMax + 1, 1]);
  });
}
