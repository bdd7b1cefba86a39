/** Watching the change feed: asleep until something is committed, woken by any process, and nothing missed where no word comes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client } from "pg";
import type { Database } from "../src/drivers/database.ts";
import type { PlacedChange } from "../src/engine/feed.ts";
import type { WatchFeed } from "../src/engine/watch.ts";
import { perform } from "./feed/notes.ts";
import { openPlace, type Place } from "./feed/places.ts";
import { startWriters } from "./feed/processes.ts";
import { assertWhole } from "./feed/tail.ts";
import { needsService } from "./needs.ts";
import { queryOnce } from "./servers/postgres.ts";
import { serviceUrl } from "./servers/names.ts";
import { waitUntil } from "./servers/wait.ts";

/** Longer than any test: what comes was not found by looking. */
const never = 3_600_000;
const patienceMs = 1_500;

const tests = (server: () => string | null) => [wakeTests, placeTests].forEach((register) => register(server));

describe("SQLite", () => tests(() => null));
describe("PostgreSQL 18", needsService("postgres"), () => {
  tests(() => serviceUrl("postgres"));
  lossTests(() => serviceUrl("postgres"));
});
describe("PostgreSQL 15", needsService("postgres-15"), () => tests(() => serviceUrl("postgres-15")));
describe("MariaDB", needsService("mariadb"), () => tests(() => serviceUrl("mariadb")));
describe("MySQL", needsService("mysql"), () => tests(() => serviceUrl("mysql")));

/** Follows in the background, and holds what has come. */
function follow(watch: WatchFeed, options: { readonly after?: string | null; readonly pollMs?: number } = {}) {
  const end = new AbortController();
  const found: PlacedChange[] = [];
  const done = (async () => {
    for await (const record of watch({ ...options, signal: end.signal })) found.push(record);
  })();
  return {
    found,
    comes: (id: string) => waitUntil(() => found.some((record) => record.id === id), `${id} does not come`),
    async stop() {
      end.abort();
      await done;
    },
  };
}

const note = (id: string) => ({ id, body: "told", count: 0 });

function wakeTests(server: () => string | null): void {
  test("asks nothing while nothing happens, and has what another node commits", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    await node.system.notes.create(note("before"));
    const { watch, pages } = await place.openWatch();
    const following = follow(watch, { pollMs: never });
    await following.comes("before");
    // Listening may call for a look of its own when it begins; then it is quiet.
    await waitUntil(() => pages() === 0, "it does not come to rest");
    const commits = 5;
    for (let number = 0; number < commits; number++) {
      await node.system.notes.create(note(`n${number}`));
      await following.comes(`n${number}`);
    }
    // A commit may be told of twice.
    const asked = pages();
    assert.ok(asked <= 3 * commits, `${asked} pages for ${commits} commits`);
    await following.stop();
  });

  test("a process that writes is heard by one that sleeps, and every record comes once", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    for (const number of [0, 1, 2]) await node.system.notes.create({ ...note(`shared-${number}`) });
    const { watch } = await place.openWatch();
    const following = follow(watch, { pollMs: never });
    const writers = await startWriters(place.url, ["left", "right"], 4);
    await writers.done;
    const [row] = await place.query(`select count(*) from "_changes"`);
    await waitUntil(() => following.found.length >= Number(row?.[0]), "a record is missing");
    await following.stop();
    await assertWhole(following.found, place);
  });
}

function placeTests(server: () => string | null): void {
  test("starts behind a position, and gives each record with its own", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    await node.system.notes.createMany(["a", "b", "c"].map(note));
    const { watch } = await place.openWatch();
    const ids: string[] = [];
    let position: string | null = null;
    for (let run = 0; run < 3; run++) {
      for await (const record of watch({ after: position })) {
        ids.push(record.id);
        ({ position } = record);
        break;
      }
    }
    assert.deepEqual(ids, ["a", "b", "c"]);
    await assert.rejects(watch({ after: "none" }).next(), { code: "invalid_cursor" });
    await assert.rejects(watch({ pollMs: 0 }).next(), /pollMs/);
  });

  test("ends when it is told to, at once or in its sleep, and when the database is closed", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    assert.deepEqual(await node.engine.watchChanges({ signal: AbortSignal.abort() }).next(), { value: undefined, done: true });
    const end = new AbortController();
    const asleep = node.engine.watchChanges({ signal: end.signal, pollMs: never }).next();
    await node.engine.readChanges();
    end.abort();
    assert.deepEqual(await asleep, { value: undefined, done: true });
    const closed = node.engine.watchChanges({ pollMs: never }).next();
    await node.engine.readChanges();
    await node.close();
    assert.deepEqual(await closed, { value: undefined, done: true });
  });

  test("looks by itself where no word comes", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    const { watch } = await place.openWatch(() => ({ listen: () => () => {} }));
    const following = follow(watch, { pollMs: 20 });
    await node.system.notes.create(note("unheard"));
    await following.comes("unheard");
    await following.stop();
  });

  test("a late commit is not skipped by who was woken before it", async () => {
    await using place = await openPlace(server());
    const [slow, quick] = [await place.openNode(), await place.openNode()];
    const { watch } = await place.openWatch();
    const following = follow(watch, { pollMs: never });
    // SQLite has one writer: there nobody is quicker.
    if (server() === null) await quick.system.notes.create(note("early"));
    else
      await perform(slow, async (tx) => {
        await tx.notes.create(note("late"));
        await quick.system.notes.create(note("early"));
      });
    await quick.system.notes.create(note("last"));
    await following.comes("last");
    await following.stop();
    await assertWhole(following.found, place);
  });
}

