/** Chinook adopted from SQLite: thirty questions get the answers that SQL by hand gets, and the file stays as it is to the byte. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { testAnswers } from "./answers.ts";
import { folder, models, needsChinook } from "./chinook.ts";
import { answerOf, createPlace, type Place, queryFile, type Row, type Served } from "./place.ts";

const needed = needsChinook("chinook.sqlite");

describe("Chinook on SQLite", needed, () => {
  const state: { place: Place | null; served: Served | null } = { place: null, served: null };
  const place = () => state.place as Place;
  const served = () => state.served as Served;
  const file = () => join(place().path, "chinook.sqlite");

  before(async () => {
    if (needed.skip !== false) return;
    state.place = createPlace();
    copyFileSync(`${folder}chinook.sqlite`, file());
    const { code, err } = await place().run("adopt", "chinook.sqlite", "--read-only-for", "staff");
    assert.equal(code, 0, err);
    state.served = await place().serve({ database: `sqlite:${file()}` });
  });

  after(async () => {
    await state.served?.app.stop();
    state.place?.remove();
  });

  test("every table is a model", () => assert.deepEqual([...served().app.engine.schema.models.keys()].toSorted(), models));

  test("the file type-checks", async () => assert.equal(await place().typeErrors(), ""));

  testAnswers({ served, query: (sql) => queryFile(file(), sql) });

  test("a list is paged through to its end", async () => {
    const seen: number[] = [];
    const first = "tracks?sort=unitPrice,-name&limit=100";
    for (let path: string | null = first; path !== null; ) {
      const { data, page }: Row = await answerOf(served(), path);
      seen.push(...data.map(({ trackId }: Row) => trackId));
      path = page.next === null ? null : `${first}&after=${page.next}`;
    }
    const sql = `select "TrackId" from "Track" order by "UnitPrice", "Name" desc, "TrackId" desc`;
    assert.deepEqual(seen, queryFile(file(), sql).flat());
  });

  test("nobody but staff reads it, and staff writes nothing", async () => {
    const { app, ask } = served();
    assert.equal((await app.fetch(new Request("http://localhost/api/albums"))).status, 401);
    assert.equal((await ask("albums/1", { method: "DELETE" })).status, 403);
  });

  test("nothing in the file has changed, and the product's own tables are beside it", () => {
    const digest = (path: string) => hash("sha256", readFileSync(path), "hex");
    assert.equal(digest(file()), digest(`${folder}chinook.sqlite`));
    assert.ok(existsSync(`${file()}.holdfast.db`));
  });
});
