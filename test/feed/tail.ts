/** Reads a feed to where it ends for now, and judges what was read against the table and against itself. */
import assert from "node:assert/strict";
import type { PlacedChange, ReadFeed } from "../../src/engine/feed.ts";
import type { Place } from "./places.ts";

/** Everything after a position that the feed gives now. */
export async function readOn(read: ReadFeed, after: string | null): Promise<{ found: PlacedChange[]; position: string | null }> {
  const found: PlacedChange[] = [];
  for (let position = after; ; ) {
    const page = await read({ after: position });
    found.push(...page.records);
    position = page.position;
    if (page.state !== "full") return { found, position };
  }
}

/** Reads on until it is done and there is nothing more: other tests on the same server may hold a record back for a while. */
export async function tail(
  read: ReadFeed,
  after: string | null = null,
  isDone: () => boolean = () => true,
): Promise<PlacedChange[]> {
  const found: PlacedChange[] = [];
  for (let position = after; ; ) {
    const wasDone = isDone();
    const page = await read({ after: position });
    found.push(...page.records);
    position = page.position;
    if (page.state === "end" && wasDone) return found;
    if (page.state !== "full") await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Every record of the table once, each row's versions in their order, and together they make the rows that are there. */
export async function assertWhole(found: readonly PlacedChange[], place: Place): Promise<void> {
  const records = await place.query(`select "model", "row_id", "kind", "version", "after" from "_changes"`);
  const name = (...parts: readonly unknown[]) => parts.map(String).join(" ");
  const there = records.map(([, id, kind, version]) => name(id, kind, version)).toSorted();
  assert.deepEqual(found.map(({ id, kind, version }) => name(id, kind, version)).toSorted(), there, "every record, each once");
  const images = new Map<string, unknown>();
  const versions = new Map<string, number>();
  for (const { id, kind, version, after } of found) {
    const before = versions.get(id);
    assert.equal(kind === "insert", before === undefined, `${id} is inserted where it is not there`);
    if (before !== undefined) assert.equal(version, before + 1, `${id} changes from version to version`);
    if (kind === "delete") versions.delete(id);
    else versions.set(id, version);
    if (kind === "delete") images.delete(id);
    else images.set(id, after);
  }
  const rows = await place.query(`select "id", "body", "count", "version" from "notes" order by "id"`);
  const byId = [...images].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, image]) => image);
  assert.deepEqual(
    byId,
    rows.map(([id, body, count, version]) => ({ id, body, count, version })),
  );
}