/** Ends the connection that listens in that database. */
async function cutEar(place: Place): Promise<void> {
  const [row] = await queryOnce(
    place.url,
    "select count(pg_terminate_backend(pid))::int as ended from pg_stat_activity where datname = current_database() and query like 'listen%'",
  );
  assert.equal(row?.["ended"], 1);
}

function isListening(place: Place): Promise<boolean> {
  const text = "select 1 from pg_stat_activity where datname = current_database() and query like 'listen%' and state = 'idle'";
  return queryOnce(place.url, text).then((rows) => rows.length === 1);
}

/** What is committed while nobody listens, looked for after somebody listens again; `floor` and `spurious` as the product has both. */
async function loseWord(server: string, { pollMs, spurious }: { readonly pollMs: number; readonly spurious: boolean }) {
  await using place = await openPlace(server);
  const node = await place.openNode();
  const ear = { deaf: false, calls: 0 };
  const { watch } = await place.openWatch((database: Database) => ({
    listen: (wake, newest) => {
      const heard = () => {
        ear.calls++;
        if (!ear.deaf) wake();
      };
      return database.listen?.(heard, newest) ?? (() => {});
    },
  }));
  const following = follow(watch, { pollMs });
  await node.system.notes.create(note("before"));
  await following.comes("before");
  await waitUntil(() => isListening(place), "nobody listens");
  ear.deaf = true;
  await cutEar(place);
  await node.system.notes.create(note("unheard"));
  const calls = { before: ear.calls };
  if (spurious) ear.deaf = false;
  await waitUntil(() => isListening(place), "nobody listens again");
  await waitUntil(() => ear.calls > calls.before, "listening again calls nobody");
  ear.deaf = false;
  const endMs = performance.now() + patienceMs;
  await waitUntil(() => following.found.some(({ id }) => id === "unheard") || performance.now() > endMs, "there is no end");
  await following.stop();
  return following.found.map(({ id }) => id);
}

function lossTests(server: () => string): void {
  test("the connection that listens is cut off: what is committed meanwhile comes once it listens again", async () => {
    assert.deepEqual(await loseWord(server(), { pollMs: never, spurious: true }), ["before", "unheard"]);
  });

  test("without the call after listening anew, looking by itself finds it", async () => {
    assert.deepEqual(await loseWord(server(), { pollMs: 50, spurious: false }), ["before", "unheard"]);
  });

  test("without either, it is missing: the test above can fail", async () => {
    assert.deepEqual(await loseWord(server(), { pollMs: never, spurious: false }), ["before"]);
  });

  test("words go out after commits, many commits to a word, and not on the connections that write", async () => {
    await using place = await openPlace(server());
    const node = await place.openNode();
    const client = new Client({ connectionString: place.url });
    await client.connect();
    const senders: number[] = [];
    client.on("notification", ({ processId }) => void senders.push(processId));
    await client.query("listen holdfast_changes");
    const writes = 300;
    await Promise.all(Array.from({ length: writes }, (_, id) => node.system.notes.create(note(`n${id}`))));
    await waitUntil(() => senders.length > 0, "nobody is told");
    const { rows } = await client.query(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'holdfast' and query = 'commit'",
    );
    await client.end();
    const writers = rows.map(({ pid }: { pid: number }) => pid);
    assert.ok(writers.length > 0 && !senders.some((pid) => writers.includes(pid)), "who writes does not tell of it");
    assert.ok(senders.length < writes / 4, `${senders.length} words for ${writes} commits`);
  });
}
